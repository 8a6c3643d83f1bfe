"""A movie that is too large is lost alone; the rest of its page is read in smaller parts."""

from collections.abc import Collection
from typing import Any

import pytest

from tests.support.data.yts_responses import a_movie, a_row, details_response, page_response
from tests.support.servers.canned_server import Canned, CannedServer, SeenRequest
from yts.client import YtsClient
from yts.errors import ResponseTooLarge, YtsUnavailable
from yts.settings import Order
from yts.transport import MAX_RESPONSE_BYTES

HUGE = "x" * (MAX_RESPONSE_BYTES + 1)


def serve_list(server: CannedServer, ids: range, huge: Collection[int]) -> None:
    """Serve a list of *ids*, of which those in *huge* are larger than a response may be."""

    def response(request: SeenRequest) -> Canned:
        limit, page = int(request.query["limit"]), int(request.query["page"])
        rows = [a_row(it) for it in ids[(page - 1) * limit : page * limit]]
        body = page_response(*rows, movie_count=len(ids))
        return Canned(HUGE.encode() if {row["id"] for row in rows} & set(huge) else body)

    server.script = response


@pytest.mark.parametrize(
    ("order", "huge"),
    [
        ("asc", {51}),
        ("desc", {100}),
        ("asc", {51, 52, 80}),
        pytest.param("desc", {51, 52, 80}, marks=pytest.mark.long),
        pytest.param("desc", {51}, marks=pytest.mark.long),
        pytest.param("asc", {100}, marks=pytest.mark.long),
        pytest.param("asc", {77}, marks=pytest.mark.long),
        pytest.param("desc", {77}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_the_other_movies_of_a_page_are_read(
    client: YtsClient, server: CannedServer, pauses: list[float], huge: set[int], order: Order
):
    """
    The page is read again in parts; no part is requested twice, and there is no pause.
    """
    serve_list(server, range(1, 201), huge)
    page = client.fetch_page(2, order)

    assert [movie.id for movie in page.movies] == [it for it in range(51, 101) if it not in huge]
    assert page.movie_count == 200
    assert [error.movie_id for error in page.malformed] == [None] * len(huge)
    for error, position in zip(page.malformed, sorted(huge), strict=True):
        assert (
            str(error) == f"movie {position} of the list, {order}: the response is larger than 8 MB"
        )
    queries = [(request.query["limit"], request.query["page"]) for request in server.requests]
    assert len(set(queries)) == len(queries) <= 1 + 2 + len(huge) * 10
    assert {request.query["order_by"] for request in server.requests} == {order}
    assert pauses == []


def test_the_last_page_ends_where_it_ends(client: YtsClient, server: CannedServer):
    """
    Parts past the end are empty, which is not an error.
    """
    serve_list(server, range(1, 54), {52})
    page = client.fetch_page(2, "asc")

    assert [movie.id for movie in page.movies] == [51, 53]
    assert len(page.malformed) == 1


def test_a_part_that_comes_without_movies_is_not_taken_for_the_end(
    client_once: YtsClient, server: CannedServer
):
    """
    Otherwise its movies would be lost silently.
    """
    serve_list(server, range(1, 201), {7})
    intact = server.script
    assert intact is not None
    nothing = Canned(page_response(movie_count=200))
    part = {"limit": "5", "page": "4"}
    server.script = lambda request: (
        nothing if part.items() <= request.query.items() else intact(request)
    )

    page = client_once.fetch_page(1, "asc")

    assert page.is_doubtful
    assert page.rows == 45


def test_endless_responses_are_soon_abandoned(client: YtsClient, server: CannedServer):
    """
    Five responses in a row that are too large for one movie are not from YTS.
    """
    server.give(HUGE.encode())
    with pytest.raises(YtsUnavailable, match="larger than 8 MB"):
        client.fetch_page(1, "asc")
    assert len(server.requests) == 8


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (details_response(a_movie(5, description_full=HUGE)), "larger than 8 MB"),
        (details_response(a_movie(5)).replace(b'"R"', b"[" * 9999 + b"]" * 9999), "nested"),
    ],
    ids=["large", "deep"],
)
def test_details_that_are_too_large_are_requested_once(
    client: YtsClient, server: CannedServer, body: bytes, message: str
):
    """
    The movie is skipped, because another attempt gives the same.
    """
    server.give(body.replace(b'"PG-13"', b"[" * 9999 + b"]" * 9999))
    with pytest.raises(ResponseTooLarge, match=message):
        client.fetch_details(5)
    assert len(server.requests) == 1


#: Bytes of one value of one movie.
ODD_VALUES: dict[str, bytes] = {
    "thousands of digits": b"1" * 5000,
    "hundreds of digits": b"-" + b"1" * 400,
    "more than a float": b"1e999",
    "not a number": b"NaN",
    "deeper than the fast parser reads": b"[" * 400 + b"]" * 400,
    "deeper than any parser reads": b"[" * 50_000 + b"]" * 50_000,
    "bytes that are not UTF-8": b'"\xff\xfe\x80"',
    "a lone surrogate": rb'"\ud800"',
    "a NUL": rb'"a\u0000b"',
    "bare control characters": b'"a\n\x01b"',
    "megabytes": b'"' + b"word " * 1_000_000 + b'"',
    "true": b"true",
    "an object": b'{"0":"Action"}',
}


#: Every value in these fields, and these values in every field; other pairs are long.
_FIELDS, _VALUES = {"title", "new"}, {"an object", "more than a float"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param(
            field,
            value,
            id=f"{name}-{field}",
            marks=[] if field in _FIELDS or name in _VALUES else [pytest.mark.long],
        )
        for field in ("id", "title", "year", "genres", "torrents", "new")
        for name, value in ODD_VALUES.items()
    ],
)
def test_one_odd_value_does_not_affect_the_other_movies(
    client: YtsClient, server: CannedServer, field: str, value: bytes
):
    """
    With any value the page is read, and the movie is parsed or malformed.
    """
    odd: Any = {field: "@@"}

    def response(request: SeenRequest) -> Canned:
        limit, page = int(request.query["limit"]), int(request.query["page"])
        rows = [a_row(it, **(odd if it == 33 else {})) for it in range(1, 51)]
        body = page_response(*rows[(page - 1) * limit : page * limit], movie_count=50)
        return Canned(body.replace(b'"@@"', value))

    server.script = response
    page = client.fetch_page(1, "asc")

    others = {movie.id: movie for movie in page.movies if movie.id != 33}
    assert others.keys() == {it for it in range(1, 51) if it != 33}
    assert others[1].title == "The Lamp 1"
    assert len(page.movies) + len(page.malformed) == 50
