"""`filter_options`, `sort_options`; `NumberRange`: ranges such as 1990-1999; `Since`: times."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from cli.options import Duration

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
    """A range of numbers as a pair; None is an open end."""

    name = "range"

    def __init__(self, example: str, lowest: float, highest: float) -> None:
        """Refuse values outside these limits; *example* is shown for a text that is not a range."""
        self._example = example
        self._lowest, self._highest = lowest, highest

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
                if any(end is not None and not self._contains(end) for end in (low, high)):
                    limits = f"{self._lowest:g} to {self._highest:g}"
                    self.fail(f"{value!r} is not within {limits}", param, ctx)
                return low, high
        raise click.BadParameter(
            f"{value!r} is not a range; use for example {self._example}", ctx, param
        )

    def _contains(self, number: float) -> bool:
        return self._lowest <= number <= self._highest


class Since(click.ParamType[datetime | timedelta]):
    """
    A time, as a datetime in UTC, or a duration before now, as a timedelta.

    A time without an offset is in UTC. A number needs a unit: 2026 may mean a year.
    """

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | timedelta:
        """Read the text, or refuse it with an example."""
        if isinstance(value, datetime | timedelta):
            return value
        text = str(value).strip()
        if re.fullmatch(r"[0-9.]+\s?[a-zA-Z]", text):
            return Duration().convert(text, param, ctx)
        try:
            # Forms without any separator, such as 20261127, are not accepted either.
            time = datetime.fromisoformat(text if "-" in text else "")
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            example = "use for example 24h, 7d, 2026-11-27 or 2026-11-27T06:30Z"
            raise click.BadParameter(f"{value!r} is not a time; {example}", ctx, param) from None


def split_columns(text: str) -> list[str]:
    """
    Return the names in a list with commas.

    Raises:
        ValueError: there is none.
    """
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ValueError(f"{text!r} is not a list of columns; use for example id,title,year")
    return names


#: Properties that movies can be grouped by, instead of an order.
GROUPS = ("genre", "decade", "language")

_FILTERS = (
    click.option("--genre", multiple=True, help="Only this genre; repeat it for all of several."),
    click.option(
        "--year", type=NumberRange("1990-1999", 1800, 2199), metavar="1990-1999",
        help="Also 1999, 1990- or -1999.",
    ),
    click.option(
        "--rating", type=NumberRange("7+", 0, 10), metavar="7+",
        help="Rating at IMDb, 0 to 10; also 6-8.",
    ),
    click.option(
        "--runtime", type=NumberRange("90-120", 0, 9999), metavar="90-120",
        help="Minutes; also 90+ or -120.",
    ),
    click.option("--language", multiple=True, metavar="en", help="Repeat it for any of several."),
    click.option("--quality", metavar="2160p", help="Only movies with a torrent of this quality."),
)  # fmt: skip


#: What movies can be sorted by, the smallest first.
SORTS = ("id", "title", "year", "rating", "likes", "uploaded")


def sort_options(command: Command) -> Command:
    """Add the options that sort movies."""
    options = (
        click.option("--sort", type=click.Choice(SORTS), help="Sort the movies of the list."),
        click.option("--desc", is_flag=True, help="With --sort: the largest or last first."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def filter_options(command: Command) -> Command:
    """Add the options that filter movies."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command
