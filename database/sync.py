"""
How far the mirror has come: the watermark, the sweep under way, and movies that are gone.

Nothing here commits.
"""

from collections.abc import Collection
from typing import Literal

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from database.bookkeeping import FetchFailure, ListedMovie, SyncState
from database.counts import read_counts
from database.incoming import column_types, incoming_rows, table_of, values_of
from database.models import Movie

#: What a sweep that has reached the end of the list has covered, or that it has to go back.
SweepEnd = Literal["whole", "recent", "recheck"]


def read_state(session: Session) -> SyncState:
    """Return the one row of `sync_state`, made if it is not there yet."""
    session.execute(insert(SyncState).values(id=1).on_conflict_do_nothing())
    return session.scalars(select(SyncState)).one()


def highest_movie_id(session: Session) -> int | None:
    """Return the highest YTS id stored."""
    return session.scalar(select(func.max(Movie.external_id)))


def begin_sweep(session: Session) -> None:
    """Begin a sweep of the whole list with its first page, and forget what one before has seen."""
    session.execute(delete(ListedMovie))
    state = read_state(session)
    state.sweep_began_at = func.now()
    state.next_page, state.recheck_page = 1, None


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


def is_listed(session: Session, external_id: int) -> bool:
    """Tell whether the sweep has seen this movie."""
    return session.get(ListedMovie, external_id) is not None


def remember_progress(
    session: Session, *, next_page: int, movie_count: int, recheck_page: int | None
) -> None:
    """Note how far the sweep has come, the count YTS gave last, and from where to read again."""
    state = read_state(session)
    state.next_page, state.movie_count = next_page, movie_count
    if recheck_page is not None:
        state.recheck_page = min(recheck_page, state.recheck_page or recheck_page)


def complete_sweep(session: Session) -> SweepEnd:
    """
    Move the watermark, for every page to the end of the list was read and saved.

    Unless movies may have slipped past, because others were removed meanwhile: then the
    sweep goes on with reading that part again. What it shows the second time is believed,
    for YTS's counts are estimates.
    """
    state = read_state(session)
    is_whole = state.sweep_began_at is not None
    again = state.recheck_page or (1 if is_whole and _has_missed_any(session, state) else None)
    state.recheck_page = None
    if again and not state.is_recheck:
        state.next_page, state.is_recheck = again, True
        return "recheck"
    state.is_recheck = False
    state.sweep_began_at = None
    state.watermark_movie_id = highest_movie_id(session)
    state.sweep_completed_at = func.now()
    return "whole" if is_whole else "recent"


def _has_missed_any(session: Session, state: SyncState) -> bool:
    """Tell whether a sweep of the whole list has seen fewer movies than YTS counts."""
    listed = session.scalar(select(func.count()).select_from(ListedMovie)) or 0
    # Rows without a readable id are in the ledger instead.
    unread = session.scalar(select(func.count()).where(FetchFailure.kind == "page")) or 0
    return listed + unread < (state.movie_count or 0)


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
    counts = read_counts(session)
    return counts.movies - counts.gone_movies


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
