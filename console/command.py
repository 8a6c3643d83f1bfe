"""Command lines that may be shown and stored: ready to type again, without passwords."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

_HOME_OF_DOORS = Path(__file__).parent.parent


def to_type(door: str, arguments: Sequence[str] = ()) -> str:
    """Return what to type here to run *door*, such as `monitor_progress.py`; passwords masked."""
    script = os.path.relpath(_HOME_OF_DOORS / door)
    return shlex.join([_interpreter(), script, *safe_arguments(arguments)])


def safe_arguments(arguments: Sequence[str]) -> list[str]:
    """Return *arguments* with the password of a database URL masked."""
    safe = []
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--database-url" and equals:
            safe.append(f"{name}={_masked(value)}")
        elif position and arguments[position - 1] == "--database-url":
            safe.append(_masked(argument))
        else:
            safe.append(argument)
    return safe


def _interpreter() -> str:
    """Return the shortest name of this Python: in a fresh virtual environment not `python`."""
    if shutil.which("python") == sys.executable:
        return "python"
    relative = os.path.relpath(sys.executable)
    return sys.executable if relative.startswith("..") else relative


def _masked(text: str) -> str:
    from database.config import parse_database_url  # noqa: PLC0415
    from database.errors import InvalidDatabaseUrl  # noqa: PLC0415

    try:
        url = parse_database_url(text)
    except InvalidDatabaseUrl:
        return "***"
    # libpq takes a password in the query as well.
    return url.difference_update_query(["password", "sslpassword"]).render_as_string()
