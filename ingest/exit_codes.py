"""`ExitCode`: the exit codes of all commands, each with a description for help and documents."""

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """The exit code of a command; the row of a run in `fetch_runs` keeps the same number."""

    #: The meaning of the code, for help texts and documents.
    description: str

    def __new__(cls, value: int, description: str) -> Self:
        """Make a member from its number and its description."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    DONE = 0, "done"
    FATAL = 1, "fatal"
    USAGE = 2, "usage or configuration"
    SOME_FAILED = 3, "finished, some failed (recorded, retried later)"
    UNAVAILABLE = 4, "YTS unavailable, try later"
    NOT_READY = 5, "database not ready"
    GUARD = 6, "too many movies vanished at once, none was marked"
    LIMIT = 7, "own limit reached, work is left"
    STALE = 8, "older than --max-age"
    LOCKED = 11, "another fetch is running"
    CLOSED_TERMINAL = 129, "interrupted by a closed terminal (SIGHUP)"
    INTERRUPTED = 130, "interrupted by Ctrl-C (SIGINT)"
    TERMINATED = 143, "interrupted by SIGTERM"
