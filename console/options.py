"""What our commands have beyond those of click: options such as 30d, errors without passwords."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Duration(click.ParamType[timedelta]):
    """A time such as 45s, 90m, 26h, 30d or 2w; a timedelta."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read the text, or refuse it with an example."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([0-9]{1,6})([smhdw])", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no time; write for instance 45s, 90m, 26h or 30d", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


#: A file that a command reads; its absolute path, as a string.
READ_FILE = click.Path(exists=True, dir_okay=False, readable=True, resolve_path=True)
#: A file that a command writes.
WRITTEN_FILE = click.Path(dir_okay=False, path_type=Path)


class Door(click.Command):
    """A command whose usage errors repeat no password that was typed in the wrong place."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Read the command line, and `.env` before it."""
        from console.settings_file import read_settings_file  # noqa: PLC0415

        read_settings_file()
        try:
            return super().make_context(*arguments, **options)
        except click.UsageError as error:
            from console.masking import masked  # noqa: PLC0415

            raise click.UsageError(masked(error.format_message()), error.ctx) from None
