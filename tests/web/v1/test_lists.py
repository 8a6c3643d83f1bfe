"""Lists of the API v1: filters, orders, pages that follow each other, and streams of the whole."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import urljoin

import pytest
import requests
from sqlalchemy import URL

from database.db import DatabaseManager
from database.repository import MovieFilter, MovieRepository
from database.search.lookup import SearchOrder

LISTS = [
    "/movies",
    "/movies/5/similar",
    "/search?q=sea",
    "/people",
    "/people/Tom%20Hanks/movies",
    "/genres",
    "/stats/language",
    "/runs",
    "/failures",
]


def get(root: str, address: str, **headers: str) -> requests.Response:
    """Return the response for an address below the root of the API."""
    response = requests.get(f"{root}/api/v1{address}", headers=headers, timeout=20)
    assert response.status_code == 200, response.text
    return response


def pages(root: str, address: str) -> Iterator[dict[str, Any]]:
    """Yield all pages of a list, by their `next`, which equals the header Link."""
    url = f"{root}/api/v1{address}"
    while url:
        response = requests.get(url, timeout=20)
        assert response.status_code == 200, response.text
        page = response.json()
        assert response.links.get("next", {}).get("url") == page["next"]
        yield page
        url = page["next"] and urljoin(url, page["next"])


def ids(items: list[dict[str, Any]]) -> list[int]:
    """Return the ids of movies."""
    return [item["id"] for item in items]


@pytest.mark.parametrize("query", ["sort=rating", "sort=title&order=reversed"])
def test_pages_follow_each_other(served: str, query: str):
    """Each movie is on one page, in the order of the stream."""
    parts = list(pages(served, f"/movies?{query}&limit=100"))
    stream = get(served, f"/movies?{query}&format=ndjson").text.splitlines()
    found = [movie for page in parts for movie in page["items"]]

    assert [len(page["items"]) for page in parts[:-1]] == [100] * (len(parts) - 1)
    assert len({*ids(found)}) == len(found) == parts[0]["total"]
    assert ids(found) == ids([json.loads(line) for line in stream])


@pytest.mark.parametrize("sort", get_args(SearchOrder))
def test_orders_are_those_of_the_command(served: str, mirror_url: URL, sort: str):
    """`sort` has the orders of `query_movies.py top --by`; movies without a value come last."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        movies = MovieRepository(session).paginate(order=sort, limit=400)
        expected = [movie.external_id for movie in movies]
    listed = get(served, f"/movies?sort={sort}&limit=100").json()["items"]

    assert ids(listed) == expected[:100]


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("genre=drama", MovieFilter(genres=("Drama",))),
        ("genre=Drama&genre=CRIME", MovieFilter(genres=("Drama", "Crime"))),
        ("year_from=1990&year_to=1999", MovieFilter(years=(1990, 1999))),
        ("rating_from=8", MovieFilter(rating=(8, None))),
        ("rating_to=5.5", MovieFilter(rating=(None, 5.5))),
        ("runtime_from=90&runtime_to=100", MovieFilter(runtime=(90, 100))),
        ("language=FR&language=ja", MovieFilter(languages=("fr", "ja"))),
        ("quality=2160P", MovieFilter(quality="2160p")),
        ("added_since=2999-01-01&with_gone=true", MovieFilter(years=(1, 2))),
    ],
)
def test_filters_are_those_of_the_command(
    served: str, mirror_url: URL, query: str, filters: MovieFilter
):
    """Names may be written in any case; with other filters than one genre there is no total."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        expected = {movie.external_id for movie in MovieRepository(session).stream(filters)}
    parts = list(pages(served, f"/movies?{query}&limit=100"))

    assert {id_ for page in parts for id_ in ids(page["items"])} == expected
    is_known = filters == MovieFilter(genres=filters.genres[:1])
    assert parts[0]["total"] == (len(expected) if is_known else None)


@pytest.mark.parametrize("address", LISTS)
def test_every_list_is_a_page_or_a_stream(served: str, address: str):
    """The pages, NDJSON and CSV have the same items, and `limit` is the most of a stream."""
    mark = "&" if "?" in address else "?"
    items = [item for page in pages(served, f"{address}{mark}limit=90") for item in page["items"]]
    lines = get(served, address, Accept="application/x-ndjson").text.splitlines()
    table = get(served, address, Accept="text/html;q=0.9, text/csv;q=0.5")
    few = get(served, f"{address}{mark}format=ndjson&limit=3").text.splitlines()

    assert [json.loads(line) for line in lines] == items
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert len(rows) == len(items)
    assert few == lines[:3]
    for row, item in zip(rows, items, strict=True):
        assert [*row] == [*item]
        for name, value in item.items():
            assert row[name] == as_text(value), name


def as_text(value: object) -> str:
    """Return a value as CSV has it."""
    if isinstance(value, list):
        parts = (
            part.get("name") or part["hash"] if isinstance(part, dict) else part for part in value
        )
        return "; ".join(parts)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
