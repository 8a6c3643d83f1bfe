"""`run` of monitor_progress.py: watch the mirror, or write one report, from the parsed options."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from cli.display.progress_rate import ProgressMeter
from cli.display.terminal import is_live, prepare_stdout
from cli.errors import report_errors
from cli.monitor.failure_table import write_failures
from cli.monitor.html_page import write_page
from cli.monitor.live import Dashboard
from cli.monitor.metrics import write_metrics
from cli.monitor.plain import Blocks, JsonLines
from cli.monitor.polling import look_once, watch_status
from cli.monitor.run_history import write_age, write_history
from cli.signals import leave_on_signals, say_nothing, say_on_stderr
from database.config import read_database_url
from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from database.monitoring.history import read_freshness, read_history
from database.monitoring.overview import read_overview
from database.monitoring.status import describe_database, read_ledger, read_status

Options = Mapping[str, Any]
Report = Callable[[DatabaseManager, Options], None]


def run(options: Options) -> None:
    """Run the command with its parsed *options*."""
    prepare_stdout()
    report = next((report for name, report in REPORTS.items() if options[name]), None)
    # A live view shows by itself that it waits.
    say = say_on_stderr if report or options["once"] else say_nothing
    try:
        with (
            report_errors("monitor_progress.py", is_verbose=options["verbose"]),
            leave_on_signals({signal.SIGINT: 0}, say=say),  # The usual way to leave a monitor.
            ExitStack() as stack,
        ):
            url = read_database_url(options["database_url"])
            db = DatabaseManager(url, pool_size=1, max_overflow=0, create=False)
            stack.enter_context(db)
            if report is not None:
                report(db, options)
            else:
                _watch(db, describe_database(url) if url else "embedded server", options)
    except BrokenPipeError:
        # The reader, such as `head`, has ended; what is still buffered must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _watch(db: DatabaseManager, database: str, options: Options) -> None:
    meter = ProgressMeter()
    with _open_display(options, database) as display:
        for status in watch_status(db, options["interval"].total_seconds()):
            if not isinstance(status, DatabaseNotReady):
                display.show(status, meter.record(status))
            elif options["once"]:
                raise status
            else:
                display.wait(str(status))
            if options["once"]:
                return


def _open_display(options: Options, database: str) -> Blocks | JsonLines | Dashboard:
    """Return the display that fits the options and stdout."""
    if options["json"]:
        return JsonLines()
    if options["once"] or not is_live(sys.stdout):
        return Blocks(database)
    return Dashboard(database, options["interval"].total_seconds())


def _report_failures(db: DatabaseManager, options: Options) -> None:
    ledger = look_once(db, partial(read_ledger, limit=options["limit"]))
    write_failures(ledger, shutil.get_terminal_size().columns, as_json=options["json"])


def _report_history(db: DatabaseManager, options: Options) -> None:
    runs = look_once(db, partial(read_history, limit=options["limit"]))
    write_history(runs, as_json=options["json"])


def _report_age(db: DatabaseManager, options: Options) -> None:
    freshness = look_once(db, read_freshness)
    sys.exit(write_age(freshness, options["max_age"], as_json=options["json"]))


def _report_metrics(db: DatabaseManager, options: Options) -> None:
    status, freshness = look_once(db, read_status), look_once(db, read_freshness)
    write_metrics(status, freshness, options["prometheus"])


def _report_page(db: DatabaseManager, options: Options) -> None:
    write_page(look_once(db, read_overview), options["html"])


#: Option: the report that it asks for.
REPORTS: dict[str, Report] = {
    "failures": _report_failures,
    "history": _report_history,
    "max_age": _report_age,
    "prometheus": _report_metrics,
    "html": _report_page,
}
