"""`ListPages`: a kept list of ids gives the same pages as the tables."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from database.serving.prepared import Reading
from database.serving.read_only import ReadOnlyDatabase
from database.serving.yts_lists import YtsList
from database.serving.yts_reads import Page, read_page
from tests.support.databases import run_sql
from web.v2 import list_pages
from web.v2.list_pages import ListPages


@pytest.fixture(autouse=True)
def all_pages_are_far_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lists of a few movies be kept."""
    monkeypatch.setattr(list_pages, "_FAR_DOWN", 0)


@pytest.fixture
def database(mirror_url: URL) -> Iterator[ReadOnlyDatabase]:
    """Yield connections to the mirror that tests must not change."""
    database = ReadOnlyDatabase(mirror_url, 1)
    yield database
    database.close()


LISTS = [
    YtsList(),
    YtsList(is_ascending=True),
    YtsList(sort_by="rating"),
    YtsList(sort_by="title", is_ascending=True, genre="drama"),
    YtsList(words=("the",), minimum_rating=5.5),
]


@pytest.mark.parametrize("wanted", LISTS)
def test_pages_of_a_kept_list_equal_those_of_the_tables(
    database: ReadOnlyDatabase, wanted: YtsList
):
    """For all orders and filters, from the second page on, to the end of the list and past it."""
    pages = ListPages()
    for offset in (0, 50, 60, 270, 400, 10**9):

        def read(reading: Reading, offset: int = offset) -> tuple[Page, Page]:
            kept = pages.read(reading, wanted, 50, offset)
            return kept, read_page(reading, wanted, limit=50, offset=offset)

        kept, expected = database.run_prepared(read)
        assert (kept.movie_count, kept.movies) == (expected.movie_count, expected.movies)


def test_a_kept_list_is_not_used_after_a_commit(db: DatabaseManager):
    """A page is never older than its revision, whichever page of the list was read before."""
    pages = ListPages()
    database = ReadOnlyDatabase(db.url, 1)
    counts = []
    for step in range(3):
        db.save_movie({"id": step + 1, "title": f"Lamp {step}", "torrents": []})
        for _ in range(3):
            page = database.run_prepared(lambda reading: pages.read(reading, YtsList(), 50, 0))
            counts.append((page.movie_count, len(page.movies)))
    run_sql(db.url, "UPDATE movies SET gone_since = now() WHERE external_id = 1")
    page = database.run_prepared(lambda reading: pages.read(reading, YtsList(), 50, 0))
    database.close()

    assert counts == [(1, 1)] * 3 + [(2, 2)] * 3 + [(3, 3)] * 3
    assert (page.movie_count, len(page.movies)) == (2, 2)


def test_a_connection_that_was_cut_is_replaced(db: DatabaseManager):
    """Statements are prepared again on the next connection, and no request fails."""
    db.save_movie({"id": 1, "title": "Lamp", "torrents": []})
    pages = ListPages()
    database = ReadOnlyDatabase(db.url, 1)
    for _ in range(2):
        page = database.run_prepared(lambda reading: pages.read(reading, YtsList(), 50, 0))
        assert len(page.movies) == 1
        run_sql(
            db.url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'yts-mirror server' AND datname = current_database()",
        )
    database.close()
