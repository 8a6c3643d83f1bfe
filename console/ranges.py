"""Ranges as people type them: 1990-1999, 1990-, -1999, 7+, 2160p and the like."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

Number = tuple[float | None, float | None]
Command = TypeVar("Command", bound=Callable[..., Any])

_NUMBER = r"(\d{1,4}(?:\.\d)?)"
_FORMS = (
    (re.compile(rf"{_NUMBER}"), lambda one: (one, one)),
    (re.compile(rf"{_NUMBER}[+-]"), lambda low: (low, None)),
    (re.compile(rf"-{_NUMBER}"), lambda high: (None, high)),
    (re.compile(rf"{_NUMBER}-{_NUMBER}"), lambda low, high: (low, high)),
)


class NumberRange(click.ParamType[Number]):
    """A number, or from, to, or both; a pair, None where it is open."""

    name = "range"

    def __init__(self, example: str) -> None:
        """Show *example* to who writes something else."""
        self._example = example

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Number:
        """Read the text, or refuse it with an example."""
        if isinstance(value, tuple):
            return value
        for form, read in _FORMS:
            if match := form.fullmatch(str(value).strip()):
                low, high = read(*map(float, match.groups()))
                if low is not None and high is not None and low > high:
                    self.fail(f"{value!r} ends before it begins", param, ctx)
                return low, high
        raise click.BadParameter(
            f"{value!r} is no range; write for instance {self._example}", ctx, param
        )


_OPEN: Number = (None, None)
_FILTERS = (
    click.option("--genre", multiple=True, help="Of this genre; given twice, of both."),
    click.option(
        "--year", type=NumberRange("1990-1999"), default=_OPEN, metavar="1990-1999",
        help="Also 1999, 1990- or -1999.",
    ),
    click.option(
        "--rating", type=NumberRange("7+"), default=_OPEN, metavar="7+",
        help="IMDb's; also 6-8.",
    ),
    click.option(
        "--runtime", type=NumberRange("90-120"), default=_OPEN, metavar="90-120",
        help="Minutes; also 90+ or -120.",
    ),
    click.option("--language", multiple=True, metavar="en", help="Given twice, either."),
    click.option("--quality", metavar="2160p", help="With a torrent of this quality."),
)  # fmt: skip


def filter_options(command: Command) -> Command:
    """Add the options that say which movies are meant."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command
