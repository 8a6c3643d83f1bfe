"""
What published clients of the YTS API send, and which fields and types their code reads.

`python -m tests.proofs clients` installs these clients and runs them.
"""

import re
from datetime import datetime
from typing import Any

import pytest
import requests

from tests.web.test_yts_api import ids, read

TORRENT_HOUND = "limit=20&sort_by=seeds"
HASH = re.compile(r"[0-9A-F]{40}")


def assert_types(values: dict[str, Any], **types: type | tuple[type, ...]) -> None:
    """Assert that each field is there and has one of the types that the client can handle."""
    for name, expected in types.items():
        assert isinstance(values.get(name), expected), (name, values.get(name))


def test_yipy_gets_the_response_that_its_caller_reads(served: str):
    """yipy 1.0.0 sends all parameters, booleans as JSON, and returns the decoded response."""
    defaults = "limit=20&page=1&quality=All&minimum_rating=0&sort_by=date_added&order_by=desc"

    listed = read(served, "list_movies", f"{defaults}&with_rt_ratings=false")
    movie = read(served, "movie_details", "movie_id=5&with_images=true&with_cast=true")["movie"]
    plain = read(served, "movie_details", "movie_id=5&with_images=false&with_cast=false")["movie"]

    assert ids(listed) == sorted(ids(listed), reverse=True)
    assert len(ids(listed)) == 20
    assert_types(movie, cast=list, large_screenshot_image1=str, torrents=list)
    assert movie.keys() - plain.keys() >= {"cast", "large_screenshot_image1"}
    assert len(ids(read(served, "movie_suggestions", "movie_id=5"))) == 4
    assert read(served, "movie_parental_guides", "movie_id=5")["parental_guides"]


@pytest.mark.parametrize("endpoint", ["movie_comments", "movie_reviews", "list_upcoming"])
def test_yipy_gets_an_http_error_for_endpoints_that_no_longer_exist(served: str, endpoint: str):
    """yipy 1.0.0 turns the error of `raise_for_status` into a value for its caller."""
    response = requests.get(f"{served}/api/v2/{endpoint}.json?movie_id=5", timeout=20)

    assert response.status_code == 404


