"""`run` of serve_movies.py: open the database, serve until a signal, and report addresses."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import click
from sqlalchemy import URL

from cli import signals
from cli.commands.practice import fill_with_practice_data
from cli.fetch.run_settings import OpenApi
from cli.report_errors import report_errors
from cli.signals import leave_on_signals, say_on_stderr
from database.db import DatabaseManager
from database.embedded.home import is_embedded
from database.errors import DatabaseNotReady
from database.monitoring.status import read_only_session
from database.schema import require_schema
from web.guards import is_loopback
from web.server import serve
from web.settings import ServerSettings

_ADDRESSES = """\
Serving the mirror. Open or use:
  {root}/                          pages for people
  {root}/api/v2/list_movies.json   the YTS API
  {root}/api/v1/                   an API of its own
  {root}/healthz                   health
Ctrl-C ends it.
"""
#: Pause between two looks at the embedded server.
_SECONDS_BETWEEN_LOOKS = 5.0
#: How long the end waits for a server that is just being started.
_SECONDS_TO_END = 10.0


def run(options: Mapping[str, Any], open_practice_api: OpenApi) -> None:
    """Run the command with its parsed *options*; --sandbox uses *open_practice_api*."""
    settings = read_settings(options)
    if settings.logs_access:
        logging.basicConfig(format="%(asctime)s %(message)s")
        logging.getLogger("aiohttp.access").setLevel(logging.INFO)
    with (
        report_errors("serve_movies.py", is_verbose=options["verbose"]),
        ExitStack() as stack,
    ):
        with leave_on_signals():
            if options["sandbox"]:
                fill_with_practice_data(options, open_practice_api)
            db = DatabaseManager(options["database_url"], pool_size=1, max_overflow=0, create=False)
            stack.enter_context(db)
            with read_only_session(db) as session:
                require_schema(session)
        stack.enter_context(_keep_running(db))
        exit_code = asyncio.run(_serve(db.url, settings, is_quiet=options["quiet"]))
    # A thread may still wait for PostgreSQL.
    signals.exit_now(exit_code)


def read_settings(options: Mapping[str, Any]) -> ServerSettings:
    """Return the settings of parsed *options* and of the variable with the key."""
    return ServerSettings(
        host=options["host"],
        port=options["port"],
        connections=options["connections"],
        movie_bytes=options["cache_mb"] << 20,
        allowed_hosts=frozenset(options["allow_host"]),
        base_path=options["base_path"],
        api_key=_read_key(),
        logs_access=options["access_log"],
        cors=options["cors"],
        has_own_urls=options["urls"] == "own",
        has_posters=not options["no_posters"],
    )


def _read_key() -> str:
    """Return the key that requests need; empty if there is none."""
    text = os.environ.get("YTS_API_KEY")
    if text is not None and not text.strip():
        raise click.UsageError(
            "The variable YTS_API_KEY is empty. Set it to a key, or unset it for a server without "
            "one."
        )
    return (text or "").strip()


@contextmanager
def _keep_running(db: DatabaseManager) -> Iterator[None]:
    """Start the embedded database again while the block runs, should its server end."""
    ended = threading.Event()

    def watch() -> None:
        problem = ""
        while not ended.wait(_SECONDS_BETWEEN_LOOKS):
            try:
                if db.start_if_ended():
                    problem = ""
                    say_on_stderr("The embedded PostgreSQL had ended, and was started again.")
            except DatabaseNotReady as error:
                if str(error) != problem:
                    problem = str(error)
                    say_on_stderr(problem)

    thread = threading.Thread(target=watch, name="embedded", daemon=True)
    if is_embedded(db.url):
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if thread.is_alive():
            thread.join(_SECONDS_TO_END)


async def _serve(url: URL, settings: ServerSettings, *, is_quiet: bool) -> int:
    """Serve until a signal; return the exit code that belongs to it."""
    stop = asyncio.Event()
    numbers: list[int] = []

    def hear(number: int) -> None:
        if numbers:
            os._exit(128 + number)
        numbers.append(number)
        if not is_quiet:
            say_on_stderr("Stopping: requests under way are being finished (at most 5 s).")
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, partial(hear, number))
    await serve(
        url,
        settings,
        opened=partial(_report_addresses, is_quiet=is_quiet),
        stop=stop,
        report=say_on_stderr,
    )
    # Ctrl-C is the usual way to end a server.
    return 0 if numbers == [signal.SIGINT] else 128 + numbers[0]


def _report_addresses(root: str, *, is_quiet: bool) -> None:
    if not is_quiet:
        host = urlsplit(root).hostname or ""
        if not is_loopback(host):
            say_on_stderr(f"Warning: other machines can reach this server at {host}.")
        sys.stderr.write(_ADDRESSES.format(root=root))
        sys.stderr.flush()
