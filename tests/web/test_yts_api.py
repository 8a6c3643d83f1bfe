"""The YTS API v2 of the server: its responses have the form of those of YTS."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import URL

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql, table_contents
from tests.support.runs import FEW_MOVIES, fetch, shrink_pages
from tests.support.servers.web_server import open_server
from yts.errors import MalformedMovie
from yts.responses import parse_details

ROW_KEYS = [
    "id", "url", "imdb_code", "title", "title_english", "title_long", "slug", "year", "rating",
    "runtime", "genres", "summary", "description_full", "synopsis", "yt_trailer_code", "language",
    "mpa_rating", "background_image", "background_image_original", "small_cover_image",
    "medium_cover_image", "large_cover_image", "state", "torrents", "date_uploaded",
    "date_uploaded_unix",
]  # fmt: skip
TORRENT_KEYS = [
    "url", "hash", "quality", "type", "is_repack", "video_codec", "bit_depth", "audio_channels",
    "seeds", "peers", "size", "size_bytes", "date_uploaded", "date_uploaded_unix",
]  # fmt: skip


def read(root: str, endpoint: str, query: str = "") -> dict:
    """Return the `data` of a response with status ok."""
    response = requests.get(f"{root}/api/v2/{endpoint}.json?{query}", timeout=20)
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    return response.json()["data"]


def ids(data: dict) -> list[int]:
    """Return the ids of a page."""
    return [movie["id"] for movie in data.get("movies", [])]


def test_a_list_row_has_all_keys_of_yts_in_their_order(served: str):
    """No key is absent, added or null, whatever the mirror knows: clients break on them."""
    for page in (1, 2, 3):
        for movie in read(served, "list_movies", f"limit=50&page={page}")["movies"]:
            assert list(movie) == ROW_KEYS
            assert None not in movie.values()
            for torrent in movie["torrents"]:
                assert list(torrent) == TORRENT_KEYS
                assert None not in torrent.values()
                assert isinstance(torrent["bit_depth"], str)


def test_details_add_likes_cast_and_images_and_drop_three_keys(served: str):
    """As YTS does; cast and images come only on request, and at most four people."""
    plain = read(served, "movie_details", "movie_id=5")["movie"]
    full = read(served, "movie_details", "movie_id=5&with_cast=true&with_images=1")["movie"]

    assert set(plain) == set(ROW_KEYS) - {"summary", "synopsis", "state"} | {
        "like_count",
        "description_intro",
    }
    assert len(set(full) - set(plain)) == 7
    assert 1 <= len(full["cast"]) <= 4
    assert set(full["cast"][0]) >= {"name", "character_name", "imdb_code"}


def test_a_response_equals_that_of_the_source(served: str):
    """For movies without quirks, the mirror of the practice API responds as the practice API."""
    with open_sandbox(SandboxSettings(movies=300)) as sandbox:
        theirs = {
            movie["id"]: movie
            for page in range(1, 7)
            for movie in sandbox_list(sandbox, page)
            if movie["title"] and movie["year"] and movie.get("torrents") and movie.get("genres")
        }
    ours = {
        movie["id"]: movie
        for page in range(1, 7)
        for movie in read(served, "list_movies", f"limit=50&page={page}")["movies"]
    }

    assert len(theirs) > 250
    different = {
        (key, json.dumps(movie[key]), json.dumps(ours[id_][key]))
        for id_, movie in theirs.items()
        for key in movie
        if sort_genres(key, movie[key]) != ours[id_][key]
    }
    assert {key for key, *_ in different} <= {"summary", "description_full", "synopsis"}
    assert len(different) < 20


def sandbox_list(sandbox: Sandbox, page: int) -> list[dict]:
    """Return the movies of a page of the sandbox."""
    url = f"{sandbox.url}/list_movies.json?limit=50&page={page}"
    return requests.get(url, timeout=20).json()["data"].get("movies", [])


def sort_genres(key: str, value: object) -> object:
    """Return the genres in alphabetical order, as the mirror has them; other values as they are."""
    return sorted(value) if key == "genres" else value


@pytest.mark.parametrize(
    ("query", "equal"),
    [
        ("genre=&quality=&query_term=", ""),
        ("genre=All&quality=ALL&query_term=0", ""),
        ("minimum_rating=", "minimum_rating=0"),
        ("minimum_rating=7.0", "minimum_rating=7"),
        ("order_by=ASC", "order_by=asc"),
        ("sort=seeds&order=asc&set=2&rating=9", ""),
        ("limit=0", "limit=20"),
        ("limit=999", "limit=50"),
        (f"limit={'9' * 26}", "limit=50"),
        ("limit=ten&page=two", ""),
        ("page=0", "page=1"),
        ("sort_by=nonsense&order_by=nonsense", ""),
        ("genre=DRAMA", "genre=drama"),
        ("query_term=%00", ""),
    ],
)
def test_values_that_make_no_sense_are_the_default(served: str, query: str, equal: str):
    """Clients send empty values, decimals, any case and parameters of an older API."""
    assert read(served, "list_movies", query) == read(served, "list_movies", equal)


def test_filters_and_orders_choose_and_sort(served: str):
    """Each parameter does what its name says, and the count is that of the filtered list."""
    drama = read(served, "list_movies", "genre=drama&minimum_rating=8.5&sort_by=rating&limit=50")
    oldest = read(served, "list_movies", "order_by=asc&limit=3")
    quality = read(served, "list_movies", "quality=2160p.x265&limit=50")
    found = read(served, "list_movies", "query_term=godfather 1972")

    ratings = [movie["rating"] for movie in drama["movies"]]
    assert ratings == sorted(ratings, reverse=True)
    assert min(ratings) >= 8.5
    assert all("Drama" in movie["genres"] for movie in drama["movies"])
    assert drama["movie_count"] == len(ratings)
    assert ids(oldest) == sorted(ids(oldest))
    for movie in quality["movies"]:
        made = {(torrent["quality"], torrent["video_codec"]) for torrent in movie["torrents"]}
        assert ("2160p", "x265") in made
    assert [movie["title"] for movie in found["movies"]] == ["The Godfather"]
    code = found["movies"][0]["imdb_code"]
    assert ids(read(served, "list_movies", f"query_term={code.upper()}")) == ids(found)


def test_a_page_past_the_end_has_no_movies(served: str):
    """The key is absent, and the count is that of the list."""
    for page in (1000, 2**31 - 1, 2**31, int("9" * 26)):
        data = read(served, "list_movies", f"page={page}")
        assert "movies" not in data
        assert data["movie_count"] >= 250


@pytest.mark.parametrize(
    "query", ["", "movie_id=999999", "movie_id=x", "imdb_id=tt0", "movie_id=-1"]
)
def test_a_movie_that_is_not_there_is_the_ghost(served: str, query: str):
    """A success with a movie whose id is 0; and no suggestions."""
    assert read(served, "movie_details", query)["movie"]["id"] == 0
    assert read(served, "movie_suggestions", query) == {"movie_count": 0}


def test_suggestions_are_four_movies_in_the_short_form(served: str):
    """Without the large cover, and torrents without a type, as at YTS."""
    data = read(served, "movie_suggestions", "movie_id=5")

    assert data["movie_count"] == 0
    assert len(set(ids(data)) - {5}) == 4
    for movie in data["movies"]:
        assert list(movie) == [key for key in ROW_KEYS if key != "large_cover_image"]
        assert all("type" not in torrent for torrent in movie["torrents"])


def test_a_movie_is_found_by_its_imdb_code(served: str):
    """In any case; the code goes before the id."""
    movie = read(served, "movie_details", "movie_id=5")["movie"]

    for query in (
        f"imdb_id={movie['imdb_code']}",
        f"movie_id=6&imdb_id={movie['imdb_code'].upper()}",
    ):
        assert read(served, "movie_details", query)["movie"] == movie


def test_parental_guides_are_one_entry(served: str):
    """As YTS has had it since 2017."""
    assert read(served, "movie_parental_guides", "movie_id=5")["parental_guide_count"] == 1


def test_text_is_escaped_as_php_does(db: DatabaseManager):
    """Slashes and all that is not ASCII; clients get the same text back."""
    title = 'Amélie / "静か" \\ \U0001f3ac'
    assert db.save_movie({"id": 7, "title": title, "torrents": []})[0]
    with open_server(db) as root:
        response = requests.get(f"{root}/api/v2/list_movies.json", timeout=20)

    assert response.content.isascii()
    assert rb"Am\u00e9lie \/ \"\u9759\u304b\" \\ \ud83c\udfac" in response.content
    assert response.json()["data"]["movies"][0]["title"] == title


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_clients_may_use_any_reading_method_and_a_slash(served: str, method: str, slash: str):
    """HEAD has the headers of GET without a body."""
    response = requests.request(method, f"{served}/api/v2/list_movies.json{slash}", timeout=20)

    assert response.status_code == (204 if method == "OPTIONS" else 200)
    assert bool(response.content) == (method == "GET")


def test_a_mirror_of_a_mirror_is_equal(mirror_url, db: DatabaseManager, served: str):
    """A fetch from the server stores the movies, genres, cast and torrents of the first mirror."""
    report = fetch(db, f"{served}/api/v2")

    assert (report.exit_code, report.is_complete) == (0, True)
    with DatabaseManager(mirror_url) as first:
        assert contents(db) == contents(first)


def test_a_mirror_of_a_growing_mirror_becomes_equal(
    db: DatabaseManager, new_database: Callable[..., URL], monkeypatch: pytest.MonkeyPatch
):
    """
    Fetched while the first mirror is being filled, and at most once more when that is done.

    Movies whose details the first one did not have are failures, which are due again later.
    """
    shrink_pages(monkeypatch)
    settings = SandboxSettings(movies=FEW_MOVIES, latency_seconds=0.002)
    with (
        DatabaseManager(new_database()) as first,
        open_sandbox(settings) as sandbox,
        open_server(first) as root,
        ThreadPoolExecutor(1) as threads,
    ):
        fetch(first, sandbox.url, max_pages=1, details=False)
        growing = threads.submit(fetch, first, sandbox.url)
        reports = [fetch(db, f"{root}/api/v2")]
        assert growing.result().is_complete
        run_sql(db.url, "UPDATE fetch_failures SET next_attempt_at = now()")
        reports.append(fetch(db, f"{root}/api/v2"))

        assert {report.exit_code for report in reports} <= {0, 3}
        assert reports[-1].is_complete
        assert contents(db) == contents(first)


def test_details_that_the_mirror_lacks_are_filled_but_not_taken_for_known(db: DatabaseManager):
    """Clients get all keys; a fetch from the server leaves the movie for a later run."""
    movie = {"id": 1, "title": "Lamp", "torrents": []}
    with open_server(db) as root:
        url = f"{root}/api/v2/movie_details.json?movie_id=1"
        db.save_movie(movie)
        listed = requests.get(url, timeout=20)
        db.save_movie({**movie, "like_count": 3, "cast": []})
        detailed = requests.get(f"{url}&with_cast=true", timeout=20)

    assert listed.json()["status"] == "ok"
    assert listed.json()["data"]["movie"]["like_count"] == 0
    with pytest.raises(MalformedMovie, match="not have the details"):
        parse_details(listed.content, 1)
    known = parse_details(detailed.content, 1)
    assert known is not None
    assert known.like_count == 3


def contents(db: DatabaseManager) -> dict[str, list]:
    """Return what both mirrors must have in common."""
    tables = table_contents(db)
    return {name: tables[name] for name in ("genres", "torrents", "casts", "roles")}


def test_a_movie_that_is_gone_is_not_served(db: DatabaseManager):
    """It stays in the mirror, but YTS would not show it either."""
    for movie_id in (1, 2):
        db.save_movie({"id": movie_id, "title": f"Lamp {movie_id}", "torrents": []})
    run_sql(db.url, "UPDATE movies SET gone_since = now() WHERE external_id = 1")
    with open_server(db) as root:
        data = read(root, "list_movies")
        assert (ids(data), data["movie_count"]) == ([2], 1)
        assert read(root, "movie_details", "movie_id=1")["movie"]["id"] == 0
