"""`KNOWN_ERRORS`: the errors of all commands, each with its exit code and message."""

from cli.command_line import suggest_command
from cli.query_errors import NoSuchMovie, ParquetMissing, UnclearTaste
from database.connection.explain import explain_any
from database.errors import InvalidDatabaseUrl
from database.search.filters import UnknownFilterValue
from database.search.query import NothingToSearch
from database.search.similar.ranking import NoVector
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
    KnownError(NoSuchMovie, ExitCode.USAGE),
    KnownError(UnclearTaste, ExitCode.USAGE),
    KnownError(NoVector, ExitCode.USAGE),
    KnownError(NothingToSearch, ExitCode.USAGE),
    KnownError(UnknownFilterValue, ExitCode.USAGE),
    KnownError(ParquetMissing, ExitCode.USAGE),
    KnownError(AddressUnusable, ExitCode.FATAL),
)


def explain_known(error: Exception) -> tuple[str, ExitCode] | None:
    """Return message and exit code of an error that a user can do something about."""
    for known in KNOWN_ERRORS:
        if isinstance(error, known.kind):
            message = known.message.replace("{monitor}", suggest_command("monitor_progress.py"))
            return message.replace("{error}", str(error)), known.exit_code
    reason = explain_any(error)
    return None if reason is None else (f"Error: {reason}", ExitCode.NOT_READY)
