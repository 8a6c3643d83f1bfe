"""`waiting_for`: note what this process waits for; `report_waits` reports it when it takes long."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

#: A shorter wait is not reported.
SECONDS_UNTIL_SAID = 5.0

#: The subject of each wait, and the time from which it is reported.
_waits: dict[object, tuple[str, float]] = {}


@contextmanager
def waiting_for(what: str, *, seconds: float = SECONDS_UNTIL_SAID) -> Iterator[None]:
    """Report that the program waits for *what*, if the block takes longer than *seconds*."""
    key = object()
    _waits[key] = what, monotonic() + seconds
    try:
        yield
    finally:
        _waits.pop(key, None)


def long_waits(now: float) -> dict[object, str]:
    """Return the subjects of the waits to report at the time *now* of the monotonic clock."""
    return {key: what for key, (what, long_from) in list(_waits.items()) if long_from <= now}
