"""`ListPages`: a kept list of ids gives the same pages as the tables."""

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from database.serving.yts_lists import YtsList
from tests.support.databases import run_sql
from tests.support.servers.loop_reads import read_with
from web.reader import CatalogueReader
from web.v2 import list_pages
from web.v2.list_pages import ListPages
from web.v2.movie_store import MovieStore

LISTS = [
    YtsList(),
    YtsList(is_ascending=True),
    YtsList(sort_by="rating"),
    YtsList(sort_by="title", is_ascending=True, genre="drama"),
    YtsList(words=("the",), minimum_rating=5.5),
]
#: From the second page on, to the end of the list and past it.
OFFSETS = (0, 50, 60, 270, 400, 10**9)

Page = tuple[int, list[bytes]]


async def read(pages: ListPages, wanted: YtsList, offset: int = 0) -> Page:
    """Return the count and the movies of a page."""
    _, page = await pages.read(wanted, 50, offset)
    return page.movie_count, [movie.content for movie in page.movies]


@pytest.mark.parametrize("wanted", LISTS)
def test_pages_of_a_kept_list_equal_those_of_the_tables(
    mirror_url: URL, monkeypatch: pytest.MonkeyPatch, wanted: YtsList
):
    """For all orders and filters, also if all movies of the page are known."""
    monkeypatch.setattr(list_pages, "_WHOLE_LIST", 0)

    async def main(reader: CatalogueReader) -> tuple[list[Page], list[Page], list[Page]]:
        movies = MovieStore(1 << 24)
        keeping = ListPages(reader, movies)
        kept = [await read(keeping, wanted, offset) for offset in OFFSETS]
        known = [await read(keeping, wanted, offset) for offset in OFFSETS]
        monkeypatch.setattr(list_pages, "_WHOLE_LIST", 10**12)
        fresh = [await read(ListPages(reader, MovieStore(0)), wanted, at) for at in OFFSETS]
        return kept, known, fresh

    kept, known, fresh = read_with(mirror_url, main)

    assert kept == known == fresh
    assert len(kept[0][1]) == 50
    assert not kept[-1][1]


@pytest.mark.parametrize("whole_list", [0, 50, 1000])
def test_a_kept_list_is_not_used_after_a_commit(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch, whole_list: int
):
    """A page is never older than its revision, whichever page of the list was read before."""
    monkeypatch.setattr(list_pages, "_WHOLE_LIST", whole_list)
    monkeypatch.setattr("web.reader._REVISION_SECONDS", -1)

    async def main(reader: CatalogueReader) -> list[tuple[int, int]]:
        pages = ListPages(reader, MovieStore(1 << 20))
        counts = []
        for step in range(3):
            db.save_movie({"id": step + 1, "title": f"Lamp {step}", "torrents": []})
            counts += [await read(pages, YtsList()) for _ in range(3)]
        run_sql(db.url, "UPDATE movies SET gone_since = now() WHERE external_id = 1")
        counts.append(await read(pages, YtsList()))
        return [(count, len(movies)) for count, movies in counts]

    counts = read_with(db.url, main)

    assert counts == [(1, 1)] * 3 + [(2, 2)] * 3 + [(3, 3)] * 3 + [(2, 2)]
