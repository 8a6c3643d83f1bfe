"""`fill_with_practice_data`: fill a database from the practice API, unless it is filled already."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from sqlalchemy.orm import Session

from cli import signals
from cli.command_line import shown_command
from cli.display.events import EventStream
from cli.display.progress import open_terminal
from cli.fetch.embedding import embed_after_fetch
from cli.fetch.run_settings import OpenApi
from cli.signals import say_on_stderr, stop_on_signals
from database.bookkeeping.source import gives_way_to, read_held_source
from database.db import DatabaseManager, get_db_manager
from database.monitoring.history import read_session_freshness
from ingest.fetch import run_fetch
from ingest.run import Listener
from ingest.settings import RunSettings
from ingest.stop import StopRequest


def fill_with_practice_data(options: Mapping[str, Any], open_practice_api: OpenApi) -> None:
    """
    Do what `fetch_yts_data.py --sandbox` does, if there are no practice movies yet.

    A signal, or a fetch that fails, ends the program.

    Raises:
        SourceMismatch: the database holds the real catalogue.
    """
    with ExitStack() as stack:
        opened = ExitStack()
        stop = stack.enter_context(stop_on_signals(opened.close))
        stack.enter_context(opened)
        url = options["database_url"]
        db = opened.enter_context(get_db_manager(database_url=url, sleep=stop.sleep))
        if db.run_transaction(_is_filled):
            return
        if not options["quiet"]:
            say_on_stderr("Filling the database with practice data, which takes some seconds.")
        messages = EventStream([open_terminal(is_quiet=options["quiet"])])
        api_url = stack.enter_context(open_practice_api())
        exit_code = _fetch(db, api_url, messages, stop)
        messages.close()
    if exit_code:
        signals.exit_now(exit_code)


def _is_filled(session: Session) -> bool:
    """Return whether practice data was ever complete; refuses the real catalogue."""
    held = read_held_source(session)
    if held is None:
        return False
    gives_way_to(held, "sandbox")
    return read_session_freshness(session).completed_at is not None


def _fetch(db: DatabaseManager, api_url: str, messages: EventStream, stop: StopRequest) -> int:
    settings = RunSettings((api_url,), db.url, workers=1, threads=8, rate=0, wait_lock_seconds=60)
    listener = Listener(messages.progress, signals.say_nothing, messages.failure, messages.note)
    command = shown_command("serve_movies.py", sys.argv[1:])
    report = run_fetch(settings, db, command, listener, stop)
    return report.exit_code or embed_after_fetch(db, messages, stop, workers=1)
