"""`report_errors`: end a command that fails with one message on stderr and an exit code."""

import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from cli import signals
from cli.command_line import shown_command
from cli.display.text import one_line, printable
from cli.known_errors import explain_known
from cli.masked_text import masked
from cli.output import discard_stdout
from cli.preflight import missing_library
from ingest.exit_codes import ExitCode
from ingest.run_errors import KnownError


def leave(message: str, exit_code: int) -> NoReturn:
    """Write *message* to stderr and exit with *exit_code*, without waiting for any thread."""
    sys.stderr.write(f"{printable(message)}\n")
    try:
        signals.exit_now(exit_code)
    except OSError:  # What stdout still holds cannot be written, for example to a full disk.
        os._exit(exit_code)


@contextmanager
def report_errors(
    script: str,
    *,
    is_verbose: bool = False,
    known: Iterable[KnownError] = (),
    notify: Callable[[str, int], None] = lambda _message, _exit_code: None,
) -> Iterator[None]:
    """
    Turn errors into one message on stderr and an exit code; *notify* gets both as well.

    *script* is the current command, and *known* are errors that only this one knows. An unexpected
    error is reported as a bug; its traceback is shown if *is_verbose*.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 -- the process ends here, with a message
        report = _not_installed(error) or explain_known(error, known)
        if report is None:
            if is_verbose:
                sys.stderr.write(printable(masked("".join(traceback.format_exception(error)))))
            report = _unexpected(error, script, is_verbose=is_verbose), ExitCode.FATAL
        with suppress(OSError):  # The reader may have closed its pipe, or the disk may be full.
            notify(*report)
        _discard_unwritable()
        leave(*report)


def _discard_unwritable() -> None:
    """Discard output that cannot be written: Python would fail again at exit, with code 120."""
    try:
        sys.stdout.flush()
    except OSError:
        discard_stdout()


def _not_installed(error: Exception) -> tuple[str, int] | None:
    if not isinstance(error, ModuleNotFoundError):
        return None
    return missing_library(error.name), ExitCode.FATAL


def _unexpected(error: Exception, script: str, *, is_verbose: bool) -> str:
    message = masked(one_line(str(error)))
    if refusal := _system_refusal(error):
        return f"Error: the system refuses ({refusal}). What was saved stays."
    report = f"This is a bug ({type(error).__name__}: {message}). What was saved stays. "
    if is_verbose:
        return f"{report}Please report it with the lines above."
    again = shown_command(script, [*sys.argv[1:], "-v"])
    return f"{report}Please report it with what this says: {again}"


def _system_refusal(error: BaseException | None) -> str | None:
    """Return the message of a refusal by the system, also if it only caused *error*; else None."""
    while error is not None:
        message = masked(one_line(str(error)))
        if isinstance(error, OSError) and error.filename and error.strerror:
            return masked(one_line(f"{error.filename}: {error.strerror}"))
        if isinstance(error, OSError | MemoryError):
            return message or "no memory is left"
        if "can't start new thread" in message:
            return f"{message}: no memory or no process is left"
        error = error.__cause__ or error.__context__
    return None
