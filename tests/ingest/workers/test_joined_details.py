"""Without a limit of the rate, workers fetch details together with the list pages."""

from collections.abc import Callable

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from ingest.plan import ListPage, PageBatch
from ingest.report import BatchReport
from ingest.settings import RunSettings
from ingest.stop import StopRequest
from ingest.worker.worker import Worker
from tests.support.databases import table_contents
from tests.support.runs import ROWS, fetch, is_whole, read_sql, refuse
from tests.support.servers.scripted_source import ScriptedSource

#: More pages than a run reads in its main process.
PAGES = 7
#: A limit that no run of this length meets: the whole list comes first.
FAST = 100_000.0
WITH_DETAILS = "SELECT external_id FROM movies WHERE details_fetched_at IS NOT NULL ORDER BY 1"
FAILED = "SELECT kind, key, stage FROM fetch_failures"


def run_pages(
    db: DatabaseManager, source: ScriptedSource, pages: int, stop: StopRequest | None = None
) -> BatchReport:
    """Run one batch of the first *pages* pages with details, with one thread."""
    settings = RunSettings((source.url,), db.url, rate=0.0, threads=1)
    with Worker(settings, source.url, None, stop or StopRequest()) as worker:
        wanted = (ListPage(page, size=ROWS, reading=1) for page in range(1, pages + 1))
        return worker.run_batch(PageBatch(tuple(wanted), with_details=True))


def test_pages_with_details_end_with_the_tables_of_a_list_that_comes_first(
    db: DatabaseManager, new_database: Callable[[], URL], source: ScriptedSource
):
    """Each movie is requested once in both ways, and nearly all are written once."""
    source.hold(PAGES * ROWS)
    source.hidden = {5}
    report = fetch(db, source.url, audit=100)
    requests = sorted(str(query) for _, query in source.requests)
    source.requests.clear()

    with DatabaseManager(new_database()) as other:
        list_first = fetch(other, source.url, audit=100, rate=FAST)
        assert table_contents(db) == table_contents(other)

    assert is_whole(db, source, report)
    assert requests == sorted(str(query) for _, query in source.requests)
    # The first page shows whether the source is YTS. The hidden movie gets the texts of the list.
    assert report.counts.updated == ROWS + 1
    assert list_first.counts.updated == PAGES * ROWS
    counters = "SELECT details_read = details_expected, pages_read FROM fetch_runs"
    assert read_sql(db, counters) == [(True, PAGES + 1)]


def test_a_failed_or_denied_movie_costs_its_page_nothing(
    db: DatabaseManager, source: ScriptedSource, monkeypatch: pytest.MonkeyPatch
):
    """The failure is in the ledger; a denial of a listed movie is a contradiction."""
    source.hold(2 * ROWS)
    source.denied = {14}
    refuse(monkeypatch, 404, lambda query: query.get("movie_id") == 3)

    report = run_pages(db, source, 2)

    ids = [*range(1, 2 * ROWS + 1)]
    assert read_sql(db, "SELECT external_id FROM movies ORDER BY 1") == ids
    assert read_sql(db, WITH_DETAILS) == [id_ for id_ in ids if id_ not in {3, 14}]
    assert read_sql(db, FAILED) == [("movie", "3", "fetch")]
    assert report.contradicted == {14}
    assert read_sql(db, "SELECT external_id FROM missing_movies") == []
    assert (report.counts.saved, report.counts.failed) == (2 * ROWS, 1)


def test_only_details_that_are_due_are_requested(
    db: DatabaseManager, source: ScriptedSource, monkeypatch: pytest.MonkeyPatch
):
    """Neither those that are stored, nor failures whose time has not come."""
    source.hold(ROWS)
    refuse(monkeypatch, 404, lambda query: query.get("movie_id") == 3)
    run_pages(db, source, 1)
    source.requests.clear()
    source.ids.append(ROWS + 1)

    run_pages(db, source, 2)

    asked = [int(query["movie_id"]) for _, query in source.requests if "movie_id" in query]
    assert asked == [ROWS + 1]


def test_a_stop_saves_the_page_with_the_details_that_have_come(
    db: DatabaseManager, source: ScriptedSource
):
    """Both pages are stored; the next run fetches the other details."""
    source.hold(2 * ROWS)
    stop = StopRequest()
    responses = iter(range(ROWS + 5))

    def stop_later(endpoint: str) -> None:
        if endpoint == "movie_details.json" and next(responses, None) is None:
            stop.set()

    source.before_request = stop_later
    report = run_pages(db, source, 2, stop)
    source.remove_faults(most_rows=ROWS)

    assert report.counts.saved == 2 * ROWS
    assert len(read_sql(db, WITH_DETAILS)) == ROWS + 6
    assert is_whole(db, source, fetch(db, source.url))


@pytest.mark.parametrize("options", [{"rate": FAST}, {"max_requests": 1000}, {"details": False}])
def test_the_list_comes_first_if_requests_are_limited(
    db: DatabaseManager, source: ScriptedSource, options: dict[str, object]
):
    """A page brings many movies with one request, so the mirror is usable soon."""
    source.hold(PAGES * ROWS)

    fetch(db, source.url, **options)

    endpoints = [endpoint for endpoint, _ in source.requests]
    assert set(endpoints[: PAGES + 1]) == {"list_movies.json"}
