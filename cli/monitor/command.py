"""`run` of monitor_progress.py: watch the mirror, or write one report, from the parsed options."""

import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from cli import signals
from cli.display.progress_rate import ProgressMeter
from cli.display.terminal import is_live, prepare_stdout
from cli.monitor.failure_table import write_failures
from cli.monitor.plain import Blocks, JsonLines
from cli.monitor.polling import look_once, watch_status
from cli.monitor.run_history import write_age, write_history
from cli.output import reader_may_leave
from cli.report_errors import report_errors
from cli.signals import leave_on_signals, say_nothing, say_on_stderr
from database.config import read_database_url
from database.errors import DatabaseNotReady
from database.monitoring.history import read_freshness, read_history
from database.monitoring.status import describe_database, read_ledger, read_status
from database.sessions import Database
from ingest.exit_codes import ExitCode

if TYPE_CHECKING:
    from cli.monitor.live import Dashboard

Options = Mapping[str, Any]
Report = Callable[[Database, Options], None]


def run(options: Options) -> None:
    """Run the command with its parsed *options*."""
    prepare_stdout()
    report = next((report for name, report in REPORTS.items() if options[name]), None)
    is_file = bool(options["prometheus"] or options["html"])
    # A live view shows waits itself.
    say = say_on_stderr if report or is_file or options["once"] else say_nothing
    with (
        reader_may_leave(),
        report_errors("monitor_progress.py", is_verbose=options["verbose"]),
        leave_on_signals({signal.SIGINT: 0}, say=say),  # The usual way to leave a monitor.
        ExitStack() as stack,
    ):
        url = read_database_url(options["database_url"])
        db = Database(url, pool_size=1, max_overflow=0, create=False)
        stack.enter_context(db)
        database = describe_database(url) if url else "embedded server"
        display = _plain_display(options, database)
        if report is not None:
            report(db, options)
        elif is_file or display is None:
            _render(db, database, options)
        else:
            _watch(db, display, options)
    signals.exit_now(ExitCode.DONE)


def _plain_display(options: Options, database: str) -> Blocks | JsonLines | None:
    """Return the display of text or JSON; None if the options and stdout allow the live view."""
    if options["json"]:
        return JsonLines()
    return Blocks(database) if options["once"] or not is_live(sys.stdout) else None


def _watch(db: Database, display: "Blocks | JsonLines | Dashboard", options: Options) -> None:
    meter = ProgressMeter()
    for status in watch_status(db, options["interval"].total_seconds()):
        if not isinstance(status, DatabaseNotReady):
            display.show(status, meter.record(status))
        elif options["once"]:
            raise status
        else:
            display.wait(str(status))
        if options["once"]:
            return


def _report_failures(db: Database, options: Options) -> None:
    ledger = look_once(db, partial(read_ledger, limit=options["limit"]))
    write_failures(ledger, shutil.get_terminal_size().columns, as_json=options["json"])


def _report_history(db: Database, options: Options) -> None:
    runs = look_once(db, partial(read_history, limit=options["limit"]))
    write_history(runs, as_json=options["json"])


def _report_age(db: Database, options: Options) -> None:
    freshness = look_once(db, read_freshness)
    sys.exit(write_age(freshness, options["max_age"], as_json=options["json"]))


def _render(db: Database, database: str, options: Options) -> None:
    """Write a file or show the live view, with libraries that the other reports do not need."""
    from cli.monitor import html_page, live, metrics  # noqa: PLC0415 -- Jinja, rich, Prometheus

    if options["prometheus"]:
        status, freshness = look_once(db, read_status), look_once(db, read_freshness)
        metrics.write_metrics(status, freshness, options["prometheus"])
    elif options["html"]:
        html_page.write_page(db, options["html"])
    else:
        with live.Dashboard(database, options["interval"].total_seconds()) as dashboard:
            _watch(db, dashboard, options)


#: Options with their reports, if these need no library of their own.
REPORTS: dict[str, Report] = {
    "failures": _report_failures,
    "history": _report_history,
    "max_age": _report_age,
}
