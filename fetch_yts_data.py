#!/usr/bin/env python3
"""Mirror the YTS movie catalogue into PostgreSQL: `python fetch_yts_data.py --help`."""

import cli.preflight  # noqa: F401 -- ends the program where something is missing

# isort: split

import os
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import click

from cli.options import READ_FILE, WRITTEN_FILE, Command, Duration, exit_codes_epilog
from ingest.exit_codes import ExitCode
from yts import __version__

if TYPE_CHECKING:  # Everything heavy is imported when it is needed: `--help` needs none of it.
    from datetime import timedelta

    from cli.events import EventStream
    from database.db import DatabaseManager
    from ingest.report import BatchReport, RunReport
    from ingest.settings import RunSettings
    from ingest.stop import StopRequest

#: Requests a second against the public API, unless --rate says otherwise.
POLITE_RATE = 2.0

EPILOG = exit_codes_epilog(
    (code for code in ExitCode if code != ExitCode.STALE),
    ending=". After an interruption everything fetched so far is saved",
)


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
    "--max-pages", type=click.IntRange(1), help="List pages (of 50 movies) to read at most."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Processes."
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Concurrent requests of each process.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1, 1000),
    default=500,
    show_default=True,
    help="Movies that a process takes at a time, at the most.",
)
@click.option("--ids", metavar="1-5000,7001", help="Fetch these ids instead of the list.")
@click.option("--no-details", is_flag=True, help="Stop after the list: no cast, no likes.")
@click.option("--update", is_flag=True, help="Read the whole list and write what has changed.")
@click.option("--full", is_flag=True, help="Read the whole list, from its first page on.")
@click.option(
    "--rate",
    type=click.FloatRange(0),
    metavar="N",
    help="Requests a second for all together; 0 is no limit.  "
    f"[default: {POLITE_RATE:g}; sandbox: 0]",
)
@click.option("--api-url", metavar="URL", help="Base URL of the API, as https://yts.gg/api/v2.")
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL to fill; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.option(
    "--sandbox", is_flag=True, help="Use a practice API on this machine, without a network."
)
@click.option(
    "--timeout",
    type=Duration(0.1, 600),
    default="30s",
    show_default=True,
    metavar="30s",
    help="Longest silence of the server; a whole response may take 4 times as long.",
)
@click.option(
    "--audit",
    type=click.IntRange(0),
    default=500,
    show_default=True,
    metavar="N",
    help="Maximum number of ids missing from the list to request at the end; 0 turns it off.",
)
@click.option("--no-embed", is_flag=True, help="Make no vectors for what is new or has changed.")
@click.option("--retry-failed", is_flag=True, help="Take only recorded failures that are due.")
@click.option(
    "--stale-after", type=Duration(), metavar="30d", help="Renew details older than this as well."
)
@click.option(
    "--max-requests", type=click.IntRange(1), metavar="N", help="End after N requests; exit 7."
)
@click.option(
    "--max-duration", type=Duration(), metavar="2h", help="End in order after this time; exit 7."
)
@click.option("--max-errors", metavar="N|P%", help="End when more than this have failed; exit 3.")
@click.option(
    "--wait-lock",
    type=Duration(0, 86400),
    default="0s",
    metavar="2h",
    help="Wait as long for another fetch on this database to end.",
)
@click.option(
    "--cluster", metavar="URL", help="Scheduler of a dask cluster whose workers do the work."
)
@click.option("--cluster-ca", type=READ_FILE, metavar="FILE", help="For tls://: who vouches.")
@click.option("--cluster-cert", type=READ_FILE, metavar="FILE", help="For tls://: our certificate.")
@click.option("--cluster-key", type=READ_FILE, metavar="FILE", help="For tls://: the key to it.")
@click.option(
    "-n", "--dry-run", is_flag=True, help="Say what a run would do; it makes 1 request, as a rule."
)
@click.option("--json", is_flag=True, help="Tell programs on stdout, a JSON object a line.")
@click.option(
    "--log-file",
    type=WRITTEN_FILE,
    metavar="FILE",
    help="Append to FILE how the run goes.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Of the log file.",
)
@click.option(
    "--show-config", is_flag=True, help="Show every option's value and origin, and leave."
)
@click.option("-q", "--quiet", is_flag=True, help="Be silent unless something is wrong.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Say more, such as why a base URL is passed over."
)
@click.version_option(__version__, prog_name="yts-mirror")
def main(**options: Any) -> None:
    """
    Mirror the YTS movie catalogue into PostgreSQL: facts, genres, cast, torrent metadata.

    \b
    Examples:
      python fetch_yts_data.py --sandbox           practice data, offline
      python fetch_yts_data.py                     everything, then what is new
      python fetch_yts_data.py --no-details        the list only: 1,551 requests
      python fetch_yts_data.py --ids 1-5000,7001   these movies by their ids
      python fetch_yts_data.py -q                  for cron: silent success

    Run it again at any time: stored movies are skipped, an interrupted run goes on where it
    ended. Every option can be set by the environment or in a file .env, as YTS_MAX_PAGES=10.
    """
    from cli.errors import report_errors  # noqa: PLC0415
    from cli.signals import leave_on_signals  # noqa: PLC0415
    from cli.terminal import prepare_stdout  # noqa: PLC0415

    prepare_stdout()
    _check(options)
    if options["show_config"]:
        with report_errors("fetch_yts_data.py", is_verbose=options["verbose"]):
            _show_config(as_json=options["json"])
        return
    messages = _open_messages(options)
    with (
        report_errors("fetch_yts_data.py", is_verbose=options["verbose"], tell=messages.error),
        leave_on_signals(say=messages.note),
    ):
        if options["dry_run"]:
            _foresee(options, messages)
        else:
            _fetch(options, messages)


