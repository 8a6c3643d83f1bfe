"""`start_fork_server`: start the server that forks the workers, while nothing is open yet."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from database.connection.libpq_environment import hide_libpq_environment
from ingest.backends.processes import warm_up


def start_fork_server(options: Mapping[str, Any]) -> None:
    """
    Start it for a run with worker processes on this machine; *options* are those of the run.

    The server is a fork of this process, which has no thread and no connection to a database yet.
    """
    if options["dry_run"]:
        return
    if not (options["database_url"] or os.environ.get("DATABASE_URL_FILE")):
        hide_libpq_environment()  # Done before the workers inherit the environment.
    if options["workers"] > 1 and options["cluster"] is None:
        with suppress(OSError):  # The pool tries again, and reports the error.
            warm_up()
