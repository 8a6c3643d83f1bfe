"""`parse_ids`: read YTS ids as a user writes them, such as `1-5000,7001`; no I/O."""

from collections.abc import Iterable

#: The highest value that the column can hold.
HIGHEST_ID = 2**31 - 1


def parse_ids(text: str) -> tuple[range, ...]:
    """
    Read ids like `1-5000,7001`; ranges include both ends.

    Return ranges in ascending order and without overlap.

    Raises:
        ValueError: the message names the wrong part and the expected form.
    """
    ranges: list[range] = []
    parts = [_parse_range(part.strip()) for part in text.split(",")]
    for ids in sorted(parts, key=lambda ids: (ids.start, ids.stop)):
        if ranges and ids.start <= ranges[-1].stop:
            ranges[-1] = range(ranges[-1].start, max(ranges[-1].stop, ids.stop))
        else:
            ranges.append(ids)
    return tuple(ranges)


def format_ids(ranges: Iterable[range]) -> str:
    """Return *ranges* as a user writes them."""
    return ",".join(f"{ids[0]}-{ids[-1]}" if len(ids) > 1 else f"{ids[0]}" for ids in ranges)


def _parse_range(part: str) -> range:
    first, dash, last = part.partition("-")
    if not (first.strip().isdecimal() and (last.strip().isdecimal() or not dash)):
        raise ValueError(f"{part!r} is not an id or a range of ids; use for example 1-5000,7001")
    low = int(first)
    high = int(last) if dash else low
    if not 1 <= low <= high <= HIGHEST_ID:
        raise ValueError(f"{part!r}: ids are in ascending order, from 1 to {HIGHEST_ID}")
    return range(low, high + 1)