def _check(options: dict[str, Any]) -> None:
    """Refuse what cannot be meant, before anything is opened for it."""
    from ingest.error_limit import parse_error_limit  # noqa: PLC0415
    from ingest.plan import parse_ids  # noqa: PLC0415
    from yts.settings import parse_api_url  # noqa: PLC0415

    if options["api_url"] and options["sandbox"]:
        raise click.UsageError("--sandbox brings its own API; leave out --api-url.")
    if options["ids"] and options["retry_failed"]:
        raise click.UsageError("--ids and --retry-failed name different movies; leave out one.")
    parsers = {"api_url": parse_api_url, "ids": parse_ids, "max_errors": parse_error_limit}
    for name, parse in parsers.items():
        try:
            options[name] = None if options[name] is None else parse(options[name])
        except ValueError as error:
            hint = f"--{name.replace('_', '-')}"
            raise click.BadParameter(str(error), param_hint=hint) from error
    if any(told is not None for name, told in options.items() if name.startswith("cluster")):
        from cli.fetch.cluster import read_cluster  # noqa: PLC0415 -- with SQLAlchemy behind it

        options["cluster"] = read_cluster(options)


def _show_config(*, as_json: bool) -> None:
    from cli.show_config import write_config  # noqa: PLC0415
    from database.embedded.server import default_home  # noqa: PLC0415
    from yts.settings import PUBLIC_API_URLS  # noqa: PLC0415

    context = click.get_current_context()
    is_practice = context.params["sandbox"]
    defaults = {
        "api_url": "the sandbox" if is_practice else ", then ".join(PUBLIC_API_URLS),
        "rate": "0" if is_practice else f"{POLITE_RATE:g}",
        "database_url": f"the embedded server in {default_home()}",
    }
    write_config(context, defaults, as_json=as_json)


def _open_messages(options: dict[str, Any]) -> "EventStream":
    from cli.events import EventStream, Sink  # noqa: PLC0415

    readers: list[Sink] = []
    if options["json"]:
        from cli.fetch.logs import MessageLines  # noqa: PLC0415

        readers.append(MessageLines(is_quiet=options["quiet"]))
    else:
        from cli.progress import open_terminal  # noqa: PLC0415

        readers.append(open_terminal(is_quiet=options["quiet"]))
    if (path := options["log_file"]) is not None:
        from cli.fetch.logs import LogFile  # noqa: PLC0415

        try:
            readers.append(LogFile(path, as_json=options["log_format"] == "json"))
        except OSError as error:
            raise click.BadParameter(str(error), param_hint="--log-file") from error
    return EventStream(readers, _rate(options))


