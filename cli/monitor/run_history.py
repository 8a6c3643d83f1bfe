"""`write_history` lists past runs; `write_age` says whether the mirror is older than allowed."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from cli.command_line import suggest_command
from cli.errors import DONE, STALE
from cli.events import counts_in_words
from cli.tables import write_json, write_table
from cli.terminal import fitted
from cli.text import duration, utc_time
from database.monitoring.history import Freshness

NONE = "No runs: nothing has been fetched yet."

Row = dict[str, Any]


def write_history(runs: Sequence[Row], *, as_json: bool) -> None:
    """Write *runs*; times of the table are UTC."""
    if as_json:
        write_json("run", map(_as_json, runs))
    elif runs:
        write_table([_in_columns(run) for run in runs])
    else:
        click.echo(NONE)


def _as_json(run: Row) -> Row:
    return {"run_id" if name == "id" else name: value for name, value in run.items()}


def _in_columns(run: Row) -> Row:
    return {
        "began (UTC)": utc_time(datetime.fromisoformat(run["started_at"])),
        "took": duration(run["seconds"]),
        "exit": run["state"] if run["exit_code"] is None else run["exit_code"],
        "requests": f"{run['requests']:,}",
        "came to": counts_in_words(run) or "nothing",
    }


def write_age(freshness: Freshness, max_age: timedelta, *, as_json: bool) -> int:
    """
    Write whether the mirror is older than *max_age*, and return the exit code.

    What is stale is said on stderr: `> /dev/null` leaves cron nothing else to mail.
    """
    age = freshness.age
    is_fresh = age is not None and age <= max_age
    if as_json:
        message = {
            "time": freshness.time.isoformat(),
            "completed_at": freshness.completed_at and freshness.completed_at.isoformat(),
            "age_seconds": age and age.total_seconds(),
            "max_age_seconds": max_age.total_seconds(),
            "is_fresh": is_fresh,
        }
        write_json("freshness", [message])
    else:
        stream = sys.stdout if is_fresh else sys.stderr
        click.echo(fitted(_age_in_words(freshness, max_age), stream), err=not is_fresh)
    return DONE if is_fresh else STALE


def _age_in_words(freshness: Freshness, max_age: timedelta) -> str:
    history = f"See what came of the runs: {suggest_command('monitor_progress.py', '--history')}"
    if freshness.age is None or freshness.completed_at is None:
        return f"Stale: no run was ever complete. {history}"
    age, time = duration(freshness.age.total_seconds()), utc_time(freshness.completed_at)
    ended = f"the last complete run ended {age} ago, at {time} UTC"
    if freshness.age <= max_age:
        return f"Fresh: {ended}."
    return f"Stale: {ended}, more than {duration(max_age.total_seconds())}. {history}"
