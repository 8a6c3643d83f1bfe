"""`run_settings`: the options of a fetch as `RunSettings`; opens the practice API for --sandbox."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from typing import Any

from sqlalchemy import URL

from cli.fetch.cluster import read_cluster
from cli.fetch.option_types import POLITE_RATE
from database.db import DatabaseManager
from ingest.settings import RunSettings
from yts.settings import PUBLIC_API_URLS

#: Opens the practice API and yields its base URL.
OpenApi = Callable[[], AbstractContextManager[str]]


def run_settings(
    options: Mapping[str, Any],
    db: DatabaseManager | None,
    stack: ExitStack,
    open_practice_api: OpenApi,
) -> RunSettings:
    """
    Return the settings of a run; --sandbox opens the practice API, and *stack* closes it.

    Without *db*, which only a dry run lacks, they have no URL of a database.
    """
    return RunSettings(
        api_urls=_api_urls(options, stack, open_practice_api),
        database_url=db.url if db else URL.create("postgresql"),
        workers=options["workers"],
        cluster=read_cluster(options),
        threads=options["threads"],
        batch_size=options["batch_size"],
        rate=requests_per_second(options),
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
        max_seconds=max_seconds(options),
        max_errors=options["max_errors"],
        wait_lock_seconds=options["wait_lock"].total_seconds(),
    )


def requests_per_second(options: Mapping[str, Any]) -> float:
    """Return the requests a second that a run may make; 0 means no limit."""
    rate: float | None = options["rate"]
    return rate if rate is not None else 0.0 if options["sandbox"] else POLITE_RATE


def max_seconds(options: Mapping[str, Any]) -> float | None:
    """Return the seconds of --max-duration; None means no limit."""
    limit: timedelta | None = options["max_duration"]
    return None if limit is None else limit.total_seconds()


def _api_urls(
    options: Mapping[str, Any], stack: ExitStack, open_practice_api: OpenApi
) -> tuple[str, ...]:
    if options["sandbox"]:
        return (stack.enter_context(open_practice_api()),)
    return PUBLIC_API_URLS if options["api_url"] is None else (options["api_url"],)
