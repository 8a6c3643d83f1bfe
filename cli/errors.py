"""`report_errors`: end a command that fails with one message on stderr and an exit code."""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from cli import signals
from cli.command_line import shown_command
from cli.known_errors import explain_known
from cli.preflight import missing_library
from cli.redaction import masked
from cli.text import one_line, printable
from ingest.exit_codes import ExitCode


def leave(sentence: str, exit_code: int) -> NoReturn:
    """Say *sentence* on stderr and exit with *exit_code*, without waiting for any thread."""
    sys.stderr.write(f"{printable(sentence)}\n")
    signals.exit_now(exit_code)


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
    except Exception as error:  # noqa: BLE001 -- the process ends here, with a message
        said = _not_installed(error) or explain_known(error)
        if said is None:
            if is_verbose:
                sys.stderr.write(printable(masked("".join(traceback.format_exception(error)))))
            said = _unexpected(error, door, is_verbose=is_verbose), ExitCode.FATAL
        with suppress(OSError):  # Nobody may be left to be told, or no room for it.
            tell(*said)
        leave(*said)


def _not_installed(error: Exception) -> tuple[str, int] | None:
    if not isinstance(error, ModuleNotFoundError):
        return None
    return missing_library(error.name), ExitCode.FATAL


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