def test_torrent_hound_can_show_each_torrent_of_a_search(served: str):
    """torrent-hound 3.2.4 makes a row of each torrent, with numbers and the date of its upload."""
    response = requests.get(
        f"{served}/api/v2/list_movies.json?query_term=the&{TORRENT_HOUND}",
        timeout=20,
        allow_redirects=False,
    )

    assert response.json()["status"] == "ok"
    for movie in response.json()["data"]["movies"]:
        assert_types(movie, id=int, title_long=str, year=int, imdb_code=str, summary=str)
        assert re.match(r"https://[^/]+/movies/", movie["url"])
        assert all(isinstance(name, str) for name in movie["genres"])
        assert movie["runtime"] * 60 >= 0
        assert float(movie["rating"] or 0) >= 0
        for torrent in movie["torrents"]:
            assert_types(torrent, quality=str, type=str, video_codec=str, audio_channels=str)
            assert_types(torrent, size=str, seeds=int, peers=int)
            assert HASH.fullmatch(torrent["hash"])
            assert datetime.strptime(torrent["date_uploaded"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007


def test_torrent_hound_finds_a_quality_and_reads_that_nothing_was_found(served: str):
    """torrent-hound 3.2.4 sends the quality apart, and filters torrents by its exact spelling."""
    found = read(served, "list_movies", f"query_term=the&{TORRENT_HOUND}&quality=1080p")
    nothing = read(served, "list_movies", f"query_term=no+such+title&{TORRENT_HOUND}")

    assert len(ids(found)) == 20
    for movie in found["movies"]:
        assert "1080p" in {torrent["quality"] for torrent in movie["torrents"]}
    assert "movies" not in nothing


def test_torrent_hound_can_show_cast_and_description(served: str):
    """torrent-hound 3.2.4 reads names, and the longer one of two texts, from the details."""
    movie = read(served, "movie_details", "movie_id=5&with_cast=true")["movie"]

    assert movie["cast"]
    assert all(isinstance(person["name"], str) for person in movie["cast"])
    assert movie["description_full"]


def test_flexget_can_make_an_entry_of_each_torrent(served: str):
    """flexget 3.22.8 indexes fields without a default, and joins and adds texts of a torrent."""
    data = read(served, "list_movies", "query_term=the%20godfather")
    code = data["movies"][0]["imdb_code"]

    assert data["movie_count"] > 0
    assert ids(read(served, "list_movies", f"query_term={code}")) == ids(data)[:1]
    for movie in data["movies"]:
        assert_types(movie, title_long=str, title=str, year=int, imdb_code=str)
        for torrent in movie["torrents"]:
            assert_types(torrent, url=str, size_bytes=int, seeds=int, peers=int)
            assert HASH.fullmatch(torrent["hash"])
            texts = [torrent["quality"], torrent["type"], torrent.get("codec", "h264")]
            assert " ".join([*texts, "AAC" + torrent.get("audio_channels", "2.0")])


def test_flexget_reads_that_nothing_was_found(served: str):
    """flexget 3.22.8 compares the count of movies before it reads the list."""
    assert read(served, "list_movies", "query_term=no%20such%20title")["movie_count"] == 0


def test_yts_cli_can_print_the_movies_of_a_search(served: str):
    """yts-cli 0.1.0 prints title, year, rating and a magnet link for each kind of torrent."""
    movies = read(served, "list_movies", "query_term=the+godfather&limit=10")["movies"]

    assert len(movies) <= 10
    for movie in movies:
        assert_types(movie, id=int, title=str, year=int, rating=(int, float))
        assert all(HASH.fullmatch(torrent["hash"]) for torrent in movie["torrents"])
        assert all(torrent["quality"] for torrent in movie["torrents"])


def test_yify_api_gets_the_fields_of_its_types(served: str):
    """yify-api 1.1.3 declares these fields and types for programs in TypeScript."""
    query = "limit=50&quality=1080p&minimum_rating=6&sort_by=rating&order_by=asc"
    response = requests.get(f"{served}/api/v2/list_movies.json?{query}", timeout=20).json()
    details = "movie_id=5&with_images=true&with_cast=true"
    movie = read(served, "movie_details", details)["movie"]

    assert_types(response, status=str, status_message=str, data=dict)
    assert_types(response["@meta"], api_version=int, execution_time=str)
    assert_types(response["data"], movie_count=int, limit=int, page_number=int)
    suggestions = read(served, "movie_suggestions", "movie_id=5")["movies"]
    for each in [*response["data"]["movies"], movie, *suggestions]:
        assert_types(each, id=int, year=int, runtime=int, rating=(int, float), genres=list)
        texts = (
            "url", "imdb_code", "title", "title_english", "title_long", "slug", "language",
            "description_full", "yt_trailer_code", "mpa_rating", "background_image",
            "background_image_original", "small_cover_image", "medium_cover_image",
            "date_uploaded",
        )  # fmt: skip
        assert_types(each, **dict.fromkeys(texts, str), date_uploaded_unix=int)
        for torrent in each["torrents"]:
            names = ("url", "hash", "quality", "size", "date_uploaded")
            assert_types(torrent, **dict.fromkeys(names, str), seeds=int, peers=int)
            assert_types(torrent, size_bytes=int, date_uploaded_unix=int)


def test_yts_can_add_a_magnet_link_to_each_torrent(served: str):
    """yts 2.0.1 maps over the torrents of every movie, which must be a list even if it is empty."""
    pages = [read(served, "list_movies", f"limit=50&page={page}") for page in range(1, 7)]
    movies = [
        *(movie for page in pages for movie in page["movies"]),
        read(served, "movie_details", "movie_id=5")["movie"],
        *read(served, "movie_suggestions", "movie_id=5")["movies"],
    ]

    assert any(movie["torrents"] == [] for movie in movies)
    for movie in movies:
        assert_types(movie, title_long=str, torrents=list)
        for torrent in movie["torrents"]:
            assert_types(torrent, quality=str)
            assert HASH.fullmatch(torrent["hash"])
