"""The exit codes that scripts can rely on, and how errors become one sentence and a code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from console.command import to_type
from console.text import printable

DONE = 0
FATAL = 1
USAGE = 2
SOME_FAILED = 3
UNAVAILABLE = 4
DATABASE_NOT_READY = 5
LOCKED = 11


def leave(sentence: str, exit_code: int) -> NoReturn:
    """Say *sentence* on stderr and exit with *exit_code*."""
    sys.stderr.write(f"{printable(sentence)}\n")
    sys.exit(exit_code)


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Turn the errors a user can do something about into one sentence and an exit code."""
    # Imported here, for `--help` needs none of it.
    from database.errors import DatabaseNotReady, InvalidDatabaseUrl  # noqa: PLC0415
    from database.lock import FetchLockHeld  # noqa: PLC0415
    from database.runs import RunTakenOver  # noqa: PLC0415
    from database.source import SourceMismatch  # noqa: PLC0415
    from yts.errors import YtsRefused, YtsUnavailable  # noqa: PLC0415

    try:
        yield
    except (InvalidDatabaseUrl, SourceMismatch) as error:
        leave(f"Error: {error}", USAGE)
    except DatabaseNotReady as error:
        leave(f"Error: {error}", DATABASE_NOT_READY)
    except FetchLockHeld as error:
        leave(
            f"Another fetch is at work on this database ({error}). Nothing was done; watch the "
            f"other with: {to_type('monitor_progress.py')}",
            LOCKED,
        )
    except RunTakenOver as error:
        leave(f"This fetch lost its lock: {error}.", LOCKED)
    except YtsRefused as error:
        leave(f"Error: {error}. Nothing was changed.", USAGE)
    except YtsUnavailable as error:
        leave(
            f"YTS cannot be reached: {error}. What is stored stays; try again later, or name "
            "another base URL with --api-url.",
            UNAVAILABLE,
        )
