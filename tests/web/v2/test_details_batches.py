"""`DetailsBatches`: details that are requested at the same time are read by few statements."""

import asyncio

import pytest
from sqlalchemy import URL

from database.errors import DatabaseNotReady
from database.serving import yts_reads
from tests.support.servers.loop_reads import read_with
from web.reader import CatalogueReader
from web.v2 import details_batches
from web.v2.details_batches import DetailsBatches
from web.v2.parameters import MovieRequest

REQUESTS = [
    *(MovieRequest(movie_id, with_cast=True) for movie_id in (*range(1, 60), 10**6)),
    *(MovieRequest(5, with_images=is_odd) for is_odd in (False, True)),
    MovieRequest(imdb_code="tt99999999"),
    MovieRequest(),
]


def test_movies_of_a_batch_equal_those_that_are_read_alone(
    mirror_url: URL, monkeypatch: pytest.MonkeyPatch
):
    """Whatever is asked for at the same time; and there are fewer statements than requests."""
    sizes: list[int] = []
    read_details = yts_reads.read_details

    def counted(reading, movies, **options):
        sizes.append(len(movies))
        return read_details(reading, movies, **options)

    monkeypatch.setattr(details_batches, "read_details", counted)

    async def main(reader: CatalogueReader) -> tuple[list, list]:
        batches = DetailsBatches(reader)
        together = await asyncio.gather(*(batches.read(request) for request in REQUESTS))
        count = len(sizes)
        alone = [await batches.read(request) for request in REQUESTS]
        assert count < len(sizes) - count == len(REQUESTS) - 1
        return [details for _, details in together], [details for _, details in alone]

    together, alone = read_with(mirror_url, main)

    assert together == alone
    assert [details is None for details in together[-5:]] == [True, False, False, True, True]
    assert max(sizes) == 50


def test_a_batch_that_fails_is_read_again_by_later_requests(
    mirror_url: URL, monkeypatch: pytest.MonkeyPatch
):
    """All who wait for it get the error, and nobody after them."""
    failing = [True]
    read_details = yts_reads.read_details

    def read(reading, movies, **options):
        if failing:
            raise DatabaseNotReady("away")
        return read_details(reading, movies, **options)

    monkeypatch.setattr(details_batches, "read_details", read)

    async def main(reader: CatalogueReader) -> bool:
        batches = DetailsBatches(reader)
        requests = [batches.read(MovieRequest(movie_id)) for movie_id in (1, 2)]
        for result in await asyncio.gather(*requests, return_exceptions=True):
            assert isinstance(result, DatabaseNotReady)
        failing.clear()
        return (await batches.read(MovieRequest(1)))[1] is not None

    assert read_with(mirror_url, main)
