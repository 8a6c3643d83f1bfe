"""`start_fork_server`: start the server that forks the workers, while nothing is open yet."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cli.early_start import uses_embedded_server
from database.connection.libpq_environment import hide_libpq_environment
from ingest.backends.processes import warm_up


def start_fork_server(options: Mapping[str, Any]) -> None:
    """
    Start it for a run with worker processes on this machine; *options* are those of the run.

    The server is a fork of this process, which has no thread and no connection to a database yet.
    """
    if options["dry_run"]:
        return
    if uses_embedded_server(options["database_url"]):
        hide_libpq_environment()  # Done before the workers inherit the environment.
    if options["workers"] > 1 and options["cluster"] is None:
        with suppress(OSError):  # The pool tries again, and reports the error.
            warm_up()
