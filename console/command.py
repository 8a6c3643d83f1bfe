"""The command line as it may be shown and stored: without passwords."""

import shlex
from collections.abc import Sequence


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


def shown(script: str, arguments: Sequence[str]) -> str:
    """Return what to type to run *script* again, passwords masked."""
    return shlex.join(["python", script, *safe_arguments(arguments)])


def _masked(text: str) -> str:
    from database.config import parse_database_url  # noqa: PLC0415
    from database.errors import InvalidDatabaseUrl  # noqa: PLC0415

    try:
        url = parse_database_url(text)
    except InvalidDatabaseUrl:
        return "***"
    # libpq takes a password in the query as well.
    return url.difference_update_query(["password", "sslpassword"]).render_as_string()
