"""
Recorded responses of YTS, 2015 to 2026: from HTTP through the client into the tables.

They are not part of the repository; without them all tests are skipped.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import URL, text

from database.db import DatabaseManager
from database.step import Step, StepResult, save_step
from tests.support.data.payload_rows import expected, read_movies
from tests.support.data.recorded import (
    INDEX,
    Catalogue,
    Recording,
    read_catalogue,
    read_index,
)
from tests.support.data.yts_responses import a_ghost, details_response, page_response
from tests.support.databases import table_contents
from tests.support.paths import RECORDED
from tests.support.processes.commands import call
from tests.support.servers.canned_server import Canned, CannedServer, SeenRequest, open_canned
from yts.client import YtsClient
from yts.errors import NotYts, YtsError, YtsRefused, YtsUnavailable
from yts.settings import ClientSettings

pytestmark = pytest.mark.skipif(not INDEX.exists(), reason="there are no recorded responses")

ALL = read_index()
REQUESTED_ID = 123_456
LISTS = [it for it in ALL if it.is_whole and it.kind in {"list", "suggestions"}]
DETAILS = [it for it in ALL if it.is_whole and it.kind == "details"]
GHOSTS = [it for it in ALL if it.kind == "details-missing"]
EMPTY = [it for it in ALL if it.kind == "list-empty"]
FAILURES = [it for it in ALL if it.kind == "error"]
#: Movies, or the data around them, that were recorded without the envelope.
PARTS = [it for it in ALL if it.kind != "error" and not it.is_whole]

each = {"ids": lambda recording: recording.name}


@pytest.fixture(scope="module")
def shared_db(new_database: Callable[..., URL]) -> Iterator[DatabaseManager]:
    """Open one database for all tests of this module."""
    with DatabaseManager(new_database()) as manager:
        yield manager


@pytest.fixture
def empty_db(shared_db: DatabaseManager) -> DatabaseManager:
    """Return the database of this module with empty tables."""
    tables = "movie_genres, movie_casts, torrents, movies, genres, casts, missing_movies"
    with shared_db.get_session() as session:
        for table in tables.split(", "):
            session.execute(text(f"DELETE FROM {table}"))
    return shared_db


@pytest.fixture
def server() -> Iterator[CannedServer]:
    """Yield a server; the test sets its responses."""
    with open_canned() as running:
        yield running


@pytest.fixture
def client(server: CannedServer) -> Iterator[YtsClient]:
    """Yield a client of the server with one attempt."""
    client = YtsClient(ClientSettings(server.url, read_seconds=5, attempts=1))
    yield client
    client.close()


def serve(server: CannedServer, recording: Recording) -> None:
    """Let *server* send the recorded response."""
    server.give(Canned(recording.body, recording.status))


def assert_stored(db: DatabaseManager, recording: Recording) -> None:
    """Check that the tables have the movies of *recording* and no others, as in the JSON."""
    with db.get_session() as session:
        stored = read_movies(session)
    assert stored.keys() == {movie["id"] for movie in recording.movies}
    for movie in recording.movies:
        wanted = expected(movie)
        assert {name: stored[movie["id"]][name] for name in wanted} == wanted


def test_every_recording_has_its_test():
    """
    Each file is in exactly one of the groups above.
    """
    files = {path.name for path in RECORDED.iterdir()} - {INDEX.name}
    groups = [*LISTS, *DETAILS, *GHOSTS, *EMPTY, *FAILURES, *PARTS]

    assert len(groups) == len(files)
    assert {recording.name for recording in groups} == files


@pytest.mark.parametrize("recording", LISTS, **each)
def test_a_recorded_page_is_stored_as_it_is(
    empty_db: DatabaseManager, client: YtsClient, server: CannedServer, recording: Recording
):
    """
    Each movie is stored once, with genres and torrents; none is malformed, no field is unknown.
    """
    serve(server, recording)
    page = client.fetch_page(1, "desc")
    result = save_step(empty_db, None, Step(page.movies))

    assert page.movie_count == recording.data["movie_count"]
    assert (page.malformed, dict(page.unknown_fields)) == ((), {})
    assert result == StepResult(result.outcomes, ())
    assert result.outcomes["saved"] == result.outcomes.total() == len(recording.movies)
    assert_stored(empty_db, recording)


@pytest.mark.parametrize("recording", DETAILS, **each)
def test_recorded_details_are_stored_as_they_are(
    empty_db: DatabaseManager, client: YtsClient, server: CannedServer, recording: Recording
):
    """
    The cast keeps its order, and the movie does not need details any more.
    """
    serve(server, recording)
    movie = client.fetch_details(recording.data["movie"]["id"])
    assert movie is not None
    result = save_step(empty_db, None, Step((movie,), detailed=frozenset({movie.id})))

    assert result.outcomes == {"saved": 1}
    assert_stored(empty_db, recording)
    with empty_db.get_session() as session:
        assert read_movies(session)[movie.id]["details_fetched_at"] is not None


@pytest.mark.parametrize("recording", GHOSTS, **each)
def test_the_recorded_ghost_is_a_missing_movie(
    empty_db: DatabaseManager, client: YtsClient, server: CannedServer, recording: Recording
):
    """
    None of the twenty genres of the ghost is stored.
    """
    serve(server, recording)
    assert client.fetch_details(REQUESTED_ID) is None
    save_step(empty_db, None, Step(missing=(REQUESTED_ID,)))

    contents = {name: rows for name, rows in table_contents(empty_db).items() if rows}
    assert contents == {"missing": [(REQUESTED_ID,)]}


@pytest.mark.parametrize("recording", EMPTY, **each)
def test_a_recorded_page_without_movies_is_the_end_only_if_the_count_says_so(
    client: YtsClient, server: CannedServer, recording: Recording
):
    """
    An empty page 1 is a failure; an empty page after the last one is the end of the list.
    """
    serve(server, recording)
    count = recording.data["movie_count"]
    with pytest.raises(YtsUnavailable, match=f"YTS counts {count}"):
        client.fetch_page(1, "desc")
    page = client.fetch_page(2, "desc")
    assert (page.movie_count, page.movies, page.malformed) == (count, (), ())


@pytest.mark.parametrize("recording", FAILURES, **each)
def test_a_recorded_failure_raises_the_error_of_its_kind(
    client: YtsClient, server: CannedServer, recording: Recording
):
    """
    429 is throttling, 500 an outage, JSON of another API is not YTS, and 404 means a wrong
    base URL.
    """
    kinds: dict[int, type[YtsError]] = {200: NotYts, 404: YtsRefused}
    serve(server, recording)
    for fetch in (lambda: client.fetch_page(1, "desc"), lambda: client.fetch_details(REQUESTED_ID)):
        with pytest.raises(YtsError) as caught:
            fetch()
        assert type(caught.value) is kinds.get(recording.status, YtsUnavailable)
        assert getattr(caught.value, "is_throttled", False) is (recording.status == 429)


@pytest.mark.parametrize("recording", PARTS, **each)
def test_a_recorded_part_of_a_response_is_not_yts(
    client: YtsClient, server: CannedServer, recording: Recording
):
    """
    Movies without an envelope are not accepted from the network.
    """
    serve(server, recording)
    for fetch in (
        lambda: client.fetch_page(1, "desc"),
        lambda: client.fetch_details(recording.movies[0]["id"]),
    ):
        with pytest.raises(YtsUnavailable):
            fetch()


@pytest.mark.parametrize("recording", [*PARTS, *DETAILS], **each)
def test_a_recorded_movie_can_be_saved_by_hand(empty_db: DatabaseManager, recording: Recording):
    """
    `save_movie` takes a movie as the API sends it, and says the second time that it exists.
    """
    for movie in recording.movies:
        assert empty_db.save_movie(movie)[::2] == (True, "created")
    assert_stored(empty_db, recording)
    for movie in recording.movies:
        assert empty_db.save_movie(movie)[::2] == (True, "already_exists")


@pytest.mark.parametrize("recording", [it for it in LISTS if "token" in it.name], **each)
def test_no_token_of_a_recorded_link_is_stored_and_another_one_is_no_change(
    empty_db: DatabaseManager, client: YtsClient, server: CannedServer, recording: Recording
):
    """
    All links of a response have the same token, and each response has another one.
    """
    (token,) = set(re.findall(rb"\?(\w+)", recording.body))
    for body in (recording.body, recording.body.replace(token, b"another")):
        server.give(body)
        step = Step(client.fetch_page(1, "desc").movies, update=True)
        outcomes = save_step(empty_db, None, step).outcomes

    assert outcomes == {"unchanged": len(recording.movies)}
    assert token.decode() not in str(table_contents(empty_db))


@pytest.mark.parametrize("recording", [it for it in LISTS if "arabic" in it.name], **each)
def test_recorded_genres_in_arabic_do_not_replace_english_ones(
    empty_db: DatabaseManager, client: YtsClient, server: CannedServer, recording: Recording
):
    """
    The other fields of that response are in English, and are stored.
    """
    english = [movie | {"genres": ["Comedy", "Drama"]} for movie in recording.movies]
    server.give(page_response(*english), recording.body)
    save_step(empty_db, None, Step(client.fetch_page(1, "desc").movies))
    before = table_contents(empty_db)
    result = save_step(empty_db, None, Step(client.fetch_page(1, "desc").movies, update=True))

    assert result.outcomes == {"unchanged": len(recording.movies)}
    assert table_contents(empty_db) == before


def test_the_cast_of_a_movie_is_the_union_of_all_its_recordings(empty_db: DatabaseManager):
    """
    Responses name different people for the same movie; all of them are stored.
    """
    samples: dict[int, list[dict[str, Any]]] = {}
    for recording in DETAILS:
        movie = recording.data["movie"]
        if all(person["name"] for person in movie.get("cast", [])):
            empty_db.save_movie(movie, update=True)
            samples.setdefault(movie["id"], []).extend(movie.get("cast", []))

    with empty_db.get_session() as session:
        stored = read_movies(session)
    assert any(len(stored[movie_id]["cast"]) > 4 for movie_id in samples)
    for movie_id, people in samples.items():
        codes = [code for _, _, code, _ in stored[movie_id]["cast"]]
        assert codes == list(dict.fromkeys(person["imdb_code"] for person in people))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """Return all recordings as one catalogue."""
    return read_catalogue()


def play(catalogue: Catalogue, request: SeenRequest) -> Canned:
    """Return the response of a YTS that has only the recorded movies."""
    if request.path.endswith("/list_movies.json"):
        return Canned(catalogue.page(int(request.query["page"]), request.query["order_by"]))
    movie_id = int(request.query["movie_id"])
    # Without recorded details, the row of the list stands for them.
    row = catalogue.rows.get(movie_id)
    movie = a_ghost() if row is None else {**row, "cast": []}
    return Canned(details_response(catalogue.details.get(movie_id, movie)))


def run_command(server: CannedServer, database_url: URL) -> None:
    """Run a fetch, which must print nothing and exit with 0."""
    # The recorded ids have large gaps: an audit would request thousands.
    options = ("--api-url", server.url, "--rate", "0", "--audit", "0", "-q")
    done = call("fetch_yts_data.py", *options, url=database_url, no_proxy="*")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_command_mirrors_all_recorded_movies(
    catalogue: Catalogue, server: CannedServer, db: DatabaseManager, database_url: URL
):
    """
    After list and details every movie is stored as in the JSON; a second run adds nothing.
    """
    server.script = lambda request: play(catalogue, request)
    run_command(server, database_url)

    with db.get_session() as session:
        stored = read_movies(session)
    assert stored.keys() == catalogue.rows.keys()
    for movie_id, row in catalogue.rows.items():
        wanted = expected(row)
        if movie_id in catalogue.details:
            known = {k: v for k, v in expected(catalogue.details[movie_id]).items() if v}
            wanted |= known
        actual = {name: stored[movie_id][name] for name in wanted}
        assert actual | {"url": None} == wanted | {"url": None}
        assert stored[movie_id]["details_fetched_at"] is not None
    before = table_contents(db)
    assert before["missing"] == []

    server.requests.clear()
    run_command(server, database_url)
    assert table_contents(db) == before
    pages = [request.query["page"] for request in server.requests if "page" in request.query]
    assert pages == ["5", "6", "7", "8"]
    assert not any("movie_id" in request.query for request in server.requests)
