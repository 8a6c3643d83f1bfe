"""`read_figures`: the numbers of the charts are those of the rows, read from indexes."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

import pytest
from sqlalchemy import URL, event, select, text
from sqlalchemy.orm import Session, selectinload

from database.db import DatabaseManager
from database.models import Movie
from database.monitoring.figures import Decade, Figures, read_figures
from tests.support.databases import run_sql
from tests.support.runs import read_sql
from tests.support.waiting import wait_until

#: Movies of many years with long rows, some of them gone, without details, or without a value.
_MOVIES = text("""
    INSERT INTO movies (external_id, title, rating, year, date_uploaded, details_fetched_at,
        gone_since, summary)
    SELECT n, 't', nullif(n % 101, 0) / 10.0, nullif(1950 + n % 70, 1950),
        CASE WHEN n % 7 > 0 THEN timestamptz '2015-12-31 23:30+01' + n * interval '9 days' END,
        CASE WHEN n % 3 > 0 THEN now() END, CASE WHEN n % 5 = 0 THEN now() END,
        repeat('x', 1500)
    FROM generate_series(1, 400) n""")
_GENRES = text("""
    WITH genre AS (INSERT INTO genres (name) VALUES ('A'), ('B'), ('C') RETURNING id, name)
    INSERT INTO movie_genres SELECT m.id, g.id FROM movies m, genre g
    WHERE name = 'A' OR name = 'B' AND external_id % 2 = 0 OR name = 'C' AND external_id % 50 = 1
    """)


@pytest.fixture
def session(db: DatabaseManager) -> Iterator[Session]:
    """Open a database with 400 movies."""
    with db.get_session() as session:
        session.execute(_MOVIES)
        session.execute(_GENRES)
        session.commit()
        yield session


def count_by_hand(session: Session) -> Figures:
    """Return the same figures from the rows."""
    query = select(Movie).where(Movie.gone_since.is_(None)).options(selectinload(Movie.genres))
    movies = list(session.scalars(query))
    decades, detailed = Counter[int](), Counter[int]()
    genres: dict[str, Counter[int]] = {}
    for movie in movies:
        if movie.year is not None:
            first = movie.year // 10 * 10
            decades[first] += 1
            detailed[first] += movie.details_fetched_at is not None
            for genre in movie.genres:
                genres.setdefault(genre.name, Counter())[first] += 1
    days = [it.date_uploaded.astimezone(UTC).date() for it in movies if it.date_uploaded]
    return Figures(
        time=read_figures(session).time,
        uploads=Counter(day.replace(day=1) for day in days),
        is_by_day=False,
        decades={first: Decade(decades[first], detailed[first]) for first in decades},
        genres=genres,
        ratings=Counter(int(movie.rating * 2) for movie in movies if movie.rating),
    )


def test_figures_are_those_of_the_rows(session: Session):
    """Movies that YTS no longer has are left out, and movies without a value where it is needed."""
    figures, expected = read_figures(session), count_by_hand(session)

    assert {**figures.uploads} == {**expected.uploads}
    assert figures.decades == expected.decades
    assert figures.genres == expected.genres
    assert figures.ratings == expected.ratings
    assert not figures.is_by_day


def test_figures_are_in_the_order_of_charts(session: Session):
    """Times ascend; the largest genre is first."""
    figures = read_figures(session)

    assert [*figures.uploads] == sorted(figures.uploads)
    assert [*figures.decades] == sorted(figures.decades)
    assert [*figures.genres] == ["A", "B", "C"]
    assert all([*decades] == sorted(decades) for decades in figures.genres.values())


def test_uploads_of_some_weeks_are_counted_by_the_day(session: Session):
    """One month would be no line."""
    session.execute(text("UPDATE movies SET date_uploaded = timestamptz '2026-01-31 23:00+00'"))
    session.execute(text("UPDATE movies SET date_uploaded = '2026-02-02 00:00+00' WHERE id = 1"))
    figures = read_figures(session)

    assert figures.is_by_day
    assert {*figures.uploads} <= {date(2026, 1, 31), date(2026, 2, 2)}


def test_an_empty_mirror_has_figures(db: DatabaseManager):
    """They are empty."""
    with db.get_session() as session:
        figures = read_figures(session)

    assert [*figures.uploads, *figures.decades, *figures.genres, *figures.ratings] == []


def test_figures_are_read_from_indexes(session: Session, db: DatabaseManager):
    """Rows of movies are read only if they are gone or have no details, which an index knows."""
    wait_until(lambda: is_all_visible(db), "the tables are vacuumed")
    scans = [
        node
        for plan in explain_all(session)
        for node in nodes_of(plan)
        if node.get("Relation Name") in {"movies", "movie_genres"}
    ]
    of_few = {"ix_movies_gone", "ix_movies_without_details", "ix_movies_details_fetched_at"}

    assert len(scans) > 5
    for scan in scans:
        is_of_few = scan["Node Type"] == "Index Scan" and scan["Index Name"] in of_few
        assert is_of_few or scan["Node Type"] == "Index Only Scan", json.dumps(scan)


def is_all_visible(db: DatabaseManager) -> bool:
    """Vacuum, and return whether indexes can answer alone: autovacuum may hold a snapshot."""
    run_sql(db.url, "VACUUM ANALYZE movies, movie_genres")
    (is_visible,) = read_sql(
        db,
        "SELECT bool_and(relallvisible = relpages) FROM pg_class "
        "WHERE relname IN ('movies', 'movie_genres')",
    )
    return bool(is_visible)


def explain_all(session: Session) -> list[dict[str, Any]]:
    """Return the plans of the statements of `read_figures` that read movies."""
    statements: list[tuple[str, Any]] = []
    connection = session.connection()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        read_figures(session)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    # The table of the test is so small that reading all of it costs less than an index.
    for way in ("seqscan", "bitmapscan", "nestloop"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    return [
        connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()[
            0
        ]["Plan"]
        for statement, parameters in statements
        if "FROM movies" in statement or "movie_genres" in statement
    ]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all nodes of a plan."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes_of(below)


def test_the_figures_of_a_real_mirror_are_whole(mirror_url: URL):
    """Each movie with a year is in one decade."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        figures, expected = read_figures(session), count_by_hand(session)

    assert figures.decades == expected.decades
    assert figures.genres == expected.genres
    assert figures.ratings == expected.ratings
    assert sum(figures.uploads.values()) == sum(expected.uploads.values())
