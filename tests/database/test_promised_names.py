"""The promised names of the library work as documented, from a script of a user."""

import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import URL, select, text
from sqlalchemy.orm import Session

from database.bookkeeping.failures import Failure, record_failures
from database.bookkeeping.listed_movies import note_listed
from database.bookkeeping.missing import record_missing
from database.bookkeeping.models import (
    FetchFailure,
    FetchRun,
    MissingMovie,
    RequestBudget,
    SyncState,
)
from database.bookkeeping.request_budget import reset_budget
from database.bookkeeping.runs import start_run
from database.bookkeeping.sweep_state import begin_reading
from database.bookkeeping.workers import note_work
from database.db import DatabaseManager
from database.models import (
    Base,
    Cast,
    EmbeddingSpace,
    Genre,
    Movie,
    MovieCast,
    MovieEmbedding,
    SearchWord,
)
from sandbox.api.sandbox_server import Sandbox
from tests.support.data.movies import movie, person, read, save
from tests.support.paths import REPO
from tests.support.processes.programs import in_database, run_program

SCRIPT = REPO / "tests" / "support" / "promised_use.py"


def _run_script(sandbox: Sandbox, environment: dict[str, str], cwd: Path) -> None:
    done = run_program(
        [sys.executable, str(SCRIPT)],
        {"PYTHONPATH": str(REPO), "YTS_API_URL": sandbox.url, **environment},
        cwd,
    )

    assert done.stderr == ""
    assert (done.returncode, done.stdout) == (0, "as promised\n")