def _foresee(options: dict[str, Any], messages: "EventStream") -> None:
    from cli.command_line import shown_command  # noqa: PLC0415
    from cli.fetch.dry_run_report import forecast_facts, forecast_in_words  # noqa: PLC0415
    from cli.terminal import fitted  # noqa: PLC0415
    from database.db import DatabaseManager  # noqa: PLC0415
    from database.errors import NoDataYet  # noqa: PLC0415
    from ingest.dry_run import forecast  # noqa: PLC0415

    with ExitStack() as stack:
        db: DatabaseManager | None = None
        with suppress(NoDataYet):
            url = options["database_url"]
            db = stack.enter_context(DatabaseManager(url, pool_size=1, create=False))
        settings = _settings(options, db, stack)
        told = forecast(settings, db)
        messages.forecast(**forecast_facts(told, settings.rate))
        if not options["json"]:
            typed = [it for it in sys.argv[1:] if it not in {"-n", "--dry-run"}]
            run = shown_command("fetch_yts_data.py", typed)
            click.echo(fitted(forecast_in_words(told, settings.rate, run), sys.stdout))


def _warm_up(options: dict[str, Any]) -> None:
    """Let the imports of the workers go on beside those of this process."""
    from database.connection.libpq_environment import hide_libpq_environment  # noqa: PLC0415
    from ingest.backends.processes import warm_up  # noqa: PLC0415

    if not (options["database_url"] or os.environ.get("DATABASE_URL_FILE")):
        hide_libpq_environment()  # Before the workers inherit it.
    if options["workers"] > 1 and options["cluster"] is None:
        warm_up()


def _fetch(options: dict[str, Any], messages: "EventStream") -> None:
    _warm_up(options)
    from dataclasses import replace  # noqa: PLC0415

    from cli.command_line import shown_command  # noqa: PLC0415
    from cli.fetch.embedding import embed_after_fetch  # noqa: PLC0415
    from cli.signals import exit_now, stop_on_signals  # noqa: PLC0415
    from database.monitoring.status import describe_database  # noqa: PLC0415
    from ingest.fetch import run_fetch  # noqa: PLC0415
    from ingest.run import Listener  # noqa: PLC0415

    again = shown_command("fetch_yts_data.py", sys.argv[1:])
    with ExitStack() as stack:
        opened = ExitStack()
        stop = stack.enter_context(stop_on_signals(opened.close))
        stack.enter_context(opened)
        db = _open_database(options, opened, stop)
        settings = _settings(options, db, stack)
        stack.callback(messages.close)
        messages.start(command=again, version=__version__, database=describe_database(db.url))
        note = messages.note if options["verbose"] else _ignore
        listener = Listener(messages.progress, note, messages.failure, messages.note)
        report = run_fetch(settings, db, again, listener, stop)
        if not (report.exit_code or options["no_embed"] or stop.is_set()):
            embedded = embed_after_fetch(db, messages, stop, options["workers"])
            report = replace(report, exit_code=embedded)
        messages.close()
        with suppress(BrokenPipeError):
            _tell_summary(options, messages, db, report, again)
    exit_now(report.exit_code)


def _open_database(
    options: dict[str, Any], opened: ExitStack, stop: "StopRequest"
) -> "DatabaseManager":
    """Open the database in *opened*, which vacuums it in the end, within --max-duration."""
    from database.db import get_db_manager  # noqa: PLC0415

    stop.end_after(_max_seconds(options))
    url = options["database_url"]
    db = opened.enter_context(get_db_manager(database_url=url, sleep=stop.sleep))
    opened.callback(_vacuum, db, stop)
    return db


def _vacuum(db: "DatabaseManager", stop: "StopRequest") -> None:
    """Vacuum at the end of every run, except one that the user wants to end now."""
    from database.bookkeeping.vacuum import vacuum_overdue_tables  # noqa: PLC0415

    vacuum_overdue_tables(
        db.engine, is_stopped=lambda: stop.is_set() and stop.reason.exit_code != ExitCode.LIMIT
    )


def _tell_summary(
    options: dict[str, Any],
    messages: "EventStream",
    db: "DatabaseManager",
    report: "RunReport",
    again: str,
) -> None:
    from cli.fetch.summary import summarize, summary_facts  # noqa: PLC0415
    from cli.terminal import fitted  # noqa: PLC0415
    from database.bookkeeping.failures import read_next_attempt  # noqa: PLC0415
    from ingest.stop import Stopped  # noqa: PLC0415

    try:
        stats, next_attempt = db.get_stats(), db.run_transaction(read_next_attempt)
        words = summarize(report, stats, again, next_attempt)
    except Stopped:
        stats, next_attempt = None, None
        words = f"Ended early ({report.ended_early}) while the database is away."
    messages.summary(**summary_facts(report, stats, next_attempt))
    if not options["json"] and (report.exit_code or not options["quiet"]):
        stream = sys.stderr if options["quiet"] else sys.stdout
        click.echo(fitted(words, stream), err=options["quiet"])


