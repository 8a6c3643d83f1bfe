"""`Duration`: the type of all options about time."""

from datetime import timedelta
from typing import Any

import click
import pytest

import fetch_yts_data
import monitor_progress
from cli.options import Duration
from tests.support.processes.commands import call

SECONDS = {"45s": 45, "90m": 5400, "2h": 7200, "30d": 2_592_000, "2w": 1_209_600, "7200": 7200,
           "1.5h": 5400, "0.5": 0.5, " 10 s ": 10, "2H": 7200}  # fmt: skip


@pytest.mark.parametrize("text", SECONDS)
def test_a_duration_is_a_number_with_a_unit_or_of_seconds(text: str):
    """Fractions, capital letters and spaces are accepted."""
    assert Duration(0).convert(text, None, None) == timedelta(seconds=SECONDS[text])


@pytest.mark.parametrize("text", ["", "h", "-1s", "1y", "2 hours", "1e3", "1,5h", "9" * 12, "٣h"])
def test_an_invalid_duration_is_refused(text: str):
    """The message has an example, or the limits."""
    with pytest.raises(click.BadParameter, match=r"use for example|is not within"):
        Duration().convert(text, None, None)


@pytest.mark.parametrize("text", ["0s", "99999999999d", "9" * 400 + "w"])
def test_the_limits_of_a_duration_are_in_readable_units(text: str):
    """A duration that is too long is a duration, however many digits it has."""
    with pytest.raises(click.BadParameter, match=r"is not within 1 s to 36,500 days$"):
        Duration().convert(text, None, None)


def durations(command: click.Command) -> list[str]:
    """Return the options of *command* that are about time."""
    parts = ("age", "after", "duration", "interval", "timeout", "wait")
    return [
        it.opts[-1]
        for it in command.params
        if any(part in str(it.name).split("_") for part in parts)
    ]


@pytest.mark.parametrize("command", [fetch_yts_data.main, monitor_progress.main])
def test_every_option_about_time_is_a_duration(command: click.Command):
    """No option takes a plain number of seconds."""
    options: dict[str, Any] = {it.opts[-1]: it.type for it in command.params}

    assert len(durations(command)) >= 2
    assert all(isinstance(options[name], Duration) for name in durations(command))


@pytest.mark.parametrize("value", ["0", "0s", "200y", "soon"])
def test_an_invalid_age_is_refused(value: str):
    """`--max-age 0` is an error; it is not the same as no `--max-age`."""
    done = call("monitor_progress.py", "--max-age", value)

    assert done.returncode == 2
    assert "--max-age" in done.stderr
