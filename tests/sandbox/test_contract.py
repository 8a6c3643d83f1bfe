"""The endpoints of the sandbox without faults, compared with the recorded API."""

import json
import re
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import requests

from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.paths import RECORDED
from tests.support.sandbox_requests import (
    TIMEOUT_SECONDS,
    Json,
    all_ids,
    ask,
    details,
    page_ids,
    read,
)


def recorded(name: str) -> Json:
    """Return a recorded response of YTS, or skip the test if there are none."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip("no recorded responses beside this repository")
    response: Json = json.loads(path.read_text(encoding="utf-8"))
    return response


def test_the_same_seed_gives_the_same_bytes(intact: Sandbox) -> None:
    """
    Two sandboxes of one seed send the same responses.
    """
    queries: list[tuple[str, Json]] = [
        ("list_movies", {"limit": 50, "page": 3}),
        ("movie_details", {"movie_id": 260, "with_cast": "true"}),
        ("movie_suggestions", {"movie_id": 7}),
    ]
    with open_sandbox() as twin:
        for endpoint, query in queries:
            assert ask(intact, endpoint, **query).content == ask(twin, endpoint, **query).content


@pytest.mark.parametrize("limit", [50, 33])
def test_pages_hold_every_movie_once(intact: Sandbox, limit: int) -> None:
    """
    A sweep finds each movie exactly once, and ascending is descending reversed.
    """
    rising = all_ids(intact, "asc", limit)

    assert len(rising) == len(set(rising)) == 400
    assert rising == all_ids(intact, "desc", limit)[::-1]


def test_order_is_by_id_except_for_a_few_neighbours() -> None:
    """
    Movies are in the order of adding, which is the order of ids with a few swaps.
    """
    with open_sandbox(SandboxSettings(movies=1_000)) as sandbox:
        rising = all_ids(sandbox, "asc")
    exceptions = sum(left > right for left, right in pairwise(rising))

    assert 2 <= exceptions <= 60
    assert all(abs(rising.index(i) - index) <= 1 for index, i in enumerate(sorted(rising)))


def test_a_page_past_the_end_has_no_movies_key(intact: Sandbox) -> None:
    """
    Past the end `movies` is absent while `movie_count` is still the number of movies.
    """
    data = read(intact, "list_movies", limit=50, page=9)

    assert data == {"movie_count": 400, "limit": 50, "page_number": 9}


def test_no_rows_count_zero(intact: Sandbox) -> None:
    """
    A search that finds nothing has count 0 and no `movies`.
    """
    data = read(intact, "list_movies", query_term="zyzzyva")

    assert data == {"movie_count": 0, "limit": 20, "page_number": 1}


def test_a_wrong_year_counts_movies_that_it_does_not_show(intact: Sandbox) -> None:
    """
    The count is of the title words alone, the rows also match the year.
    """
    data = read(intact, "list_movies", query_term="toy story 1801")

    assert data["movie_count"] > 0
    assert "movies" not in data


@pytest.mark.parametrize(
    ("asked", "used"), [("999", 50), ("0", 20), ("-3", 20), ("many", 20), ("1", 1), ("", 20)]
)
def test_invalid_limits_are_replaced(intact: Sandbox, asked: str, used: int) -> None:
    """
    A limit above 50 becomes 50, another invalid limit 20, and the response contains it.
    """
    data = read(intact, "list_movies", limit=asked, sort_by="nonsense", page="0")

    assert data["limit"] == used
    assert [movie["id"] for movie in data["movies"]] == page_ids(intact, limit=used)


@pytest.mark.parametrize("key", ["title", "year", "rating"])
def test_sorting(intact: Sandbox, key: str) -> None:
    """
    Rows come in the requested order, and asc is the reverse of desc.
    """
    rows = read(intact, "list_movies", sort_by=key, order_by="asc", limit=50)["movies"]
    values = [(row[key] or "").casefold() if key == "title" else row[key] for row in rows]
    last = page_ids(intact, sort_by=key, order_by="desc", limit=50, page=8)

    assert values == sorted(values)
    assert [row["id"] for row in rows] == last[::-1]


def test_filters(intact: Sandbox) -> None:
    """
    Genre, rating, title and IMDb code choose the rows they name.
    """
    genre = read(intact, "list_movies", genre="western", limit=50)["movies"]
    rated = read(intact, "list_movies", minimum_rating=8, limit=50)["movies"]
    code = details(intact, 5)["imdb_code"]

    assert genre
    assert all("Western" in row["genres"] for row in genre)
    assert rated
    assert all(row["rating"] >= 8 for row in rated)
    assert 1 in page_ids(intact, query_term="TOY story")
    assert page_ids(intact, query_term=code) == [5]


def test_a_quality_repeats_a_movie_for_each_torrent(intact: Sandbox) -> None:
    """
    With `quality` a movie appears once for each of its torrents, in rows and in the count.
    """
    data = read(intact, "list_movies", quality="1080p", limit=50)
    ids = [row["id"] for row in data["movies"]]

    assert data["movie_count"] > 400
    for row in data["movies"][1:-1]:  # the page may cut the first and the last short
        matching = sum(torrent["quality"] == "1080p" for torrent in row["torrents"])
        assert ids.count(row["id"]) in (matching, 1)
    assert len(set(ids)) < len(ids)


def test_a_missing_movie_is_a_ghost(intact: Sandbox) -> None:
    """
    The response equals that of YTS for an id that it does not have.
    """
    expected = recorded("2026-10_gg_details_NOT_FOUND_id0.json")

    asked: tuple[Json, ...] = ({"movie_id": 10**6}, {"imdb_id": "tt1"}, {"movie_id": "x"}, {})
    for query in asked:
        response = ask(intact, "movie_details", with_images="true", with_cast="true", **query)
        assert json.dumps(response.json()) == json.dumps(expected)


def test_json_is_written_as_php_does(intact: Sandbox) -> None:
    """
    Slashes escaped, non-ASCII as escapes, no spaces, and the short @meta of 2026.
    """
    response = ask(intact, "list_movies", limit=50, page=3)
    body = response.content

    assert body.isascii()
    assert b"https:\\/\\/yts.gg\\/movies\\/" in body
    assert not re.search(rb'[^\\]": |, "', body)
    assert body.endswith(b',"@meta":{"api_version":2,"execution_time":"0 ms"}}')
    assert response.headers["Server"].startswith("yts-sandbox/")


def test_dates_are_local_times_of_paris(intact: Sandbox) -> None:
    """
    The text is the local time in Paris of the unix time; a movie has the date of its first torrent.
    """
    zone = ZoneInfo("Europe/Paris")
    with open_sandbox(SandboxSettings(movies=9_000)) as sandbox:
        rows = [*read(sandbox, "list_movies", limit=50)["movies"]]
    rows += read(intact, "list_movies", limit=50)["movies"]
    local_times = {
        datetime.fromisoformat(row["date_uploaded"]).replace(tzinfo=zone) for row in rows
    }

    assert local_times == {datetime.fromtimestamp(row["date_uploaded_unix"], zone) for row in rows}
    assert {moment.utcoffset() for moment in local_times} != {next(iter(local_times)).utcoffset()}
    assert all(row["date_uploaded"] == row["torrents"][0]["date_uploaded"] for row in rows)


def test_keys_are_those_of_the_real_api(intact: Sandbox) -> None:
    """
    Lists, details and suggestions have the keys of 2026, in the same order.
    """
    pairs = [
        (recorded("2026-10_gg_list_limit5.json")["data"]["movies"][0],
         read(intact, "list_movies", limit=5)["movies"][0]),
        (recorded("2026-10_gg_details_38698_with_cast_images.json")["data"]["movie"],
         details(intact, 1, with_cast="true", with_images="true")),
        (recorded("2026-10_gg_suggestions_38698.json")["data"]["movies"][0],
         read(intact, "movie_suggestions", movie_id=1)["movies"][0]),
    ]  # fmt: skip

    for real, ours in pairs:
        assert list(real) == list(ours)
        assert list(real["torrents"][0]) == list(ours["torrents"][0])
        assert set(ours.get("cast", [{}])[0]) <= set(real.get("cast", [{}])[0])


def test_options_of_details(intact: Sandbox) -> None:
    """
    Cast and screenshots come on request; the IMDb code finds the same movie.
    """
    bare = details(intact, 3)
    by_code = read(intact, "movie_details", imdb_id=bare["imdb_code"])["movie"]

    assert "cast" not in bare
    assert "medium_screenshot_image1" not in bare
    assert {"like_count", "description_intro"} <= set(bare)
    assert not {"summary", "synopsis", "state"} & set(bare)
    assert by_code == bare


def test_suggestions_are_four_others_and_count_zero(intact: Sandbox) -> None:
    """
    YTS sends count 0 and four movies.
    """
    data = read(intact, "movie_suggestions", movie_id=21)
    ids = {movie["id"] for movie in data["movies"]}

    assert data["movie_count"] == 0
    assert len(ids) == 4
    assert 21 not in ids
    assert read(intact, "movie_suggestions", movie_id=10**6) == {"movie_count": 0}


def test_a_varying_cast_is_a_sample_of_a_larger_one() -> None:
    """
    Four at a time, not always the same four; the default is steady.
    """
    movie_id = 276  # near the first movie with "large cast"
    with open_sandbox(SandboxSettings(steady_cast=False)) as sandbox:
        ids = range(movie_id - 10, movie_id + 10)
        seen = [
            [frozenset(m["name"] for m in details(sandbox, i, with_cast="true").get("cast", []))
             for _ in range(3)]
            for i in ids
        ]  # fmt: skip

    assert all(len(names) <= 4 for casts in seen for names in casts)
    assert any(len(set(casts)) > 1 for casts in seen)


def test_an_unknown_endpoint_is_a_web_page(intact: Sandbox) -> None:
    """
    404 comes as text/html, never as JSON.
    """
    for path in ("/api/v2/list_upcoming.json", "/api/v2/list_movies.xml", "/", "/favicon.ico"):
        response = requests.get(intact.root + path, timeout=TIMEOUT_SECONDS)
        assert response.status_code == 404
        assert response.headers["Content-Type"].startswith("text/html")


def test_latency_delays_each_response() -> None:
    """
    A response takes at least the latency, in seconds.
    """
    with open_sandbox(SandboxSettings(latency_seconds=0.1)) as sandbox:
        assert ask(sandbox, "list_movies", limit=1).elapsed.total_seconds() >= 0.1
