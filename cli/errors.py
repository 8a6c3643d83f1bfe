"""The exit codes that scripts can rely on, and how errors become one sentence and a code."""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from cli.command_line import shown_command, suggest_command
from cli.redaction import masked
from cli.text import one_line, printable
from ingest import stop

DONE = stop.EXIT_DONE
FATAL = stop.EXIT_FATAL
USAGE = stop.EXIT_USAGE
SOME_FAILED = stop.EXIT_SOME_FAILED
UNAVAILABLE = stop.EXIT_UNAVAILABLE
DATABASE_NOT_READY = stop.EXIT_NOT_READY
GUARD = stop.EXIT_GUARD
LIMIT = stop.EXIT_LIMIT
STALE = 8
LOCKED = stop.EXIT_LOCKED
INTERRUPTED = 130
TERMINATED = 143

_LOCK_HELD = (
    "Another fetch is at work on this database ({}). This one leaves it alone; watch the other "
    "with: "
)
_EMBEDDING_LOCK_HELD = (
    "Another process is making vectors for this database; this one leaves that to it."
)
_NO_CLUSTER = (
    "The cluster cannot be used: {}. What was saved stays; run the same command again when it "
    "is there."
)
_UNREACHABLE = (
    "YTS cannot be reached: {}. What is stored stays; try again later, or name another base URL "
    "with --api-url."
)


def leave(sentence: str, exit_code: int) -> NoReturn:
    """Say *sentence* on stderr and exit with *exit_code*, without waiting for any thread."""
    from cli.signals import exit_now  # noqa: PLC0415

    sys.stderr.write(f"{printable(sentence)}\n")
    exit_now(exit_code)


@contextmanager
def report_errors(
    door: str,
    *,
    is_verbose: bool = False,
    tell: Callable[[str, int], None] = lambda _sentence, _exit_code: None,
) -> Iterator[None]:
    """
    Turn errors into one sentence and an exit code; *tell* gets them besides stderr.

    *door* is the command that runs. An error that nobody has thought of is a bug, and
    called so; its traceback is shown if *is_verbose*.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 -- the process ends here, in words
        said = _not_installed(error) or _expected(error)
        if said is None:
            if is_verbose:
                sys.stderr.write(printable(masked("".join(traceback.format_exception(error)))))
            said = _unexpected(error, door, is_verbose=is_verbose), FATAL
        with suppress(OSError):  # Nobody may be left to be told, or no room for it.
            tell(*said)
        leave(*said)


def _expected(error: Exception) -> tuple[str, int] | None:
    """Return sentence and exit code of an error that a user can do something about."""
    from database.connection.explain import explain_any  # noqa: PLC0415

    for kind, sentence, exit_code in _known_errors():
        if isinstance(error, kind):
            return sentence.replace("{}", str(error)), exit_code
    trouble = explain_any(error)
    return None if trouble is None else (f"Error: {trouble}", DATABASE_NOT_READY)


def _known_errors() -> tuple[tuple[type[Exception], str, int], ...]:
    # Imported here, for `--help` needs none of it.
    from cli.query.export import ParquetMissing  # noqa: PLC0415
    from cli.query.lookup import NoSuchMovie  # noqa: PLC0415
    from database.bookkeeping.fetch_lock import FetchLockHeld  # noqa: PLC0415
    from database.bookkeeping.runs import RunTakenOver  # noqa: PLC0415
    from database.bookkeeping.source import SourceMismatch  # noqa: PLC0415
    from database.errors import DatabaseNotReady, InvalidDatabaseUrl  # noqa: PLC0415
    from database.search.filters import UnknownFilterValue  # noqa: PLC0415
    from database.search.query import NothingToSearch  # noqa: PLC0415
    from database.search.similar import NoVector  # noqa: PLC0415
    from database.vectors.spaces import EmbeddingLockHeld  # noqa: PLC0415
    from embeddings.errors import ModelMissing  # noqa: PLC0415
    from ingest.backends.base import ClusterAway, ClusterRefused  # noqa: PLC0415
    from yts.errors import YtsRefused, YtsUnavailable  # noqa: PLC0415

    plain = "Error: {}"
    return (
        (InvalidDatabaseUrl, plain, USAGE),
        (SourceMismatch, plain, USAGE),
        (DatabaseNotReady, plain, DATABASE_NOT_READY),
        (FetchLockHeld, _LOCK_HELD + suggest_command("monitor_progress.py"), LOCKED),
        (EmbeddingLockHeld, _EMBEDDING_LOCK_HELD, LOCKED),
        (ModelMissing, plain, USAGE),
        (RunTakenOver, "This fetch lost its lock: {}.", LOCKED),
        (NoSuchMovie, plain, USAGE),
        (NoVector, plain, USAGE),
        (NothingToSearch, plain, USAGE),
        (UnknownFilterValue, plain, USAGE),
        (ParquetMissing, plain, USAGE),
        (ClusterRefused, "Error: {}.", USAGE),
        (ClusterAway, _NO_CLUSTER, UNAVAILABLE),
        (YtsRefused, "Error: {}. Nothing was changed.", USAGE),
        (YtsUnavailable, _UNREACHABLE, UNAVAILABLE),
    )


def _not_installed(error: Exception) -> tuple[str, int] | None:
    if not isinstance(error, ModuleNotFoundError):
        return None
    install = f"{sys.executable} -m pip install -r requirements.txt"
    return f"Error: {error.name} is not installed. Install what is needed with: {install}", FATAL


def _unexpected(error: Exception, door: str, *, is_verbose: bool) -> str:
    said = masked(one_line(str(error)))
    if refusal := _system_refusal(error):
        return f"Error: the system refuses ({refusal}). What was saved stays."
    what = f"This is a bug ({type(error).__name__}: {said}). What was saved stays. "
    if is_verbose:
        return f"{what}Please report it with the lines above."
    again = shown_command(door, [*sys.argv[1:], "-v"])
    return f"{what}Please report it with what this says: {again}"


def _system_refusal(error: BaseException | None) -> str | None:
    """Return what the system refused, be it the reason of an error that came of it; else None."""
    while error is not None:
        said = masked(one_line(str(error)))
        if isinstance(error, OSError) and error.filename and error.strerror:
            return masked(one_line(f"{error.filename}: {error.strerror}"))
        if isinstance(error, OSError | MemoryError):
            return said or "no memory is left"
        if "can't start new thread" in said:
            return f"{said}: no memory, or no process, is left"
        error = error.__cause__ or error.__context__
    return None
