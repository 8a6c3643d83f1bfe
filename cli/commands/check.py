"""`run` of test_db_connection.py: prepare and check the database, and print checks and totals."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from cli.display.terminal import marks, prepare_stdout
from cli.display.text import aligned, printable
from cli.monitor.wording import local_time
from cli.report_errors import report_errors
from cli.signals import leave_on_signals
from database.db import DatabaseManager
from database.errors import DatabaseNotReady, InvalidDatabaseUrl
from database.monitoring.prepare_and_check import Check, prepare_and_check
from ingest.exit_codes import ExitCode


def run(database_url: str | None, *, is_verbose: bool) -> None:
    """Check the database of *database_url*, and exit."""
    prepare_stdout()
    with report_errors("test_db_connection.py", is_verbose=is_verbose), leave_on_signals():
        exit_code = _check(database_url)
    sys.exit(exit_code)


def _check(database_url: str | None) -> int:
    """Print the checks and totals, and return the exit code."""
    try:
        with DatabaseManager(database_url) as db:
            checks = prepare_and_check(db)
            is_ready = all(check.is_ok for check in checks)
            _show(checks)
            if is_ready:
                click.echo(f"Statistics\n{_in_columns(db.get_stats())}")
            return ExitCode.DONE if is_ready else ExitCode.NOT_READY
    except (InvalidDatabaseUrl, DatabaseNotReady) as error:
        _show([Check("connection", is_ok=False, message=str(error))])
        return ExitCode.USAGE if isinstance(error, InvalidDatabaseUrl) else ExitCode.NOT_READY


def _show(checks: Sequence[Check]) -> None:
    good, bad = marks()
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark = good if check.is_ok else bad
        click.echo(f"{mark} {check.name:<{width}}  {printable(check.message)}")


def _in_columns(stats: Mapping[str, Any]) -> str:
    """Return *stats* as aligned lines of names and values."""
    numbers = {
        name: f"{value:,}" for name, value in stats.items() if isinstance(value, int | float)
    }
    width = max(len(number) for number in numbers.values())
    rows = [
        (
            name.removeprefix("total_").replace("_", " "),
            f"{numbers[name]:>{width}}" if name in numbers else local_time(value) if value else "-",
        )
        for name, value in stats.items()
    ]
    return aligned(rows)
