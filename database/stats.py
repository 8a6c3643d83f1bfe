"""What the catalogue holds just now: cheap questions, plain values."""

from typing import Any

from sqlalchemy import desc, func, select
from sqlalchemy.orm import Session

from database.bookkeeping.models import FetchFailure, FetchRun, MissingMovie, SyncState
from database.counts import movies_of_genres, read_counts
from database.models import Genre, Movie

#: What `read_stats` returns of tables without rows.
NO_STATS: dict[str, Any] = {
    "total_movies": 0,
    "total_genres": 0,
    "total_cast": 0,
    "total_torrents": 0,
    "movies_with_details": 0,
    "movies_with_vectors": 0,
    "average_rating": None,
    "last_saved_at": None,
    "total_failures": 0,
    "total_missing": 0,
    "total_gone": 0,
}


def read_stats(session: Session) -> dict[str, Any]:
    """
    Return the totals of the catalogue, JSON-ready.

    `movies_with_details` counts those whose details were fetched, `movies_with_vectors`
    those in the active space; `average_rating` is over rated movies only, null where there
    are none. `total_gone` counts stored movies that YTS has no more.
    """
    counts = read_counts(session)
    newest = session.scalar(select(func.max(Movie.created_at)))
    return {
        "total_movies": counts.movies,
        "total_genres": _count(session, Genre),
        "total_cast": counts.casts,
        "total_torrents": counts.torrents,
        "movies_with_details": counts.movies_with_details,
        "movies_with_vectors": counts.movies_with_vectors,
        "average_rating": counts.average_rating,
        "last_saved_at": newest.isoformat() if newest else None,
        "total_failures": _count(session, FetchFailure),
        "total_missing": _count(session, MissingMovie),
        "total_gone": counts.gone_movies,
    }


def read_sync_state(session: Session) -> dict[str, Any]:
    """Return where the movies come from and how complete the mirror is, JSON-ready."""
    state = session.get(SyncState, 1)
    return {} if state is None else state.to_dict()


def read_last_stored(session: Session, count: int = 5) -> list[dict[str, Any]]:
    """Return the movies that were stored last, the last one first."""
    rows = session.execute(
        select(Movie.external_id.label("id"), Movie.title, Movie.year, Movie.rating)
        .order_by(Movie.created_at.desc(), Movie.id.desc())
        .limit(count)
    )
    return [dict(row) for row in rows.mappings()]


def read_top_genres(session: Session, count: int = 8) -> list[dict[str, Any]]:
    """Return the genres with most movies, largest first."""
    rows = session.execute(movies_of_genres().order_by(desc("movies"), Genre.name).limit(count))
    return [{"name": name, "movies": int(movies)} for name, movies in rows]


def read_last_errors(session: Session, count: int = 3) -> list[dict[str, Any]]:
    """Return what failed last and was not had since, newest first, JSON-ready."""
    rows = session.scalars(
        select(FetchFailure).order_by(FetchFailure.last_failed_at.desc()).limit(count)
    )
    return [row.to_dict() for row in rows]


def read_last_run(session: Session) -> dict[str, Any] | None:
    """Return the run that started last, JSON-ready; it may still be running."""
    run = session.scalars(select(FetchRun).order_by(FetchRun.id.desc()).limit(1)).first()
    return None if run is None else run.to_dict()


def read_run(session: Session, run_id: int) -> dict[str, Any]:
    """Return one run as it stands, JSON-ready."""
    return session.get_one(FetchRun, run_id).to_dict()


def _count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
