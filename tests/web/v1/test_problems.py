"""Requests that the API v1 refuses: problem details that say what is wrong and what to do."""

import json
import re
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import text

from database.db import DatabaseManager
from tests.support.data.movies import movie
from tests.support.databases import run_sql, wait_for_lock
from tests.support.servers.web_server import open_server
from web.settings import ServerSettings

ROOT = "/api/v1"


def problem(url: str, status: int, **options: object) -> dict:
    """Return the problem in a response with this status."""
    response = requests.request(options.pop("method", "GET"), url, timeout=20, **options)
    assert (response.status_code, response.headers["Content-Type"].partition(";")[0]) == (
        status,
        "application/problem+json",
    ), response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    body = response.json()
    assert (body["status"], body["type"]) == (status, "about:blank")
    return body


def cursor(*values: object) -> str:
    """Return a cursor with any values."""
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("query", "parameter", "hint"),
    [
        ("page=2", "page", "The known ones are: genre, year_from"),
        ("limit=0", "limit", "greater than or equal to 1"),
        ("limit=101", "limit", "less than or equal to 100"),
        ("limit=ten", "limit", "Write a whole number"),
        ("limit=5&limit=6", "limit", "only once"),
        ("limit=", "limit", "Write a whole number"),
        ("limit=1_0", "limit", "Write a whole number"),
        ("limit=%EF%BC%95", "limit", "Write a whole number"),
        ("limit=" + "9" * 5000, "limit", "Write a whole number"),
        ("rating_from=nan", "rating_from", "Write a number"),
        ("rating_from=1e999", "rating_from", "less than or equal to 10"),
        ("year_from=0", "year_from", "greater than or equal to 1800"),
        ("genre=", "genre", "It should have at least 1 character"),
        ("genre=%00", "genre", "without NUL"),
        ("&".join(["genre=drama"] * 11), "genre", "It should have at most 10 items."),
        ("genre=" + "x" * 51, "genre", "at most 50 characters"),
        ("&".join(["genre=x"] * 11), "genre", "at most 10 items"),
        ("sort=seeds", "sort", "'rating', 'likes'"),
        ("order=desc", "order", "'usual' or 'reversed'"),
        ("format=xml", "format", "'json', 'ndjson' or 'csv'"),
        ("with_gone=1", "with_gone", "Write true or false"),
        ("added_since=yesterday", "added_since", "for example 2026-11-28T20:15:00Z"),
        ("added_since=2026-11-28T20:15:00", "added_since", "with its zone"),
        ("added_since=0001-01-01T00:00:00%2B14:00", "added_since", "with its zone"),
        ("cursor=%2B", "cursor", "copy it from `next`"),
        ("cursor=" + "A" * 5001, "cursor", "at most 5000 characters"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(
    served: str, query: str, parameter: str, hint: str
):
    """400, with a sentence for each wrong parameter: nothing is replaced or ignored."""
    (error,) = problem(f"{served}{ROOT}/movies?{query}", 400)["errors"]

    assert error["parameter"] == parameter
    assert hint in error["message"]


def test_a_request_with_many_errors_gets_a_short_problem(served: str):
    """Only the first ones are reported: a response is not much larger than its request."""
    query = "&".join(f"a{number}=1" for number in range(900))
    body = problem(f"{served}{ROOT}/movies?{query}", 400)

    assert len(body["errors"]) == 10
    assert len(json.dumps(body)) < 8000


def test_the_plus_sign_of_a_time_may_be_lost(served: str):
    """In a URL it means a space; the time is clear anyway."""
    for zone in ("+02:00", "%2B02:00", "Z"):
        url = f"{served}{ROOT}/movies?added_since=2026-11-28T20:15:00{zone}&limit=1"
        assert requests.get(url, timeout=20).status_code == 200


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/movies?genre=dramma", "The nearest is Drama"),
        ("/movies?language=xx", "No movie is in the language"),
        ("/movies?quality=9p", "No movie has the quality"),
        ("/movies?year_from=1999&year_to=1990", "year_from is larger than year_to"),
        ("/stats/genre?rating_from=8&rating_to=7.5", "rating_from is larger than rating_to"),
        ("/search?q=%3F%21", "Nothing to search for"),
        ("/movies?cursor=AAAA", "Copy it from `next`"),
        ("/movies?cursor=A", "Copy it from `next`"),
        (f"/movies?sort=newest&cursor={cursor('newest usual')}", "cursor: "),
        (f"/movies?sort=newest&cursor={cursor('id usual', 5)}", "cursor: "),
        (f"/movies?sort=newest&cursor={cursor('newest usual', '2026-01-01', 5)}", "cursor: "),
        (
            f"/movies?sort=newest&cursor={cursor('newest usual', '2026-01-01T00:00:00Z', '5')}",
            "cursor: ",
        ),
        (f"/movies?sort=id&cursor={cursor('id usual', 10**400)}", "cursor: "),
        (f"/movies?sort=id&cursor={cursor('id usual', float('nan'))}", "cursor: "),
        (f"/movies?sort=id&cursor={cursor('id usual', None)}", "cursor: "),
        (f"/movies?sort=id&cursor={cursor('id usual', True)}", "cursor: "),
        (f"/movies?sort=title&cursor={cursor('title usual', chr(0), 5)}", "cursor: "),
        (f"/movies?sort=title&cursor={cursor('title usual', chr(0xD800), 5)}", "cursor: "),
        (f"/movies?cursor={urlsafe_b64encode(b'[' * 3000).decode()}", "cursor: "),
        (f"/genres?cursor={cursor('place', -1)}", "cursor: "),
        (f"/runs?cursor={cursor('run', 2**40)}", "cursor: "),
        (f"/failures?cursor={cursor('failure', 1, 2, 3)}", "cursor: "),
        (f"/people?cursor={cursor('name', [], 3)}", "cursor: "),
    ],
)
def test_a_value_that_the_mirror_does_not_know_is_explained(served: str, path: str, hint: str):
    """400, also for cursors of another list, or that no list has given."""
    found = problem(f"{served}{ROOT}{path}", 400)

    assert hint in found["detail"]
    if name := re.match(r"/movies\?(genre|language|quality)=", path):
        assert [each["parameter"] for each in found["errors"]] == [name[1]]


