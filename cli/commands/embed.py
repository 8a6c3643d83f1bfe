"""`run` of embed_movies.py: make missing or outdated vectors, store them and report progress."""

import sys
from collections.abc import Mapping
from typing import Any

from cli.display.events import EventStream
from cli.display.progress import open_terminal
from cli.display.text import duration
from cli.report_errors import report_errors
from cli.signals import leave_on_signals, say_nothing, say_on_stderr
from database.db import get_db_manager
from embeddings.index import embed_all


def run(options: Mapping[str, Any]) -> None:
    """Run the command with its parsed *options*."""
    say = say_nothing if options["quiet"] else say_on_stderr
    with (
        report_errors("embed_movies.py", is_verbose=options["verbose"]),
        leave_on_signals(say=say),
    ):
        _embed(options)


def _embed(options: Mapping[str, Any]) -> None:
    is_quiet = options["quiet"]
    with get_db_manager(database_url=options["database_url"]) as db:
        messages = EventStream([open_terminal(is_quiet=is_quiet)])
        try:
            report = embed_all(
                db,
                options["model"],
                is_rebuild=options["rebuild"],
                workers=options["workers"],
                progress=lambda done, total: messages.phase("vectors", done, total),
            )
        finally:
            messages.close()
    if not is_quiet:
        sys.stderr.write(f"{report.embedded:,} movies embedded in {duration(report.seconds)}.\n")
