"""Values of options that click has no type for."""

import re
from datetime import timedelta
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
