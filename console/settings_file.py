"""Settings from a file `.env` in the working directory, for whoever likes none in a shell."""

import os
import re
from pathlib import Path

import click

NAME = ".env"
#: Ours, and libpq's; whatever else is in the file is for others.
_OURS = re.compile(r"YTS_\w+|DATABASE_URL(_FILE)?|PG[A-Z]+")
_taken: set[str] = set()


def read_settings_file() -> None:
    """
    Take what `.env` says into the environment, where that says nothing itself.

    Raises:
        click.UsageError: the file is there, but cannot be read.
    """
    path = Path(NAME)
    if not path.is_file():
        return
    from dotenv import dotenv_values  # noqa: PLC0415 -- for a fast --help

    try:
        # A byte order mark is what editors of Windows put first.
        values = dotenv_values(path, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"The file .env cannot be read: {error}") from None
    for name, value in values.items():
        if value is not None and _OURS.fullmatch(name) and name not in os.environ:
            os.environ[name] = value
            _taken.add(name)


def is_from_file(name: str) -> bool:
    """Tell whether the variable *name* comes from `.env`."""
    return name in _taken
