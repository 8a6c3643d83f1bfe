"""`ticks`, `shown_labels`: the numbers at an axis, and which labels have space (pure)."""

from collections.abc import Set as AbstractSet

#: Steps between the numbers of an axis, times a power of ten.
_STEPS = (1, 2, 5)


def ticks(most: int, count: int = 4) -> list[int]:
    """Return up to *count* + 1 round numbers from 0 to the first one that is at least *most*."""
    if most <= 0:
        return [0, 1]
    power = 1
    while True:
        for step in _STEPS:
            if count * step * power >= most:
                top = -(-most // (step * power))
                return [number * step * power for number in range(top + 1)]
        power *= 10


def shown_labels(count: int, most: int) -> AbstractSet[int]:
    """Return up to *most* evenly spaced places of *count* labels, the last one among them."""
    step = -(-count // most)
    return {place for place in range(count) if (count - 1 - place) % step == 0}
