"""`write_history` lists past runs; `write_age` says whether the mirror is older than allowed."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import click

from cli.command_line import suggest_command
from cli.display.tables import write_json, write_table
from cli.display.terminal import fitted
from cli.display.text import duration, utc_time
from cli.monitor.json_rows import freshness_object, past_run_object
from database.monitoring.history import Freshness, PastRun
from ingest.exit_codes import ExitCode
from web.display.wording import age_in_words, counts_in_words

NONE = "No runs: nothing has been fetched yet."


def write_history(runs: Sequence[PastRun], *, as_json: bool) -> None:
    """Write *runs*; times of the table are UTC."""
    if as_json:
        write_json("run", map(past_run_object, runs))
    elif runs:
        write_table([_in_columns(run) for run in runs])
    else:
        click.echo(NONE)


def _in_columns(past: PastRun) -> dict[str, Any]:
    run = past.run
    return {
        "began (UTC)": utc_time(run.started_at),
        "took": duration(past.seconds),
        "exit": past.state if run.exit_code is None else run.exit_code,
        "requests": f"{run.requests:,}",
        "came to": counts_in_words(run.counts) or "nothing",
    }


def write_age(freshness: Freshness, max_age: timedelta, *, as_json: bool) -> int:
    """
    Write whether the mirror is older than *max_age*, and return the exit code.

    A stale mirror is reported on stderr: with `> /dev/null`, cron mails nothing else.
    """
    is_fresh = freshness.is_within(max_age)
    if as_json:
        write_json("freshness", [freshness_object(freshness, max_age, is_fresh=is_fresh)])
    else:
        message = age_in_words(freshness, max_age)
        if not is_fresh:
            history = suggest_command("monitor_progress.py", "--history")
            message = f"{message} See how the runs ended: {history}"
        stream = sys.stdout if is_fresh else sys.stderr
        click.echo(fitted(message, stream), err=not is_fresh)
    return ExitCode.DONE if is_fresh else ExitCode.STALE
