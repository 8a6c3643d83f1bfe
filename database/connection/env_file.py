"""`read_env_file`: take variables from the file `.env` in the working directory."""

import os
import re
from pathlib import Path

NAME = ".env"
#: Variables that name the database; every command reads both, and the second has the form of the
#: variables of options. Without them, the file that the last one names is read.
URL_VARIABLES = ("DATABASE_URL", "YTS_DATABASE_URL")
URL_FILE_VARIABLE = "DATABASE_URL_FILE"
#: Variables of this program and of libpq; the rest of the file is for other programs.
_OURS = re.compile(r"YTS_\w+|DATABASE_URL(_FILE)?|PG[A-Z]+")
_taken: set[str] = set()


class UnreadableEnvFile(Exception):
    """The file exists, but cannot be read; the argument says why."""


def read_env_file() -> None:
    """
    Set the variables of `.env` that the environment does not have.

    Raises:
        UnreadableEnvFile: the file exists, but cannot be read.
    """
    path = Path(NAME)
    if not path.is_file():
        return
    from dotenv import dotenv_values  # noqa: PLC0415 -- for a fast --help

    try:
        # Editors on Windows write a byte order mark first.
        values = dotenv_values(path, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableEnvFile(f"The file .env cannot be read: {error}") from None
    for name, value in values.items():
        if value is not None and _OURS.fullmatch(name) and name not in os.environ:
            os.environ[name] = value
            _taken.add(name)


def is_from_file(name: str) -> bool:
    """Return whether the variable *name* comes from `.env`."""
    return name in _taken
