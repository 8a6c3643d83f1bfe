"""
`begin_sweep`, `complete_sweep`, `note_listed`: the stored progress of the sweep, and its owed work.

Page numbers here are for pages of `MOVIES_PER_PAGE`, also if a source has another page size.
Nothing here commits.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from database.bookkeeping.models import FetchFailure, ListedMovie, SyncState
from database.models import Movie
from database.sql import column_types, table_of, unnest_params, unnest_rows

#: The whole list is read at least this often.
WHOLE_SWEEP_EVERY = timedelta(days=7)


def get_or_create_sync_state(session: Session) -> SyncState:
    """Return the single row of `sync_state`; create it if it does not exist."""
    session.execute(insert(SyncState).values(id=1).on_conflict_do_nothing())
    return session.scalars(select(SyncState)).one()


def is_whole_sweep_due(session: Session, origin: str | None) -> bool:
    """
    Return whether the whole list of *origin* has to be read again.

    This is the case if another base URL was read before, or if the last sweep of the whole list is
    long ago: movies may have changed ids or positions, which the end of the list does not show.
    Without *origin*, only the time counts.
    """
    state = session.scalars(select(SyncState)).one_or_none()
    if state is None:
        return False
    origin = origin or state.sweep_origin or state.swept_url
    if state.sweep_began_at is not None:
        return state.sweep_origin not in {None, origin}
    is_old = or_(
        SyncState.whole_sweep_at < func.now() - WHOLE_SWEEP_EVERY,
        SyncState.whole_sweep_at > func.now(),
    )
    return bool(session.scalar(select(is_old))) or state.swept_url not in {None, origin}


def highest_movie_id(session: Session) -> int | None:
    """Return the highest YTS id stored."""
    return session.scalar(select(func.max(Movie.external_id)))


def begin_sweep(session: Session, *, is_updating: bool, origin: str) -> None:
    """
    Begin a sweep of the whole list at its first page; forget what the previous one has seen.

    *is_updating* applies until the end of the sweep, also in later runs. *origin* is the base URL
    that is read. Records of movies that no page named are kept, as seen before this sweep.
    """
    session.execute(delete(ListedMovie).where(ListedMovie.page.is_not(None)))
    session.execute(update(ListedMovie).values(reading=0))
    state = get_or_create_sync_state(session)
    state.sweep_began_at, state.sweep_origin, state.surplus_rows = func.now(), origin, None
    state.next_page, state.recheck_page = 1, None
    state.is_updating, state.is_gone_check_due = is_updating, False


def begin_reading(session: Session) -> int:
    """Begin a reading of list pages and return its number; only one is under way at a time."""
    state = get_or_create_sync_state(session)
    state.reading += 1
    session.flush()
    return state.reading


def note_listed(
    session: Session, external_ids: Collection[int], page: int, reading: int
) -> int | None:
    """
    Record that *reading* saw these movies on *page*, in the page size of the source.

    Return the lowest other page on which the same reading has seen one of them, which means that
    rows moved while the list was read; None if there is no such page.
    """
    rows = [{"external_id": id_, "page": page, "reading": reading} for id_ in sorted(external_ids)]
    if not rows:
        return None
    names = ["external_id", "page", "reading"]
    source = unnest_rows(column_types(ListedMovie, names))
    statement = insert(table_of(ListedMovie)).from_select(
        names, select(*(source.c[name] for name in names))
    )
    old, new = table_of(ListedMovie).c, statement.excluded
    has_moved = (old.reading == new.reading) & (old.page != new.page)
    values = {
        "page": new.page,
        "reading": new.reading,
        "moved_from": case((has_moved, old.page), else_=null()),
    }
    moved = session.scalars(
        statement.on_conflict_do_update(index_elements=["external_id"], set_=values).returning(
            old.moved_from
        ),
        unnest_params(rows, names),
    )
    return min((page for page in moved if page is not None), default=None)


def note_shown(session: Session, external_ids: Collection[int]) -> None:
    """Record that YTS has shown these movies by their details, and not on a page yet."""
    reading = get_or_create_sync_state(session).reading
    rows = [{"external_id": id_, "reading": reading} for id_ in sorted(external_ids)]
    names = ["external_id", "reading"]
    source = unnest_rows(column_types(ListedMovie, names))
    statement = insert(table_of(ListedMovie)).from_select(
        names, select(*(source.c[name] for name in names))
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["external_id"],
            set_={"reading": statement.excluded.reading},
            where=table_of(ListedMovie).c.page.is_(None),
        ),
        unnest_params(rows, names),
    )


def note_searched(session: Session, external_ids: Collection[int]) -> None:
    """Record that the list was searched for these movies, which no page named."""
    session.execute(
        update(ListedMovie)
        .where(ListedMovie.external_id == func.any(list(external_ids)), ListedMovie.page.is_(None))
        .values(is_searched=True)
    )


def forget_listed(session: Session, external_ids: Collection[int]) -> None:
    """Delete records of movies that YTS denies and that a search of the list does not find."""
    session.execute(
        delete(ListedMovie).where(ListedMovie.external_id == func.any(list(external_ids)))
    )
    state = get_or_create_sync_state(session)
    if state.sweep_began_at is None:
        state.is_gone_check_due = True


def has_unexplained_rows(session: Session, rows: int) -> bool:
    """Return whether more of *rows* rows of the list are unknown than after the last sweep."""
    surplus = get_or_create_sync_state(session).surplus_rows
    return surplus is not None and rows - count_listed(session) > surplus


def are_listed(session: Session, external_ids: Collection[int]) -> bool:
    """Return whether the sweep has seen all these movies on list pages."""
    seen = session.scalar(
        select(func.count())
        .select_from(ListedMovie)
        .where(
            ListedMovie.external_id == func.any(list(external_ids)), ListedMovie.page.is_not(None)
        )
    )
    return seen == len(set(external_ids))


def count_listed(session: Session) -> int:
    """Return how many movies the sweep has seen on list pages."""
    is_on_page = ListedMovie.page.is_not(None)
    return session.scalar(select(func.count()).select_from(ListedMovie).where(is_on_page)) or 0


def remember_progress(
    session: Session, *, next_page: int, movie_count: int, recheck_page: int | None
) -> None:
    """Store the position of the sweep, the last count of YTS, and the page to read again from."""
    state = get_or_create_sync_state(session)
    state.next_page, state.movie_count = next_page, movie_count
    note_recheck(session, recheck_page)


def note_recheck(session: Session, page: int | None) -> None:
    """Record that the list has to be read again from *page*, unless an earlier page is recorded."""
    if page is not None:
        state = get_or_create_sync_state(session)
        state.recheck_page = min(page, state.recheck_page or page)


def go_back_to_recheck(session: Session) -> int:
    """Move the sweep back to the page that has to be read again; return that page."""
    state = get_or_create_sync_state(session)
    state.next_page = min(state.recheck_page or state.next_page, state.next_page)
    state.recheck_page = None
    return state.next_page


def complete_sweep(session: Session, *, origin: str, rows: int) -> None:
    """
    Record the end of a sweep: the watermark and, after a whole list, the owed check for gone
    movies.

    *origin* is the base URL that was read, *rows* the length of the list. Movies that a sweep of
    the whole list has not seen have to be requested. They are marked as gone only if the previous
    sweep read the same base URL, because a movie that only another base URL has is not gone.
    """
    state = get_or_create_sync_state(session)
    state.surplus_rows = rows - count_listed(session)
    state.recheck_page = None
    _forget_page_failures(session, state.sweep_began_at)
    if state.sweep_began_at is not None:
        state.is_gone_check_due, state.whole_sweep_at = True, func.now()
        state.confirmed_origin = origin if state.swept_url in {None, origin} else None
        state.swept_url = origin
    state.sweep_began_at, state.is_updating = None, False
    state.watermark_movie_id = highest_movie_id(session)
    state.sweep_completed_at = func.now()


def _forget_page_failures(session: Session, whole_since: datetime | None) -> None:
    """
    Delete failures of pages that could not be fetched: a finished sweep has read them.

    Failures of malformed rows stay, unless the whole list was read since.
    """
    is_moot: ColumnElement[bool] = FetchFailure.stage == "fetch"
    if whole_since is not None:
        is_moot |= FetchFailure.last_failed_at < whole_since
    session.execute(delete(FetchFailure).where(FetchFailure.kind == "page", is_moot))
