"""
How far the mirror has come: the watermark, the sweep under way, and movies that are gone.

Nothing here commits.
"""

from collections.abc import Collection

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from database.bookkeeping import ListedMovie, SyncState
from database.incoming import column_types, incoming_rows, table_of, values_of
from database.models import Movie


def read_state(session: Session) -> SyncState:
    """Return the one row of `sync_state`, made if it is not there yet."""
    session.execute(insert(SyncState).values(id=1).on_conflict_do_nothing())
    return session.scalars(select(SyncState)).one()


def highest_movie_id(session: Session) -> int | None:
    """Return the highest YTS id stored."""
    return session.scalar(select(func.max(Movie.external_id)))


def begin_sweep(session: Session) -> None:
    """Forget which movies an earlier sweep has seen: one begins with the first page."""
    session.execute(delete(ListedMovie))


def note_listed(session: Session, external_ids: Collection[int]) -> None:
    """Remember that the sweep has seen these movies on a list page."""
    rows = [{"external_id": external_id} for external_id in sorted(external_ids)]
    source = incoming_rows(column_types(ListedMovie, ["external_id"]))
    session.execute(
        insert(table_of(ListedMovie))
        .from_select(["external_id"], select(source.c.external_id))
        .on_conflict_do_nothing(),
        values_of(rows, ["external_id"]),
    )


def remember_progress(session: Session, next_page: int, movie_count: int) -> None:
    """Note how far the sweep from the oldest has come, and the count YTS gave last."""
    state = read_state(session)
    state.next_page, state.movie_count = next_page, movie_count


def complete_sweep(session: Session, expected: int | None = None) -> bool:
    """
    Move the watermark, for every page was read and saved; return whether it moved.

    A sweep that saw fewer movies than *expected* may have missed some that moved to
    pages already read while others were removed: once, another sweep is asked for
    instead. YTS's count is an estimate, so a second short one is believed.
    """
    state = read_state(session)
    state.next_page = 1
    listed = session.scalar(select(func.count()).select_from(ListedMovie)) or 0
    if expected is not None and listed < expected and not state.was_short:
        state.was_short = True
        return False
    state.was_short = False
    state.watermark_movie_id = highest_movie_id(session)
    state.sweep_completed_at = func.now()
    return True


def read_unlisted(session: Session) -> list[int]:
    """Return the YTS ids of stored movies, not marked gone, that the sweep has not seen."""
    is_listed = select(ListedMovie).where(ListedMovie.external_id == Movie.external_id)
    return list(
        session.scalars(
            select(Movie.external_id)
            .where(Movie.gone_since.is_(None), ~is_listed.exists())
            .order_by(Movie.external_id)
        )
    )


def count_present(session: Session) -> int:
    """Return how many stored movies are not marked gone."""
    return session.scalar(select(func.count(Movie.id)).where(Movie.gone_since.is_(None))) or 0


def mark_gone(session: Session, external_ids: Collection[int]) -> None:
    """Mark movies that YTS neither lists nor knows; the rows stay as they are."""
    session.execute(
        update(Movie)
        .where(Movie.external_id == func.any(sorted(external_ids)), Movie.gone_since.is_(None))
        .values(gone_since=func.now())
    )


def clear_gone(session: Session, external_ids: Collection[int]) -> None:
    """Take the mark from movies that are there again."""
    session.execute(
        update(Movie)
        .where(Movie.external_id == func.any(sorted(external_ids)), Movie.gone_since.is_not(None))
        .values(gone_since=None)
    )
