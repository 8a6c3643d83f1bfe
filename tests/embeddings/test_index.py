"""`embed_all`: stored vectors belong to the current documents, also after kills and new models."""

import importlib.util
import os
import time
from collections.abc import Sequence
from unittest.mock import Mock

import numpy as np
import pytest
from sqlalchemy import text

from database.db import DatabaseManager
from database.vectors import indexes
from database.vectors.spaces import EmbeddingLockHeld, hold_embedding_lock, read_active_space
from embeddings import index, load, packages
from embeddings.errors import ModelMissing
from embeddings.index import embed_all
from embeddings.load import open_embedder
from embeddings.recipe import is_up_to_date
from embeddings.vectors import Vectors, unit
from tests.support.data.movies import movie, save
from tests.support.paths import REPO
from tests.support.processes.commands import call, run
from tests.support.processes.fork_server import start_python
from tests.support.processes.programs import run_alembic

_VECTORS = """
    SELECT external_id, recommend::text, search::text, e.document_hash = m.document_hash
    FROM movies m LEFT JOIN movie_embeddings e ON e.movie_id = m.id AND space_id =
        (SELECT id FROM embedding_spaces WHERE is_active) ORDER BY 1"""


def rows(db: DatabaseManager, query: str = _VECTORS) -> list[tuple[object, ...]]:
    """Return the rows of *query*; by default the active vectors of all movies."""
    with db.get_session() as session:
        return [tuple(row) for row in session.execute(text(query))]


def fill(db: DatabaseManager, movies: int) -> None:
    """Save this number of movies, each with its own plot."""
    plots = {number: f"A king and {number} dogs, part {number}." for number in range(1, movies + 1)}
    save(db, *(movie(number, description_full=plot) for number, plot in plots.items()))


class OtherModel:
    """A model of three numbers."""

    name, folder, hash, dimensions = "other", None, "1", 3

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors from the length of each text and its number of a's."""
        return unit(np.array([[len(text), text.count("a"), 1] for text in texts], dtype=np.float32))


def test_embedding_twice_changes_nothing(db: DatabaseManager):
    """Vectors that are up to date are not written again."""
    fill(db, 5)
    assert embed_all(db).embedded == 5
    before = rows(db, "SELECT xmin::text, * FROM movie_embeddings ORDER BY movie_id")

    assert embed_all(db).embedded == 0

    assert rows(db, "SELECT xmin::text, * FROM movie_embeddings ORDER BY movie_id") == before
    with db.get_session() as session:
        assert is_up_to_date(session)


def test_only_what_changed_is_embedded(db: DatabaseManager):
    """A rating is not part of a document; a title is."""
    fill(db, 4)
    embed_all(db)
    before = rows(db)

    save(db, movie(1, description_full="A king and 1 dogs, part 1.", rating=9.9, like_count=99),
         update=True)  # fmt: skip
    assert embed_all(db).embedded == 0
    save(db, movie(2, title="Another", description_full="A king and 2 dogs, part 2."),
         update=True)  # fmt: skip
    assert embed_all(db).embedded == 1

    after = rows(db)
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True, True]
    assert all(row[3] for row in after)


def test_a_mirror_without_movies_is_up_to_date(db: DatabaseManager):
    """Without movies no model is needed."""
    with db.get_session() as session:
        assert is_up_to_date(session)
        assert open_embedder(session) is None
    fill(db, 1)
    with db.get_session() as session:
        assert not is_up_to_date(session)


def test_a_movie_without_any_text_has_no_vector(db: DatabaseManager):
    """It gets a row without vectors, so that it is not tried in each run."""
    save(db, movie(1))
    with db.get_session() as session:
        session.execute(text("DELETE FROM movie_genres; DELETE FROM movie_casts"))
        session.execute(text(
            "UPDATE movies SET title = '', title_english = NULL, description_full = NULL, "
            "summary = NULL, year = NULL, document_hash = NULL"
        ))  # fmt: skip

    assert embed_all(db).embedded == 1
    assert rows(db) == [(1, None, None, True)]
    assert embed_all(db).embedded == 0


