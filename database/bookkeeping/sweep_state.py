"""
`begin_sweep`, `remember_progress`, `complete_sweep`: the row of `sync_state`, and its owed work.

Page numbers here are for pages of `MOVIES_PER_PAGE`, also if a source has another page size.
Nothing here commits.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, TextClause, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from database.bookkeeping.models import SyncState
from database.bookkeeping.rows import SyncStateRow
from database.models import Movie
from database.sql import table_of

#: The whole list is read at least this often.
WHOLE_SWEEP_EVERY = timedelta(days=7)

_state = table_of(SyncState)
_READ = select(_state)
_CREATE = insert(_state).values(id=1).on_conflict_do_nothing()
_HIGHEST_ID = select(func.max(table_of(Movie).c.external_id))
_IS_OLD = text(
    "SELECT whole_sweep_at < now() - :every OR whole_sweep_at > now() FROM sync_state"
).bindparams(every=WHOLE_SWEEP_EVERY)

_BEGIN_SWEEP = text(
    "UPDATE sync_state SET sweep_began_at = now(), sweep_origin = :origin, surplus_rows = NULL, "
    "next_page = 1, recheck_page = NULL, is_updating = :is_updating, is_gone_check_due = false "
    "RETURNING id"
)
#: Records of movies that no page named are kept, as seen before this sweep.
_FORGET_SEEN = text(
    "WITH named AS (DELETE FROM listed_movies WHERE page IS NOT NULL) "
    "UPDATE listed_movies SET reading = 0 WHERE page IS NULL"
)
_BEGIN_READING = text("UPDATE sync_state SET reading = reading + 1 RETURNING reading")
# `least` leaves out what is null.
_REMEMBER = text(
    "UPDATE sync_state SET next_page = :next_page, movie_count = :movie_count, "
    "recheck_page = least(recheck_page, :recheck_page) RETURNING id"
)
_NOTE_RECHECK = text("UPDATE sync_state SET recheck_page = least(recheck_page, :page) RETURNING id")
_GO_BACK = text(
    "UPDATE sync_state SET next_page = least(recheck_page, next_page), recheck_page = NULL "
    "RETURNING next_page"
)
#: Failures of pages that could not be fetched: a finished sweep has read them. Failures of
#: malformed rows stay, unless the whole list was read since.
_FORGET_PAGE_FAILURES = text(
    "DELETE FROM fetch_failures WHERE kind = 'page' AND (stage = 'fetch' OR "
    "last_failed_at < (SELECT sweep_began_at FROM sync_state))"
)
_COMPLETE = text("""
    UPDATE sync_state SET
        surplus_rows = :rows - (SELECT count(*) FROM listed_movies WHERE page IS NOT NULL),
        recheck_page = NULL, is_updating = false, sweep_began_at = NULL,
        watermark_movie_id = (SELECT max(external_id) FROM movies), sweep_completed_at = now()
    RETURNING id
    """)
_COMPLETE_WHOLE = text("""
    UPDATE sync_state SET is_gone_check_due = true, whole_sweep_at = now(), swept_url = :origin,
        confirmed_origin = CASE WHEN coalesce(swept_url, :origin) = :origin THEN :origin END
    WHERE sweep_began_at IS NOT NULL
    """)
_OWE_GONE_CHECK = text(
    "UPDATE sync_state SET is_gone_check_due = is_gone_check_due OR sweep_began_at IS NULL "
    "RETURNING id"
)
_SET_GONE_CHECK = text("UPDATE sync_state SET is_gone_check_due = :is_due RETURNING id")
_SET_SOURCE = text("UPDATE sync_state SET source = :source RETURNING id")


def read_state(session: Session) -> SyncStateRow:
    """Return the row of `sync_state`; before the first run, its default values."""
    row = session.execute(_READ).mappings().one_or_none()
    return SyncStateRow() if row is None else SyncStateRow(**row)


def _write(session: Session, statement: TextClause, **values: object) -> Row[Any]:
    """Run *statement*, which changes the row; create the row if it does not exist."""
    row = session.execute(statement, values).one_or_none()
    if row is None:
        session.execute(_CREATE)
        row = session.execute(statement, values).one()
    return row


def is_whole_sweep_due(session: Session, state: SyncStateRow, origin: str | None) -> bool:
    """
    Return whether the whole list of *origin* has to be read again, given the stored *state*.

    This is the case if another base URL was read before, or if the last sweep of the whole list is
    long ago: movies may have changed ids or positions, which the end of the list does not show.
    Without *origin*, only the time counts.
    """
    origin = origin or state.sweep_origin or state.swept_url
    if state.sweep_began_at is not None:
        return state.sweep_origin not in {None, origin}
    return state.swept_url not in {None, origin} or bool(session.scalar(_IS_OLD))


def highest_movie_id(session: Session) -> int | None:
    """Return the highest YTS id stored."""
    highest: int | None = session.scalar(_HIGHEST_ID)
    return highest


def set_source(session: Session, source: str) -> None:
    """Record where the movies come from: `yts` or `sandbox`."""
    _write(session, _SET_SOURCE, source=source)


def begin_sweep(session: Session, *, is_updating: bool, origin: str) -> None:
    """
    Begin a sweep of the whole list at its first page; forget what the previous one has seen.

    *is_updating* applies until the end of the sweep, also in later runs. *origin* is the base URL
    that is read. Records of movies that no page named are kept, as seen before this sweep.
    """
    session.execute(_FORGET_SEEN)
    _write(session, _BEGIN_SWEEP, is_updating=is_updating, origin=origin)


def begin_reading(session: Session) -> int:
    """Begin a reading of list pages and return its number; only one is under way at a time."""
    return int(_write(session, _BEGIN_READING)[0])


def remember_progress(
    session: Session, next_page: int, movie_count: int, recheck_page: int | None
) -> None:
    """
    Store the position of the sweep and the last count of YTS.

    The list has to be read again from *recheck_page*, unless an earlier page is recorded.
    """
    _write(
        session,
        _REMEMBER,
        next_page=next_page,
        movie_count=movie_count,
        recheck_page=recheck_page,
    )


def note_recheck(session: Session, page: int) -> None:
    """Record that the list has to be read again from *page*, unless an earlier page is recorded."""
    _write(session, _NOTE_RECHECK, page=page)


def go_back_to_recheck(session: Session) -> int:
    """Move the sweep back to the page that has to be read again; return that page."""
    return int(_write(session, _GO_BACK)[0])


def complete_sweep(session: Session, *, origin: str, rows: int) -> None:
    """
    Record the end of a sweep: the watermark and, after a whole list, the owed check for gone
    movies.

    *origin* is the base URL that was read, *rows* the length of the list. Movies that a sweep of
    the whole list has not seen have to be requested. They are marked as gone only if the previous
    sweep read the same base URL, because a movie that only another base URL has is not gone.
    """
    session.execute(_FORGET_PAGE_FAILURES)
    session.execute(_COMPLETE_WHOLE, {"origin": origin})
    _write(session, _COMPLETE, rows=rows)


def owe_gone_check(session: Session) -> None:
    """Record that movies which the sweep has not seen have to be requested, unless one goes on."""
    _write(session, _OWE_GONE_CHECK)


def set_gone_check(session: Session, *, is_due: bool) -> None:
    """Record whether movies which the sweep has not seen still have to be requested."""
    _write(session, _SET_GONE_CHECK, is_due=is_due)
