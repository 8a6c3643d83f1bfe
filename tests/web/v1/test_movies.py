"""One movie, similar movies, searches and people of the API v1."""

import json
from datetime import datetime

import pytest
import requests
from sqlalchemy import URL

from database.db import DatabaseManager
from database.repository import MovieRepository
from embeddings.load import open_embedder
from tests.support.data.movies import movie as movie_data
from tests.support.databases import run_sql
from tests.support.processes.commands import call
from tests.support.servers.web_server import open_server
from tests.web.v1.test_lists import get, ids
from web import meaning
from web.settings import ServerSettings
from web.v1 import movies


def comparable(movie: dict) -> dict:
    """Return a movie with its times in one spelling."""
    times = {name for name in movie if name.endswith(("_at", "_since")) or name == "date_uploaded"}
    movie |= {name: movie[name] and datetime.fromisoformat(movie[name]) for name in times}
    movie["torrents"] = [
        {**torrent, "date_uploaded": datetime.fromisoformat(torrent["date_uploaded"])}
        for torrent in movie["torrents"]
    ]
    return movie


def test_a_movie_has_the_fields_of_the_command(served: str, mirror_url: URL):
    """`query_movies.py show --json --posters` prints the same object, except its message type."""
    done = call("query_movies.py", "show", "5", "--json", "--posters", url=mirror_url)
    shown = json.loads(done.stdout)
    del shown["message_type"]

    movie = get(served, "/movies/5").json()

    assert list(movie) == list(shown)
    assert comparable(movie) == comparable(shown)


def test_a_movie_is_found_by_its_id_or_imdb_code(served: str):
    """The code may be written in any case; a title is not a name here."""
    movie = get(served, "/movies/5").json()

    assert get(served, f"/movies/{movie['imdb_code'].upper()}").json() == movie
    for name in ("0", "999999999", "tt0000000", "Jaws", "5.0", "-5", "%00"):
        response = requests.get(f"{served}/api/v1/movies/{name}", timeout=20)
        assert (response.status_code, response.json()["title"]) == (404, "Not Found"), name


def test_a_code_of_several_movies_names_their_ids(db: DatabaseManager):
    """409, because the client must choose."""
    for number in (1, 2):
        db.save_movie({**movie_data(number), "imdb_code": "tt7654321"})
    with open_server(db) as root:
        response = requests.get(f"{root}/api/v1/movies/tt7654321", timeout=20)

    assert response.status_code == 409
    assert "Use one of their ids: 1, 2." in response.json()["detail"]


def test_similar_movies_are_those_of_the_command(served: str, mirror_url: URL):
    """With the same score, the sum of its parts; the reasons are what both really share."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        repository = MovieRepository(session)
        movie = repository.get(5)
        assert movie is not None
        expected = [
            (each.movie.external_id, round(each.similarity, 4), round(each.score, 4))
            for each in repository.similar(movie, limit=10)
        ]
        genres = {genre.name for genre in movie.genres}
    page = get(served, "/movies/5/similar?limit=10").json()

    found = [(item["id"], item["similarity"], item["score"]) for item in page["items"]]
    assert found == expected
    assert page["note"] is None
    for item in page["items"]:
        assert {*item["why"]["genres"]} == genres & {*item["genres"]}
        assert item["why"]["text"]
        assert total_of(item["parts"]) == pytest.approx(item["score"], abs=0.001)
    assert any(item["why"]["words"] for item in page["items"])


def total_of(parts: dict[str, dict[str, float]]) -> float:
    """Return the sum of values times weights, of the sum of all weights."""
    points = sum(part["value"] * part["weight"] for part in parts.values())
    return points / sum(part["weight"] for part in parts.values())


def test_recommendations_are_those_of_the_command(served: str, mirror_url: URL):
    """Each with the liked movie that it is compared with; pages follow each other."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        repository = MovieRepository(session)
        five, eight, six = filter(None, map(repository.get, (5, 8, 6)))
        expected = [
            (each.movie.external_id, round(each.score, 4), each.like.external_id)
            for each in repository.recommend([five, eight], [six], limit=10)
        ]
    page = get(served, "/recommend?like=5&like=8&unlike=6&limit=10").json()
    parts = [page, get(served, "/recommend?like=5&like=8&unlike=6&limit=4").json()]

    found = [(item["id"], item["score"], item["most_like"]) for item in page["items"]]
    assert found == expected
    assert not {5, 6, 8} & {*ids(page["items"])}
    assert all(item["why"]["text"] for item in page["items"])
    assert ids(parts[1]["items"]) == ids(page["items"])[:4]


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [("", 400, "like"), ("like=999999", 404, "999999"), ("like=5&unlike=5", 400, "both like"),
     ("like=alien", 400, "like"), ("&".join(f"like={n}" for n in range(1, 12)), 400, "like")],
)  # fmt: skip
def test_recommendations_need_movies_of_the_mirror(
    served: str, query: str, status: int, message: str
):
    """The problem names the parameter or the movie."""
    response = requests.get(f"{served}/api/v1/recommend?{query}", timeout=20)
    assert (response.status_code, message in response.json()["detail"]) == (status, True)