def test_another_model_takes_over_when_it_is_full(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """Until then the active space is used; the previous space is kept until the next run."""
    monkeypatch.setattr(indexes, "_LEAST_FOR_LISTS", 1)
    fill(db, 3)
    embed_all(db)
    seen = []

    def record_space(done: int, total: int) -> None:
        with db.get_session() as session:
            space = read_active_space(session)
        seen.append((space.model if space else None, len(rows(db)), done, total))

    monkeypatch.setattr(index, "open_model", lambda _folder: OtherModel())
    embed_all(db, progress=record_space)

    assert seen == [("wordllama", 3, 3, 3)]
    spaces = "SELECT model, is_active, (SELECT count(*) FROM movie_embeddings WHERE space_id = id) "
    assert rows(db, f"{spaces} FROM embedding_spaces ORDER BY id") == [
        ("wordllama", False, 3),
        ("other", True, 3),
    ]
    embed_all(db)
    assert rows(db, f"{spaces} FROM embedding_spaces") == [("other", True, 3)]
    names = rows(
        db, "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'idx_movie_emb%vector%'"
    )
    assert len(names) == 2


def test_a_rebuild_makes_all_vectors_again_and_keeps_the_old_until_then(db: DatabaseManager):
    """During a rebuild every movie has vectors."""
    fill(db, 3)
    embed_all(db)
    before = rows(db)
    with db.get_session() as session:
        session.execute(
            text(
                "UPDATE movie_embeddings SET document_hash = '?', search = "
                "(SELECT search FROM movie_embeddings WHERE movie_id = 2) WHERE movie_id = 1"
            )
        )

    embed_all(db, is_rebuild=True, progress=lambda _done, _total: check_all(db))

    assert rows(db) == before


def check_all(db: DatabaseManager) -> None:
    """Assert that every movie has vectors."""
    assert all(row[1] for row in rows(db))


def test_several_threads_make_the_same_vectors(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """Two threads make the same vectors as one."""
    fill(db, 60)
    monkeypatch.setattr(index, "MOVIES_PER_STEP", 7)
    embed_all(db, workers=1)
    before = rows(db)

    done = []
    embed_all(db, is_rebuild=True, workers=2, progress=lambda count, _total: done.append(count))

    assert rows(db) == before
    assert done[-1] == 60


def test_a_stop_keeps_finished_steps(db: DatabaseManager, monkeypatch: pytest.MonkeyPatch):
    """An error of *progress* ends the work; the next run makes only the rest."""
    fill(db, 60)
    monkeypatch.setattr(index, "MOVIES_PER_STEP", 1)
    stop = Mock(side_effect=ZeroDivisionError)

    with pytest.raises(ZeroDivisionError):
        embed_all(db, workers=1, progress=stop)

    made = len(rows(db, "SELECT FROM movie_embeddings"))
    assert stop.call_count == 1
    assert made >= 1
    assert embed_all(db).embedded == 60 - made


def test_a_run_after_a_kill_makes_only_the_rest(db: DatabaseManager):
    """Saved vectors stay; the next run makes the rest, and nothing twice."""
    fill(db, 40)
    program = (
        "import sys; from database.db import DatabaseManager; from embeddings import index\n"
        "index.MOVIES_PER_STEP, read = 5, index.read_documents\n"
        "def read_documents(session, movie_ids):\n"
        "    if min(movie_ids) > 10: print('two steps are saved', flush=True), sys.stdin.read()\n"
        "    return read(session, movie_ids)\n"
        "index.read_documents = read_documents\n"
        "index.embed_all(DatabaseManager(sys.argv[1]), workers=1)"
    )
    url = db.url.render_as_string(hide_password=False)
    stdin, open_end = os.pipe()
    process = start_python(["-c", program, url], env={**os.environ}, cwd=REPO, stdin=stdin)
    os.close(stdin)
    assert process.stdout is not None
    assert process.stdout.readline() == "two steps are saved\n"
    with pytest.raises(EmbeddingLockHeld):
        embed_all(db)
    process.kill()
    process.communicate()
    os.close(open_end)
    wait_for_lock(db)

    assert embed_all(db).embedded == 30
    assert all(row[3] for row in rows(db))


def wait_for_lock(db: DatabaseManager) -> None:
    """Wait until PostgreSQL has released the lock of the killed process."""
    for _ in range(100):
        try:
            with hold_embedding_lock(db.engine):
                return
        except EmbeddingLockHeld:
            time.sleep(0.1)


def test_an_installed_model_stays_in_use_until_another_is_named(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """A later run keeps to the model of the vectors, and the default one can be named again."""

    class Use(OtherModel):
        name = "use"

    monkeypatch.setattr(load, "_INSTALLED", {**load._INSTALLED, "use": Use})
    fill(db, 2)

    def model_after(model: str | None) -> tuple[int, str]:
        embedded = embed_all(db, model).embedded
        with db.get_session() as session:
            embedder = open_embedder(session)
        assert embedder is not None
        return embedded, embedder.model.name

    assert model_after(None) == (2, "wordllama")
    assert model_after("use") == (2, "use")
    assert model_after(None) == (0, "use")
    assert model_after("wordllama") == (2, "wordllama")


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the package wordllama."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        packages.importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "wordllama" else find_spec(name, *rest),
    )


@pytest.mark.usefixtures("no_model")
def test_without_the_package_a_message_says_what_to_install(db: DatabaseManager):
    """The message names the package."""
    fill(db, 1)

    with pytest.raises(ModelMissing, match="pip install wordllama"):
        embed_all(db)


def test_another_version_of_the_model_is_not_used(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """Vectors of one model are never compared with those of another."""
    fill(db, 1)
    embed_all(db)
    monkeypatch.setattr("embeddings.load.open_model", lambda _folder: OtherModel())

    with db.get_session() as session, pytest.raises(ModelMissing, match=r"embed_movies\.py"):
        open_embedder(session)


def test_the_command_makes_vectors_and_says_how_many(db: DatabaseManager):
    """While another process makes vectors, the command exits with 11."""
    fill(db, 3)

    done = run("embed_movies.py", url=db.url)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("3 movies embedded in ")
    assert call("embed_movies.py", "-q", url=db.url).stderr == ""

    with hold_embedding_lock(db.engine):
        held = call("embed_movies.py", url=db.url)
    assert held.returncode == 11
    assert "Another process is making vectors" in held.stderr


def test_alembic_sees_nothing_to_do_where_there_are_spaces(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """The program makes the indexes of spaces, not the migrations."""
    monkeypatch.setattr(indexes, "_LEAST_FOR_LISTS", 1)
    fill(db, 2)
    embed_all(db)

    done = run_alembic(db.url, "check")

    assert done.returncode == 0, done.stdout + done.stderr
