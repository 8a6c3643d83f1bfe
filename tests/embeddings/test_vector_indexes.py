"""`build_indexes`: which index the vectors of a space have, and what is read without one."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.search.filters import MovieFilter
from database.search.nearest import MovieTarget, VectorColumn, nearest_query, read_nearest
from database.vectors import indexes
from database.vectors.spaces import Space, read_active_space
from embeddings.index import embed_all
from tests.embeddings.test_index import fill, rows
from tests.support.databases import run_sql

_METHODS = """
    SELECT c.oid, amname FROM pg_class c JOIN pg_am ON pg_am.oid = relam
    WHERE relname LIKE 'idx\\_movie\\_embeddings\\_vector\\_%' ORDER BY relname"""
#: All movies match it, so that all vectors are compared.
_EVERYTHING = MovieFilter(years=(0, 3000))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 4 movies be enough for an IVFFlat index, and 8 for an HNSW index."""
    monkeypatch.setattr(indexes, "_LEAST_FOR_LISTS", 4)
    monkeypatch.setattr(indexes, "_LEAST_FOR_LINKS", 8)


def methods(db: DatabaseManager) -> list[object]:
    """Return the kinds of the two vector indexes."""
    return [method for _, method in rows(db, _METHODS)]


def active_space(session: Session) -> Space:
    """Return the active space, which exists."""
    space = read_active_space(session)
    assert space is not None
    return space


def test_the_indexes_suit_the_number_of_movies(db: DatabaseManager):
    """A growing mirror has no vector index, then two IVFFlat indexes, then two HNSW indexes."""
    seen = []
    for movies in (3, 4, 7, 8, 9):
        fill(db, movies)
        embed_all(db)
        seen.append(methods(db))

    assert seen == [[], ["ivfflat"] * 2, ["ivfflat"] * 2, ["hnsw"] * 2, ["hnsw"] * 2]


def test_an_index_that_is_there_stays(db: DatabaseManager, monkeypatch: pytest.MonkeyPatch):
    """An index for more movies, for example of an earlier version, is neither dropped nor built."""
    fill(db, 8)
    embed_all(db)
    before = rows(db, _METHODS)

    for least in (indexes.LISTS, 9):
        monkeypatch.setattr(indexes, "_LEAST_FOR_LINKS", 1000)
        monkeypatch.setattr(indexes, "_LEAST_FOR_LISTS", least)
        fill(db, 9)
        embed_all(db)

        assert rows(db, _METHODS) == before
    assert methods(db) == ["hnsw"] * 2


@pytest.mark.parametrize("kind", ["recommend", "search"])
def test_without_an_index_the_nearest_are_exact(db: DatabaseManager, kind: VectorColumn):
    """All vectors are compared, as they are with filters."""
    fill(db, 3)
    embed_all(db)

    with db.get_session() as session:
        target = MovieTarget(active_space(session), kind, 1)
        nearest = read_nearest(session, target, MovieFilter(), 3)
        assert len(nearest) == 3
        assert nearest == read_nearest(session, target, _EVERYTHING, 3)


@pytest.mark.parametrize("kind", ["recommend", "search"])
def test_lists_are_read_by_number_of_results(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch, kind: VectorColumn
):
    """The IVFFlat index is used; with many results all of its lists are read."""
    monkeypatch.setattr(indexes, "_LEAST_FOR_LINKS", 1000)
    fill(db, 120)
    embed_all(db)

    with db.get_session() as session:
        session.execute(text("SET LOCAL enable_sort = off"))
        space = active_space(session)
        target = MovieTarget(space, kind, 1)
        query = nearest_query(space, kind, target.operand, MovieFilter(), 10)
        plan = session.scalars(text(f"EXPLAIN {query}"), target.parameters).all()
        assert indexes.index_name(kind, space.id) in "".join(plan)
        few = read_nearest(session, target, MovieFilter(), 10)
        every = read_nearest(session, target, MovieFilter(), 1000)
        exact = read_nearest(session, target, _EVERYTHING, 1000)
    assert few[0] == exact[0]
    assert len(few) == 10
    assert every == exact


def test_an_index_is_built_by_one_process_if_several_have_too_little_shared_memory(
    db: DatabaseManager,
):
    """As in a container: PostgreSQL reports a full disk for /dev/shm."""
    fill(db, 9)
    run_sql(
        db.url,
        """
        CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF current_setting('max_parallel_maintenance_workers')::int > 0 THEN
                RAISE 'could not resize shared memory segment' USING ERRCODE = '53100';
            END IF;
        END $$""",
        "CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE INDEX') "
        "EXECUTE FUNCTION refuse()",
    )
    try:
        embed_all(db)
    finally:
        run_sql(db.url, "DROP EVENT TRIGGER refuse", "DROP FUNCTION refuse")

    assert methods(db) == ["hnsw"] * 2