def test_a_search_is_that_of_the_command(served: str, mirror_url: URL):
    """How each movie was found is said; scores fall, and what is named has 1."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        repository = MovieRepository(session, open_embedder(session))
        expected = [
            (found.movie.external_id, found.how)
            for found in repository.search("a ship lost at sea", limit=20)
        ]
    page = get(served, "/search?q=a+ship+lost+at+sea").json()
    scores = [item["score"] for item in page["items"]]

    assert [(item["id"], item["found_by"]) for item in page["items"]] == expected
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] < 1
    assert (page["by_meaning"], page["note"]) == (True, None)
    for item in page["items"]:
        assert total_of(item["parts"]) == pytest.approx(item["score"], abs=0.001)
    named = get(served, "/search?q=the+godfather").json()["items"][0]
    assert (named["title"], named["found_by"], named["score"]) == ("The Godfather", "title", 1)


def test_without_vectors_searches_use_words_and_say_so(db: DatabaseManager):
    """Similar movies are then those of the same genres, with the reason and what to do."""
    for number in range(1, 4):
        db.save_movie({**movie_data(number), "title": f"Lamp {number}", "genres": ["Drama"]})
    with open_server(db, ServerSettings(connections=2, checks_responses=True)) as root:
        found = get(root, "/search?q=lamp").json()
        similar = get(root, "/movies/1/similar").json()
        health = get(root, "/health").json()

    assert sorted(ids(found["items"])) == [1, 2, 3]
    assert (found["by_meaning"], health["searches_by_meaning"]) == (False, False)
    assert "embed_movies.py" in found["note"]
    assert "embed_movies.py" in similar["note"]
    assert sorted(ids(similar["items"])) == [2, 3]
    assert similar["items"][0]["why"]["genres"] == ["Drama"]
    assert similar["items"][0]["similarity"] is similar["items"][0]["parts"] is None


def test_without_the_libraries_for_vectors_searches_use_words(
    mirror_url: URL, monkeypatch: pytest.MonkeyPatch
):
    """Similar movies are found by the stored vectors, without reasons."""
    monkeypatch.setattr(meaning, "_MISSING", "a library is missing: numpy.")
    settings = ServerSettings(connections=1, checks_responses=True)
    with DatabaseManager(mirror_url) as db, open_server(db, settings) as root:
        found = get(root, "/search?q=lamp").json()
        similar = get(root, "/movies/5/similar?limit=2").json()

    assert (found["by_meaning"], found["note"]) == (
        False,
        "Searched by words alone: a library is missing: numpy.",
    )
    assert [item["why"] for item in similar["items"]] == [None, None]
    assert similar["items"][0]["similarity"] > 0


def test_movies_that_disappear_meanwhile_are_a_problem(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """503: practice data is being replaced. Nothing is paired with another movie."""
    for number in (1, 2):
        db.save_movie({**movie_data(number), "title": "Lamp", "genres": ["Drama"]})
    monkeypatch.setattr(movies, "read_movies_json", lambda _session, _ids: [])
    with open_server(db) as root:
        for path in ("/movies/1", "/search?q=lamp", "/movies/1/similar"):
            response = requests.get(f"{root}/api/v1{path}", timeout=20)
            assert (response.status_code, response.headers["Retry-After"]) == (503, "2"), path


def test_people_are_found_by_name_and_code(served: str):
    """A person of a movie has a page, and the movies of a person have that person."""
    (person,) = get(served, "/people?name=tom+hanks").json()["items"]
    played = get(served, f"/people/{person['id']}/movies").json()["items"]

    assert get(served, "/people/TOM%20HÁNKS").json() == person
    for code in (person["id"], person["imdb_code"]):
        assert get(served, f"/people/{code}").json() == person
    assert len(played) == person["movies"] > 0
    for movie in played:
        assert person["imdb_code"] in {member["imdb_code"] for member in movie["casts"]}


@pytest.mark.parametrize("path", ["/people/Nobody%20At%20All", "/people/nm99999999", "/people/%20"])
def test_a_person_who_is_not_there_is_a_problem(served: str, path: str):
    """404, with the address where people are listed."""
    response = requests.get(f"{served}/api/v1{path}", timeout=20)

    assert response.status_code == 404
    assert "/people?name=" in response.json()["detail"]


def test_a_movie_that_is_gone_is_in_lists_only_on_request(db: DatabaseManager):
    """Its own address still has it, with the time since when it is gone."""
    for number in (1, 2):
        db.save_movie(movie_data(number))
    run_sql(db.url, "UPDATE movies SET gone_since = now() WHERE external_id = 1")
    with open_server(db) as root:
        listed = get(root, "/movies").json()
        assert (ids(listed["items"]), listed["total"]) == ([2], 1)
        assert ids(get(root, "/movies?with_gone=true").json()["items"]) == [2, 1]
        assert get(root, "/movies/1").json()["gone_since"]
