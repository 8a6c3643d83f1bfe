"""`run` of fetch_yts_data.py: a run, a dry run or the configuration, from the parsed options."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import click

from cli import signals
from cli.command_line import shown_command
from cli.display.events import EventStream, Sink
from cli.display.progress import open_terminal
from cli.display.terminal import fitted, prepare_stdout
from cli.fetch.cluster import read_cluster
from cli.fetch.dry_run_report import forecast_facts, forecast_in_words
from cli.fetch.embedding import embed_after_fetch
from cli.fetch.fork_server import start_fork_server
from cli.fetch.logs import LogFile, MessageLines
from cli.fetch.option_types import POLITE_RATE
from cli.fetch.ping import Watchdog
from cli.fetch.run_settings import OpenApi, max_seconds, requests_per_second, run_settings
from cli.fetch.summary import summarize, summary_facts
from cli.report_errors import report_errors
from cli.show_config import write_config
from cli.signals import leave_on_signals, stop_on_signals
from database.bookkeeping.failures import read_next_attempt
from database.bookkeeping.vacuum import vacuum_overdue_tables
from database.db import DatabaseManager, get_db_manager
from database.embedded.server import default_home
from database.errors import NoDataYet
from database.monitoring.status import describe_database
from ingest.backends.processes import kill_processes
from ingest.dry_run import forecast
from ingest.exit_codes import ExitCode
from ingest.fetch import run_fetch
from ingest.report import RunReport
from ingest.run import Listener
from ingest.stop import Stopped, StopRequest
from yts import __version__
from yts.settings import PUBLIC_API_URLS

SCRIPT = "fetch_yts_data.py"

Options = Mapping[str, Any]


def run(options: Options, open_practice_api: OpenApi) -> None:
    """Run the command with its parsed *options*; --sandbox uses *open_practice_api*."""
    prepare_stdout()
    read_cluster(options)  # Refuses contradictions before anything is opened.
    if options["show_config"]:
        with report_errors(SCRIPT, is_verbose=options["verbose"]):
            _show_config(as_json=options["json"])
        return
    start_fork_server(options)
    messages = _open_messages(options)
    watchdog = Watchdog(None if options["dry_run"] else options["ping"], signals.say_on_stderr)

    def notify(message: str, exit_code: int) -> None:
        with suppress(OSError):
            messages.error(message, exit_code)
        watchdog.finish(exit_code, message)

    with (
        report_errors(SCRIPT, is_verbose=options["verbose"], notify=notify),
        leave_on_signals(say=messages.note),
    ):
        if options["dry_run"]:
            _dry_run(options, messages, open_practice_api)
        else:
            watchdog.start()
            exit_code, summary = _fetch(options, messages, watchdog, open_practice_api)
            watchdog.finish(exit_code, summary)
            signals.exit_now(exit_code)


def _show_config(*, as_json: bool) -> None:
    context = click.get_current_context()
    is_practice = context.params["sandbox"]
    defaults = {
        "api_url": "the sandbox" if is_practice else ", then ".join(PUBLIC_API_URLS),
        "rate": "0" if is_practice else f"{POLITE_RATE:g}",
        "database_url": f"the embedded server in {default_home()}",
    }
    write_config(context, defaults, as_json=as_json)


def _open_messages(options: Options) -> EventStream:
    readers: list[Sink] = [
        MessageLines(is_quiet=options["quiet"])
        if options["json"]
        else open_terminal(is_quiet=options["quiet"])
    ]
    if (path := options["log_file"]) is not None:
        try:
            readers.append(LogFile(path, as_json=options["log_format"] == "json"))
        except OSError as error:
            raise click.BadParameter(str(error), param_hint="--log-file") from error
    return EventStream(readers, requests_per_second(options))


def _dry_run(options: Options, messages: EventStream, open_practice_api: OpenApi) -> None:
    with ExitStack() as stack:
        db: DatabaseManager | None = None
        with suppress(NoDataYet):
            url = options["database_url"]
            db = stack.enter_context(DatabaseManager(url, pool_size=1, create=False))
        settings = run_settings(options, db, stack, open_practice_api)
        result = forecast(settings, db)
        messages.forecast(**forecast_facts(result, settings.rate))
        if not options["json"]:
            typed = [argument for argument in sys.argv[1:] if argument not in {"-n", "--dry-run"}]
            command = shown_command(SCRIPT, typed)
            click.echo(fitted(forecast_in_words(result, settings.rate, command), sys.stdout))


def _fetch(
    options: Options, messages: EventStream, watchdog: Watchdog, open_practice_api: OpenApi
) -> tuple[int, str]:
    """Run a fetch; return its exit code and its summary."""
    again = shown_command(SCRIPT, sys.argv[1:])
    with ExitStack() as stack:
        opened = ExitStack()
        stop = stack.enter_context(stop_on_signals(partial(_release, opened)))
        stack.enter_context(watchdog.hearing_of(stop))
        stack.enter_context(opened)
        db = _open_database(options, opened, stop)
        settings = run_settings(options, db, stack, open_practice_api)
        stack.callback(messages.close)
        messages.start(command=again, version=__version__, database=describe_database(db.url))
        note = messages.note if options["verbose"] else _ignore
        listener = Listener(messages.progress, note, messages.failure, messages.note)
        report = run_fetch(settings, db, again, listener, stop)
        if not (report.exit_code or options["no_embed"] or stop.is_set()):
            embedded = embed_after_fetch(db, messages, stop, options["workers"])
            report = replace(report, exit_code=embedded)
        messages.close()
        summary, facts = _summarize(db, report, again)
        with suppress(BrokenPipeError):
            _write_summary(options, messages, report.exit_code, summary, facts)
    return report.exit_code, summary


def _release(opened: ExitStack) -> None:
    """End the worker processes, and close what would outlive this process."""
    kill_processes()
    opened.close()


def _open_database(options: Options, opened: ExitStack, stop: StopRequest) -> DatabaseManager:
    """Open the database; closing *opened* vacuums it, within --max-duration."""
    stop.end_after(max_seconds(options))
    url = options["database_url"]
    db = opened.enter_context(get_db_manager(database_url=url, sleep=stop.sleep))
    opened.callback(_vacuum, db, stop)
    return db


def _vacuum(db: DatabaseManager, stop: StopRequest) -> None:
    """Vacuum at the end of every run, unless the user has asked it to stop."""
    vacuum_overdue_tables(
        db.engine, is_stopped=lambda: stop.is_set() and stop.reason.exit_code != ExitCode.LIMIT
    )


def _summarize(db: DatabaseManager, report: RunReport, again: str) -> tuple[str, dict[str, Any]]:
    """Return the summary of a run as text, and as the fields of a message."""
    try:
        stats, next_attempt = db.get_stats(), db.run_transaction(read_next_attempt)
    except Stopped:
        summary = f"Ended early ({report.ended_early}) while the database is away."
        return summary, summary_facts(report, None, None)
    summary = summarize(report, stats, again, next_attempt)
    return summary, summary_facts(report, stats, next_attempt)


def _write_summary(
    options: Options,
    messages: EventStream,
    exit_code: int,
    summary: str,
    facts: dict[str, Any],
) -> None:
    messages.summary(**facts)
    if not options["json"] and (exit_code or not options["quiet"]):
        stream = sys.stderr if options["quiet"] else sys.stdout
        click.echo(fitted(summary, stream), err=options["quiet"])


def _ignore(_message: str) -> None:
    pass
