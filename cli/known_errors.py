"""`KNOWN_ERRORS`: errors of several commands, each with its exit code and message."""

from collections.abc import Iterable

from cli.command_line import suggest_command
from database.connection.explain import explain_any
from database.errors import InvalidDatabaseUrl
from database.vectors.spaces import EmbeddingLockHeld
from embeddings.errors import ModelMissing
from ingest.exit_codes import ExitCode
from ingest.run_errors import RUN_ERRORS, KnownError
from web.errors import AddressUnusable

KNOWN_ERRORS = (
    *RUN_ERRORS,
    KnownError(InvalidDatabaseUrl, ExitCode.USAGE),
    KnownError(
        EmbeddingLockHeld,
        ExitCode.LOCKED,
        "Another process is making vectors for this database; this one leaves that to it.",
    ),
    KnownError(ModelMissing, ExitCode.USAGE),
    KnownError(AddressUnusable, ExitCode.FATAL),
)


def explain_known(error: Exception, more: Iterable[KnownError] = ()) -> tuple[str, ExitCode] | None:
    """
    Return message and exit code of an error that a user can do something about.

    *more* are errors that only the current command knows.
    """
    for known in (*KNOWN_ERRORS, *more):
        if isinstance(error, known.kind):
            message = known.message.replace("{monitor}", suggest_command("monitor_progress.py"))
            return message.replace("{error}", str(error)), known.exit_code
    reason = explain_any(error)
    return None if reason is None else (f"Error: {reason}", ExitCode.NOT_READY)