@pytest.mark.parametrize(
    "text",
    ["%ff%fe", "%ed%a0%80", "a%00b", "%27%29%3B--", "%25_%5C", "%F0%9F%8E%AC", "a" * 301, "%0A%1B"],
    ids=lambda text: text[:9],
)
def test_no_text_breaks_a_request(served: str, text: str):
    """Invalid UTF-8, NUL, signs of SQL and long texts find nothing, or are refused."""
    for address in ("/search?q=", "/people?name=", "/people/", "/movies/", "/runs/"):
        response = requests.get(f"{served}{ROOT}{address}{text}", timeout=20)

        assert response.status_code in {200, 400, 404}
        if response.status_code != 200:
            assert response.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    "path", ["/nothing", "/movies/", "/movies/5/nothing", "/%00", "/%ff", "//"]
)
def test_other_addresses_are_problems(served: str, path: str):
    """404, with the address where all others are listed."""
    assert f"{ROOT}/" in problem(f"{served}{ROOT}{path}", 404)["detail"]


def test_refusals_before_the_api_are_problems_as_well(db: DatabaseManager, served: str):
    """Other methods, other hosts, and a missing key; each tells the client what to do."""
    url = f"{served}{ROOT}/movies"
    response = requests.post(url, timeout=20)
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert "use GET" in problem(url, 405, method="POST")["detail"]
    assert "--allow-host" in problem(url, 421, headers={"Host": "evil.example.com"})["detail"]
    with open_server(db, ServerSettings(connections=1, api_key="secret")) as root:
        assert "X-Api-Key" in problem(f"{root}{ROOT}/movies", 401)["detail"]
        assert requests.get(f"{root}{ROOT}/movies", timeout=20).headers["WWW-Authenticate"]
        sent = {"X-Api-Key": "secret"}
        assert requests.get(f"{root}{ROOT}/movies", headers=sent, timeout=20).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_browsers_of_other_sites_cannot_read(db: DatabaseManager, method: str):
    """Also where `--cors` lets them read the YTS API."""
    with open_server(db, ServerSettings(connections=1, cors=True)) as root:
        for path in ("/movies", "/movies?format=csv", "/nothing", "/openapi.json"):
            response = requests.request(method, f"{root}{ROOT}{path}", timeout=20)
            assert "Access-Control-Allow-Origin" not in response.headers


def test_a_server_without_a_free_connection_is_a_problem(db: DatabaseManager):
    """503 with Retry-After, for pages and for streams."""
    settings = ServerSettings(connections=1, queue_seconds=0.1)
    with (
        db.engine.connect() as holder,
        open_server(db, settings) as root,
        ThreadPoolExecutor(1) as threads,
    ):
        holder.execute(text("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE"))
        slow = threads.submit(requests.get, f"{root}{ROOT}/movies", timeout=20)
        wait_for_lock(holder)
        busy = requests.get(f"{root}{ROOT}/movies?format=csv", timeout=20)
        assert "busy" in problem(f"{root}{ROOT}/runs", 503)["detail"]
        holder.rollback()
        assert slow.result().status_code == 200

    assert (busy.status_code, int(busy.headers["Retry-After"]) > 0) == (503, True)


def test_a_database_that_goes_away_is_a_problem_and_heals(db: DatabaseManager):
    """Also where it goes away in the middle of a search, which is one transaction."""
    db.save_movie(movie(1))
    with open_server(db, ServerSettings(connections=1)) as root:
        run_sql(db.url, "ALTER TABLE movies RENAME TO films")
        for path in ("/movies", "/search?q=lamp", "/movies/1/similar"):
            assert "Try again" in problem(f"{root}{ROOT}{path}", 503)["detail"]
        run_sql(db.url, "ALTER TABLE films RENAME TO movies")
        for path in ("/movies", "/search?q=lamp", "/movies/1/similar"):
            assert requests.get(f"{root}{ROOT}{path}", timeout=20).status_code == 200
