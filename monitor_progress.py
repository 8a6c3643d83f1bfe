#!/usr/bin/env python3
"""Watch a fetch and judge the mirror: `python monitor_progress.py --help`."""

import cli.preflight  # noqa: F401 -- ends the program where something is missing

# isort: split

import os
import shutil
import signal
import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.options import WRITTEN_FILE, Command, Duration
from yts import __version__

if TYPE_CHECKING:  # Everything heavy is imported when it is needed: `--help` needs none of it.
    from cli.monitor.live import Dashboard
    from cli.monitor.plain import Blocks, JsonLines
    from database.db import DatabaseManager

EPILOG = """
Exit codes: 0 done, also by Ctrl-C; 1 fatal; 2 usage; 5 database not ready; 8 older than --max-age;
143 ended by SIGTERM.
"""
#: Options that look once at something else than the status, and leave; one at a time.
_REPORTS = ("failures", "history", "max_age", "prometheus", "html")


@click.command(
    cls=Command,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "YTS",
        "max_content_width": 100,
    },
    epilog=EPILOG,
)
@click.option(
    "--interval",
    type=Duration(0.1, 86400),
    default="2s",
    show_default=True,
    metavar="2s",
    help="Pause between two looks.",
)
@click.option("--once", is_flag=True, help="Look once, print plain text, and leave.")
@click.option(
    "--failures", is_flag=True, help="List what failed and when it is tried again, and leave."
)
@click.option("--history", is_flag=True, help="List all runs, the last first, and leave.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="List at most N, with --failures or --history.  [default: all]",
)
@click.option(
    "--max-age",
    type=Duration(),
    metavar="26h",
    help="Leave with exit code 8 if the last complete run ended longer ago.",
)
@click.option(
    "--prometheus",
    type=WRITTEN_FILE,
    metavar="FILE",
    help="Write metrics for the node exporter's textfile collector, and leave.",
)
@click.option(
    "--html",
    type=WRITTEN_FILE,
    metavar="FILE",
    help="Write a page with charts, complete in itself, and leave.",
)
@click.option(
    "--json", is_flag=True, help="Print a JSON object a line: for each look, failure or run."
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL to look at; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more where the program itself breaks.")
@click.version_option(__version__, prog_name="yts-mirror")
def main(**options: Any) -> None:
    """
    Watch a fetch and judge the mirror: totals, rate, ETA, details coverage, newest movies.

    \b
    Examples:
      python monitor_progress.py                  a live view; Ctrl-C leaves
      python monitor_progress.py --once           how the mirror stands now
      python monitor_progress.py --once --json    the same for programs
      python monitor_progress.py --json >> log    a line every two seconds
      python monitor_progress.py --failures       what failed and when it is due
      python monitor_progress.py --max-age 26h    exit code 8 if it is older

    It only reads, and never keeps a fetch waiting. While the database is away it waits for it;
    when it is to look once, it says so and leaves with exit code 5.
    """
    if len(reports := [name for name in _REPORTS if options[name]]) > 1:
        first, second, *_ = (f"--{name.replace('_', '-')}" for name in reports)
        raise click.UsageError(f"{first} and {second} are two different looks; leave out one.")
    if options["limit"] and not (options["failures"] or options["history"]):
        raise click.UsageError("--limit is for --failures and --history.")
    from cli.errors import report_errors  # noqa: PLC0415
    from cli.signals import leave_on_signals, say_nothing, say_on_stderr  # noqa: PLC0415
    from cli.terminal import prepare_stdout  # noqa: PLC0415

    prepare_stdout()
    # A live view shows by itself that it waits.
    is_report = options["once"] or any(options[name] for name in _REPORTS)
    say = say_on_stderr if is_report else say_nothing
    try:
        with (
            report_errors("monitor_progress.py", is_verbose=options["verbose"]),
            leave_on_signals({signal.SIGINT: 0}, say=say),  # The usual way to leave a monitor.
        ):
            _watch(options)
    except BrokenPipeError:
        # The reader, as `head`, has seen enough; what is still buffered must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _watch(options: dict[str, Any]) -> None:
    from cli.monitor.polling import watch_status  # noqa: PLC0415
    from cli.progress_rate import ProgressMeter  # noqa: PLC0415
    from database.config import read_database_url  # noqa: PLC0415
    from database.db import DatabaseManager  # noqa: PLC0415
    from database.errors import DatabaseNotReady  # noqa: PLC0415
    from database.monitoring.status import describe_database  # noqa: PLC0415

    with ExitStack() as stack:
        url = read_database_url(options["database_url"])
        db = stack.enter_context(DatabaseManager(url, pool_size=1, max_overflow=0, create=False))
        if any(options[name] for name in _REPORTS):
            _report(db, options)
            return
        place = describe_database(url) if url else "embedded server"
        display = _open_display(options, place)
        stack.enter_context(display)
        meter = ProgressMeter()
        for answer in watch_status(db, options["interval"].total_seconds()):
            if not isinstance(answer, DatabaseNotReady):
                display.show(answer, meter.take(answer))
            elif options["once"]:
                raise answer
            else:
                display.wait(str(answer))
            if options["once"]:
                return


def _report(db: "DatabaseManager", options: dict[str, Any]) -> None:
    from cli.monitor.polling import look_once  # noqa: PLC0415
    from cli.monitor.run_history import write_age, write_history  # noqa: PLC0415
    from database.monitoring.history import read_freshness, read_history  # noqa: PLC0415
    from database.monitoring.status import read_ledger, read_status  # noqa: PLC0415

    as_json = options["json"]
    if options["failures"]:
        from cli.monitor.failure_table import write_failures  # noqa: PLC0415

        columns = shutil.get_terminal_size().columns
        ledger = look_once(db, partial(read_ledger, limit=options["limit"]))
        write_failures(ledger, columns, as_json=as_json)
    elif options["history"]:
        runs = look_once(db, partial(read_history, limit=options["limit"]))
        write_history(runs, as_json=as_json)
    elif options["max_age"]:
        freshness = look_once(db, read_freshness)
        sys.exit(write_age(freshness, options["max_age"], as_json=as_json))
    elif options["prometheus"]:
        from cli.monitor.metrics import write_metrics  # noqa: PLC0415

        status, freshness = look_once(db, read_status), look_once(db, read_freshness)
        write_metrics(status, freshness, options["prometheus"])
    else:
        from cli.monitor.html_page import write_page  # noqa: PLC0415
        from database.monitoring.overview import read_overview  # noqa: PLC0415

        write_page(look_once(db, read_overview), options["html"])


def _open_display(options: dict[str, Any], place: str) -> "Blocks | JsonLines | Dashboard":
    """Return the display that fits the place."""
    from cli.monitor.plain import Blocks, JsonLines  # noqa: PLC0415
    from cli.terminal import is_live  # noqa: PLC0415

    if options["json"]:
        return JsonLines()
    if options["once"] or not is_live(sys.stdout):
        return Blocks(place)
    from cli.monitor.live import Dashboard  # noqa: PLC0415

    return Dashboard(place, options["interval"].total_seconds())


if __name__ == "__main__":
    main()