def _settings(
    options: dict[str, Any], db: "DatabaseManager | None", stack: ExitStack
) -> "RunSettings":
    """Return what a run is told; without *db*, which only a dry run lacks, no URL of it."""
    from sqlalchemy import URL  # noqa: PLC0415

    from ingest.settings import RunSettings  # noqa: PLC0415

    return RunSettings(
        api_urls=_api_urls(options, stack),
        database_url=db.url if db else URL.create("postgresql"),
        workers=options["workers"],
        cluster=options["cluster"],
        threads=options["threads"],
        batch_size=options["batch_size"],
        rate=_rate(options),
        timeout_seconds=options["timeout"].total_seconds(),
        max_pages=options["max_pages"],
        ids=options["ids"],
        details=not options["no_details"],
        update=options["update"],
        full=options["full"],
        retry_failed=options["retry_failed"],
        audit=options["audit"],
        stale_after=options["stale_after"],
        max_requests=options["max_requests"],
        max_seconds=_max_seconds(options),
        max_errors=options["max_errors"],
        wait_lock_seconds=options["wait_lock"].total_seconds(),
    )


def _rate(options: dict[str, Any]) -> float:
    """Return the requests a second that a run may make; 0 is no limit."""
    told: float | None = options["rate"]
    return told if told is not None else 0.0 if options["sandbox"] else POLITE_RATE


def _max_seconds(options: dict[str, Any]) -> float | None:
    limit: timedelta | None = options["max_duration"]
    return None if limit is None else limit.total_seconds()


def _api_urls(options: dict[str, Any], stack: ExitStack) -> tuple[str, ...]:
    from yts.settings import PUBLIC_API_URLS  # noqa: PLC0415

    if options["sandbox"]:
        from sandbox.api.server import open_sandbox  # noqa: PLC0415
        from sandbox.settings import SandboxSettings  # noqa: PLC0415

        return (stack.enter_context(open_sandbox(SandboxSettings())).url,)
    if options["api_url"] is None:
        return PUBLIC_API_URLS
    return (options["api_url"],)


def _ignore(_sentence: str) -> None:
    pass


def _default_settings(db: "DatabaseManager") -> "RunSettings":
    """Return the settings of a run without flags, from the environment alone."""
    with main.make_context("fetch_yts_data.py", []) as context, ExitStack() as stack:
        return _settings(context.params, db, stack)


def fetch_movie_details(movie_id: int) -> dict[str, Any] | None:
    """
    Fetch one movie with its cast, as YTS gives it; None where YTS has none of this id.

    For a few movies by hand: it takes no slot of the shared request budget.

    Raises:
        yts.errors.YtsError: no usable answer.
    """
    from yts.client import YtsClient  # noqa: PLC0415
    from yts.settings import PUBLIC_API_URLS, ClientSettings  # noqa: PLC0415

    client = YtsClient(ClientSettings(os.environ.get("YTS_API_URL", PUBLIC_API_URLS[0])))
    movie = client.fetch_details(movie_id)
    client.close()
    return None if movie is None else movie.model_dump(mode="json", exclude_unset=True)


def process_movie_batch(ids: list[int]) -> "BatchReport":
    """
    Fetch and save the movies with these ids, in this process; stored ones are skipped.

    Raises:
        DatabaseNotReady: the database cannot be used.
    """
    from dataclasses import replace  # noqa: PLC0415

    from database.db import get_db_manager  # noqa: PLC0415
    from ingest.plan import MovieBatch  # noqa: PLC0415
    from ingest.stop import StopRequest  # noqa: PLC0415
    from ingest.worker.worker import Worker  # noqa: PLC0415

    with get_db_manager(pool_size=2, max_overflow=5) as db:
        # Requests are limited from the beginning of a run on, and this is none.
        settings = replace(_default_settings(db), max_requests=None, cluster=None)
        with Worker(settings, settings.api_urls[0], None, StopRequest()) as worker:
            return worker.run_batch(MovieBatch(tuple(ids)))


if __name__ == "__main__":
    main()
