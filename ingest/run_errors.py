"""`RUN_ERRORS`: the errors that end a run, each with its exit code and message."""

from dataclasses import dataclass

from database.errors import DatabaseNotReady, FetchLockHeld, RunTakenOver, SourceMismatch
from ingest.backends.base import ClusterAway, ClusterRefused
from ingest.exit_codes import ExitCode
from yts.errors import YtsRefused, YtsUnavailable


@dataclass(frozen=True, slots=True)
class KnownError:
    """An error that a user can do something about."""

    kind: type[Exception]
    exit_code: ExitCode
    #: `{error}` is the text of the error, `{monitor}` the command that shows the running fetch.
    message: str = "Error: {error}"


RUN_ERRORS = (
    KnownError(SourceMismatch, ExitCode.USAGE),
    KnownError(DatabaseNotReady, ExitCode.NOT_READY),
    KnownError(
        FetchLockHeld,
        ExitCode.LOCKED,
        "Another fetch is at work on this database ({error}). This one leaves it alone; watch the "
        "other with: {monitor}",
    ),
    KnownError(RunTakenOver, ExitCode.LOCKED, "This fetch lost its lock: {error}."),
    KnownError(ClusterRefused, ExitCode.USAGE, "Error: {error}."),
    KnownError(
        ClusterAway,
        ExitCode.UNAVAILABLE,
        "The cluster cannot be used: {error}. What was saved stays; run the same command again "
        "when it is there.",
    ),
    KnownError(YtsRefused, ExitCode.USAGE, "Error: {error}. Nothing was changed."),
    KnownError(
        YtsUnavailable,
        ExitCode.UNAVAILABLE,
        "YTS cannot be reached: {error}. What is stored stays; try again later, or name another "
        "base URL with --api-url.",
    ),
)


def exit_code_of(error: Exception) -> ExitCode:
    """Return the exit code of a run that *error* ended."""
    codes = (known.exit_code for known in RUN_ERRORS if isinstance(error, known.kind))
    return next(codes, ExitCode.FATAL)
