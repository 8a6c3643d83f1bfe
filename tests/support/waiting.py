"""`wait_until`, `becomes_true`, `soon`: wait for a condition, and notice waits that must not be."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: Much longer than anything takes that tests wait for, also on a busy machine.
TIMEOUT_SECONDS = 60.0
#: Between two looks: short at first, then longer, because a look may cost a request or a query.
FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.1
#: Longer than a busy machine delays anything, and much shorter than waits that must not happen.
SOON_SECONDS = 20.0


def wait_until(
    is_true: Callable[[], Any], description: str, *, seconds: float = TIMEOUT_SECONDS
) -> None:
    """Wait until *is_true* returns a true value; fail with *description* after *seconds*."""
    assert becomes_true(is_true, seconds=seconds), f"not within {seconds:g} s: {description}"


def becomes_true(is_true: Callable[[], Any], *, seconds: float = TIMEOUT_SECONDS) -> bool:
    """Return whether *is_true* returns a true value within *seconds*."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    return True


@contextmanager
def soon() -> Iterator[None]:
    """
    Fail if the block takes longer than `SOON_SECONDS`.

    For waits that must not happen, which the test makes a minute long: a shorter time would
    measure the machine.
    """
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SOON_SECONDS