def test_a_script_on_a_database_of_its_own(
    database_url: URL, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Only DATABASE_URL is set; any working directory will do."""
    _run_script(sandbox, in_database(database_url), tmp_path)


def test_a_script_without_any_database(sandbox: Sandbox, tmp_path: Path) -> None:
    """The embedded server is created, and stops at the end of the script."""
    _run_script(sandbox, {"YTS_HOME": str(tmp_path / "home")}, tmp_path)

    assert not (tmp_path / "home/data/postmaster.pid").exists()


def test_the_models_can_be_imported_without_a_database() -> None:
    """Neither an engine nor a socket is opened, so that tools can read the metadata."""
    program = (
        "import socket, sqlalchemy, sqlalchemy.orm\n"
        "def refuse(*_, **__): raise SystemExit('opened')\n"
        "socket.socket.connect = sqlalchemy.create_engine = refuse\n"
        "from database.models import Base\n"
        "import sys\n"
        "assert 'movies' in Base.metadata.tables\n"
        "assert 'psycopg2' not in sys.modules and 'database.db' not in sys.modules\n"
    )

    environment = {"DATABASE_URL": "postgresql://nowhere.invalid"}
    done = run_program([sys.executable, "-c", program], environment, REPO, from_scratch=True)

    assert (done.returncode, done.stderr) == (0, "")


def _rows_of_every_table(session: Session) -> list[Base]:
    mappers = Base.registry.mappers
    return [row for mapper in mappers for row in session.scalars(select(mapper.class_))]


def test_every_model_has_a_dict_for_apis(db: DatabaseManager) -> None:
    """`to_dict` has all columns except the search vector, as JSON, in a session and outside."""
    save(db, movie(1))
    reset_budget(db.engine, 2.0)
    with db.get_session() as session:
        start_run(session, "test")
        note_work(session, "worker", "page 1")
        begin_reading(session)
        note_listed(session, [1], 1, 1)
        record_missing(session, [5], "https://yts.gg/api/v2")
        record_failures(session, [Failure("page", "1", "fetch", "YtsUnavailable", "none")])
        row_id = session.scalars(select(Movie.id)).one()
        space = EmbeddingSpace(
            model="m",
            model_hash="h",
            recipe=1,
            recommend_dimensions=364,
            search_dimensions=256,
            is_active=True,
        )
        session.add(
            MovieEmbedding(movie_id=row_id, space=space, document_hash="h", search=[0.5] * 256)
        )
        session.add(SearchWord(word="film", movies=1, is_name=True))
    with db.get_session() as session:
        rows = _rows_of_every_table(session)
        kinds = {type(row) for row in rows}
        assert kinds == {mapper.class_ for mapper in Base.registry.mappers}
        assert kinds > {FetchRun, FetchFailure, MissingMovie, SyncState, RequestBudget}
        inside = [json.dumps(row.to_dict()) for row in rows]

    assert [json.dumps(row.to_dict()) for row in rows] == inside
    for row in rows:
        columns = {column.key for column in row.__table__.columns} - {
            "search_vector",
            "document_hash",
        }
        assert columns <= row.to_dict().keys()


def test_the_dict_of_a_movie_has_what_belongs_to_it(db: DatabaseManager) -> None:
    """It has genres, cast and torrents; outside of a session only what was loaded."""
    save(db, movie(1))
    with db.get_session() as session:
        bare = session.scalars(select(Movie)).one()
    with db.get_session() as session:
        full = session.scalars(select(Movie)).one()
        as_dict = full.to_dict()

    assert as_dict["genres"] == ["Action", "Drama"]
    assert [(role["name"], role["character_name"]) for role in as_dict["casts"]] == [
        ("Person 1001", "Role 1001"),
        ("Person 1", "Herself"),
    ]
    assert [torrent["quality"] for torrent in as_dict["torrents"]] == ["720p", "1080p"]
    assert as_dict["date_uploaded"] == "2015-11-01T02:51:26+00:00"
    assert bare.to_dict().keys() == as_dict.keys() - {"genres", "casts", "torrents"}


def test_deleting_a_movie_deletes_its_rows(db: DatabaseManager) -> None:
    """People and genres stay, because other movies have them too."""
    save(db, movie(1), movie(2))
    with db.get_session() as session:
        session.delete(session.scalars(select(Movie).where(Movie.external_id == 1)).one())

    assert read(db, "SELECT count(*) FROM torrents") == [2]
    assert read(db, "SELECT count(*) FROM movie_casts") == [2]
    assert read(db, "SELECT count(*) FROM casts") == [3]


def test_save_movie_returns_why_postgresql_has_refused(db: DatabaseManager) -> None:
    """The message is one line, without the row."""
    with db.get_session() as session:
        session.execute(text("ALTER TABLE movies ADD CHECK (external_id <> 13)"))

    success, movie_id, message = db.save_movie(movie(13))

    assert (success, movie_id) == (False, None)
    assert "violates check constraint" in message
    assert "\n" not in message


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """Return a thread for a call that has to wait."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def _create(db: DatabaseManager, kind: type[Base], session: Session) -> Base:
    if kind is Genre:
        return db.get_or_create_genre(session, " Drama ")
    return db.get_or_create_cast(session, person(1))


@pytest.mark.parametrize("kind", [Genre, Cast])
@pytest.mark.parametrize("is_kept", [True, False], ids=["committed", "rolled back"])
def test_two_sessions_that_create_the_same_get_one_row(
    db: DatabaseManager, background: ThreadPoolExecutor, kind: type[Base], *, is_kept: bool
) -> None:
    """The second waits for the first, and creates the row itself if the first rolls back."""
    has_begun = threading.Event()

    def create_second() -> int:
        with db.get_session() as session:
            has_begun.set()
            row_id: int = _create(db, kind, session).to_dict()["id"]
            return row_id

    second: Future[int]
    with db.get_session() as session:
        first_id = _create(db, kind, session).to_dict()["id"]
        second = background.submit(create_second)
        assert has_begun.wait(5)
        with pytest.raises(TimeoutError):
            second.result(0.2)
        if not is_kept:
            session.rollback()
    second_id = second.result(5)

    assert (second_id == first_id) == is_kept
    assert read(db, f"SELECT id FROM {kind.__tablename__}") == [second_id]


def test_an_empty_name_is_refused(db: DatabaseManager) -> None:
    """Otherwise all genres or people without a name would be one row."""
    with db.get_session() as session:
        with pytest.raises(ValueError, match="name"):
            db.get_or_create_genre(session, " ")
        with pytest.raises(ValueError, match="name"):
            db.get_or_create_cast(session, {"name": "", "imdb_code": "0000001"})


def test_the_role_of_a_person_names_the_person(db: DatabaseManager) -> None:
    """That holds also outside of the session, if the person was loaded."""
    save(db, movie(1, cast=[person(1)]))
    with db.get_session() as session:
        bare = session.scalars(select(MovieCast)).one()
    with db.get_session() as session:
        link = session.scalars(select(MovieCast)).one()
        assert link.cast.name == "Person 1"

    assert link.to_dict()["imdb_code"] == "0000001"
    assert "imdb_code" not in bare.to_dict()
