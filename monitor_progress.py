#!/usr/bin/env python3
"""Watch a fetch and judge the mirror: `python monitor_progress.py --help`."""

import os
import shutil
import signal
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from console.options import Door
from yts import __version__

if TYPE_CHECKING:  # Everything heavy is imported when it is needed: `--help` needs none of it.
    from console.dashboard import Dashboard
    from console.lines import Blocks, JsonLines
    from database.status import Ledger

EPILOG = """\b
Exit codes: 0 done, also by Ctrl-C; 1 fatal; 2 usage; 5 database not ready; 143 ended by SIGTERM.
"""


@click.command(
    cls=Door,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "YTS",
        "max_content_width": 100,
    },
    epilog=EPILOG,
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 86400),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Pause between two looks.",
)
@click.option("--once", is_flag=True, help="Look once, print plain text, and leave.")
@click.option(
    "--failures", is_flag=True, help="List what failed and when it is tried again, and leave."
)
@click.option("--json", is_flag=True, help="Print a JSON object a line: for each look or failure.")
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
      python monitor_progress.py --failures       what failed, why, and when it is tried again

    It only reads, and never keeps a fetch waiting. While the database is away it waits for it;
    with --once or --failures it says so and leaves with exit code 5.
    """
    from console.exits import errors_in_words  # noqa: PLC0415
    from console.terminal import forgive_unknown_letters  # noqa: PLC0415

    forgive_unknown_letters()
    _leave_orderly_on(signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
    try:
        with errors_in_words("monitor_progress.py", is_verbose=options["verbose"]):
            _watch(options)
    except KeyboardInterrupt:
        # The usual way to leave a monitor.
        sys.exit(0)
    except BrokenPipeError:
        # The reader, as `head`, has seen enough; what is still buffered must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _leave_orderly_on(*numbers: int) -> None:
    """Let these signals end the program as a last line does; ignored ones stay so (nohup)."""
    for number in numbers:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda number, _frame: sys.exit(128 + number))


def _watch(options: dict[str, Any]) -> None:
    from console.pace import PaceMeter  # noqa: PLC0415
    from console.polling import look_once, watch_status  # noqa: PLC0415
    from database.config import read_database_url  # noqa: PLC0415
    from database.db import DatabaseManager  # noqa: PLC0415
    from database.errors import DatabaseNotReady  # noqa: PLC0415
    from database.status import place_of, read_ledger  # noqa: PLC0415

    with ExitStack() as stack:
        url = read_database_url(options["database_url"])
        db = stack.enter_context(DatabaseManager(url, pool_size=1, max_overflow=0))
        if options["failures"]:
            _list_failures(look_once(db, read_ledger), as_json=options["json"])
            return
        place = place_of(url) if url else "embedded server"
        display = _open_display(options, place)
        stack.enter_context(display)
        meter = PaceMeter()
        for answer in watch_status(db, options["interval"]):
            if not isinstance(answer, DatabaseNotReady):
                display.show(answer, meter.take(answer))
            elif options["once"]:
                raise answer
            else:
                display.wait(str(answer))
            if options["once"]:
                return


def _list_failures(ledger: "Ledger", *, as_json: bool) -> None:
    from console.failures import as_json_lines, as_table  # noqa: PLC0415

    columns = shutil.get_terminal_size().columns
    for line in as_json_lines(ledger) if as_json else as_table(ledger, columns):
        click.echo(line)


def _open_display(options: dict[str, Any], place: str) -> "Blocks | JsonLines | Dashboard":
    """Return the display that fits the place."""
    from console.lines import Blocks, JsonLines  # noqa: PLC0415
    from console.terminal import is_live  # noqa: PLC0415

    if options["json"]:
        return JsonLines()
    if options["once"] or not is_live(sys.stdout):
        return Blocks(place)
    from console.dashboard import Dashboard  # noqa: PLC0415

    return Dashboard(place, options["interval"])


if __name__ == "__main__":
    main()
