"""`wait_until`: wait for a condition; a test fails if it does not come true."""

import time
from collections.abc import Callable
from typing import Any

#: Much longer than anything takes that tests wait for, also on a busy machine.
TIMEOUT_SECONDS = 60.0
#: Between two looks: short at first, then longer, because a look may cost a request or a query.
FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.1


def wait_until(
    is_true: Callable[[], Any], description: str, *, seconds: float = TIMEOUT_SECONDS
) -> None:
    """Wait until *is_true* returns a true value; fail with *description* after *seconds*."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {description}"
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
