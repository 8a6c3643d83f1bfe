"""The endpoints in order, as a client sees them."""

import json
import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests

from sandbox.api.server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.sandbox.conftest import (
    TIMEOUT_SECONDS,
    Json,
    all_ids,
    ask,
    details,
    page_ids,
    read,
)

RECORDED = Path(__file__).parents[2].parent / "shared" / "recorded"


def recorded(name: str) -> Json:
    """Read an answer of the real API, or skip where there are none."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip("no recorded answers beside this repository")
    answer: Json = json.loads(path.read_text(encoding="utf-8"))
    return answer


def test_the_same_seed_gives_the_same_bytes(honest: Sandbox) -> None:
    """
    Two sandboxes of one seed cannot be told apart by their answers.
    """
    questions: list[tuple[str, Json]] = [
        ("list_movies", {"limit": 50, "page": 3}),
        ("movie_details", {"movie_id": 260, "with_cast": "true"}),
        ("movie_suggestions", {"movie_id": 7}),
    ]
    with open_sandbox() as twin:
        for endpoint, query in questions:
            assert ask(honest, endpoint, **query).content == ask(twin, endpoint, **query).content


@pytest.mark.parametrize("limit", [50, 7])
def test_pages_hold_every_movie_once(honest: Sandbox, limit: int) -> None:
    """
    A sweep meets each movie exactly once, and ascending is descending reversed.
    """
    rising = all_ids(honest, "asc", limit)

    assert len(rising) == len(set(rising)) == 400
    assert rising == all_ids(honest, "desc", limit)[::-1]


def test_order_is_by_id_but_for_a_few_neighbours() -> None:
    """
    Movies stand in the order of their adding, which is that of the ids with small exceptions.
    """
    with open_sandbox(SandboxSettings(movies=2_000)) as sandbox:
        rising = all_ids(sandbox, "asc")
    exceptions = sum(left > right for left, right in pairwise(rising))

    assert 2 <= exceptions <= 60
    assert all(abs(rising.index(i) - place) <= 1 for place, i in enumerate(sorted(rising)))


def test_a_page_past_the_end_has_no_movies_key(honest: Sandbox) -> None:
    """
    Past the end `movies` is absent while `movie_count` still tells how many there are.
    """
    data = read(honest, "list_movies", limit=50, page=9)

    assert data == {"movie_count": 400, "limit": 50, "page_number": 9}


def test_no_rows_count_zero(honest: Sandbox) -> None:
    """
    A search that finds nothing has count 0 and no `movies`.
    """
    data = read(honest, "list_movies", query_term="zyzzyva")

    assert data == {"movie_count": 0, "limit": 20, "page_number": 1}


def test_a_wrong_year_counts_movies_that_it_does_not_show(honest: Sandbox) -> None:
    """
    Title words alone make the count, year and all make the rows.
    """
    data = read(honest, "list_movies", query_term="toy story 1801")

    assert data["movie_count"] > 0
    assert "movies" not in data


@pytest.mark.parametrize(
    ("asked", "used"), [("999", 50), ("0", 20), ("-3", 20), ("many", 20), ("1", 1), ("", 20)]
)
def test_nonsense_limits_are_answered(honest: Sandbox, asked: str, used: int) -> None:
    """
    A limit above 50 is 50, any other nonsense the default of 20, and the answer says which.
    """
    data = read(honest, "list_movies", limit=asked, sort_by="nonsense", page="0")

    assert data["limit"] == used
    assert [movie["id"] for movie in data["movies"]] == page_ids(honest, limit=used)


@pytest.mark.parametrize("key", ["title", "year", "rating"])
def test_sorting(honest: Sandbox, key: str) -> None:
    """
    Rows come in the order asked for, and asc is the reverse of desc.
    """
    rows = read(honest, "list_movies", sort_by=key, order_by="asc", limit=50)["movies"]
    values = [(row[key] or "").casefold() if key == "title" else row[key] for row in rows]
    last = page_ids(honest, sort_by=key, order_by="desc", limit=50, page=8)

    assert values == sorted(values)
    assert [row["id"] for row in rows] == last[::-1]


def test_filters(honest: Sandbox) -> None:
    """
    Genre, rating, title and IMDb code choose the rows they name.
    """
    genre = read(honest, "list_movies", genre="western", limit=50)["movies"]
    rated = read(honest, "list_movies", minimum_rating=8, limit=50)["movies"]
    code = details(honest, 5)["imdb_code"]

    assert genre
    assert all("Western" in row["genres"] for row in genre)
    assert rated
    assert all(row["rating"] >= 8 for row in rated)
    assert 1 in page_ids(honest, query_term="TOY story")
    assert page_ids(honest, query_term=code) == [5]


def test_a_quality_repeats_a_movie_for_each_torrent(honest: Sandbox) -> None:
    """
    With `quality` a movie stands once for each torrent of it, in rows and in the count.
    """
    data = read(honest, "list_movies", quality="1080p", limit=50)
    ids = [row["id"] for row in data["movies"]]

    assert data["movie_count"] > 400
    for row in data["movies"][1:-1]:  # the page may cut the first and the last short
        matching = sum(torrent["quality"] == "1080p" for torrent in row["torrents"])
        assert ids.count(row["id"]) in (matching, 1)
    assert len(set(ids)) < len(ids)


def test_a_missing_movie_is_a_ghost(honest: Sandbox) -> None:
    """
    What YTS says of an id it does not have, letter for letter.
    """
    expected = recorded("2026-10_gg_details_NOT_FOUND_id0.json")

    asked: tuple[Json, ...] = ({"movie_id": 10**6}, {"imdb_id": "tt1"}, {"movie_id": "x"}, {})
    for query in asked:
        answer = ask(honest, "movie_details", with_images="true", with_cast="true", **query)
        assert json.dumps(answer.json()) == json.dumps(expected)


def test_the_wire_looks_like_php(honest: Sandbox) -> None:
    """
    Slashes escaped, non-ASCII as escapes, no spaces, and the short @meta of 2026.
    """
    answer = ask(honest, "list_movies", limit=50, page=3)
    body = answer.content

    assert body.isascii()
    assert b"https:\\/\\/yts.gg\\/movies\\/" in body
    assert not re.search(rb'[^\\]": |, "', body)
    assert body.endswith(b',"@meta":{"api_version":2,"execution_time":"0 ms"}}')
    assert answer.headers["Server"].startswith("yts-sandbox/")


def test_dates_are_paris_clocks(honest: Sandbox) -> None:
    """
    The text is what a clock in Paris shows at the unix time; a movie dates from its first torrent.
    """
    zone = ZoneInfo("Europe/Paris")
    with open_sandbox(SandboxSettings(movies=9_000)) as sandbox:
        rows = [*read(sandbox, "list_movies", limit=50)["movies"]]
    rows += read(honest, "list_movies", limit=50)["movies"]
    told = {datetime.fromisoformat(row["date_uploaded"]).replace(tzinfo=zone) for row in rows}

    assert told == {datetime.fromtimestamp(row["date_uploaded_unix"], zone) for row in rows}
    assert {moment.utcoffset() for moment in told} != {next(iter(told)).utcoffset()}
    assert all(row["date_uploaded"] == row["torrents"][0]["date_uploaded"] for row in rows)


def test_keys_are_those_of_the_real_api(honest: Sandbox) -> None:
    """
    Lists, details and suggestions have the keys of 2026, in the same order.
    """
    pairs = [
        (recorded("2026-10_gg_list_limit5.json")["data"]["movies"][0],
         read(honest, "list_movies", limit=5)["movies"][0]),
        (recorded("2026-10_gg_details_38698_with_cast_images.json")["data"]["movie"],
         details(honest, 1, with_cast="true", with_images="true")),
        (recorded("2026-10_gg_suggestions_38698.json")["data"]["movies"][0],
         read(honest, "movie_suggestions", movie_id=1)["movies"][0]),
    ]  # fmt: skip

    for real, ours in pairs:
        assert list(real) == list(ours)
        assert list(real["torrents"][0]) == list(ours["torrents"][0])
        assert set(ours.get("cast", [{}])[0]) <= set(real.get("cast", [{}])[0])


def test_options_of_details(honest: Sandbox) -> None:
    """
    Cast and screenshots come when asked for; the IMDb code names the same movie.
    """
    bare = details(honest, 3)
    by_code = read(honest, "movie_details", imdb_id=bare["imdb_code"])["movie"]

    assert "cast" not in bare
    assert "medium_screenshot_image1" not in bare
    assert {"like_count", "description_intro"} <= set(bare)
    assert not {"summary", "synopsis", "state"} & set(bare)
    assert by_code == bare


def test_suggestions_are_four_others_and_count_zero(honest: Sandbox) -> None:
    """
    YTS says 0 and sends four.
    """
    data = read(honest, "movie_suggestions", movie_id=21)
    ids = {movie["id"] for movie in data["movies"]}

    assert data["movie_count"] == 0
    assert len(ids) == 4
    assert 21 not in ids
    assert read(honest, "movie_suggestions", movie_id=10**6) == {"movie_count": 0}


def test_a_varying_cast_is_a_sample_of_a_larger_one() -> None:
    """
    Four at a time, not always the same four; the default is steady.
    """
    movie_id = 276  # near the one to which "large cast" is promised
    with open_sandbox(SandboxSettings(steady_cast=False)) as sandbox:
        ids = range(movie_id - 10, movie_id + 10)
        seen = [
            [frozenset(m["name"] for m in details(sandbox, i, with_cast="true").get("cast", []))
             for _ in range(3)]
            for i in ids
        ]  # fmt: skip

    assert all(len(names) <= 4 for answers in seen for names in answers)
    assert any(len(set(answers)) > 1 for answers in seen)


def test_an_unknown_endpoint_is_a_web_page(honest: Sandbox) -> None:
    """
    404 comes as text/html, never as JSON.
    """
    for path in ("/api/v2/list_upcoming.json", "/api/v2/list_movies.xml", "/", "/favicon.ico"):
        answer = requests.get(honest.root + path, timeout=TIMEOUT_SECONDS)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"].startswith("text/html")


def test_latency_holds_each_answer_back() -> None:
    """
    An answer takes at least the latency, in seconds.
    """
    with open_sandbox(SandboxSettings(latency_seconds=0.1)) as sandbox:
        assert ask(sandbox, "list_movies", limit=1).elapsed.total_seconds() >= 0.1
