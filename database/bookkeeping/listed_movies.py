"""
`note_listed`, `are_listed`: the movies that the sweep has seen, on list pages or by their details.

Nothing here commits.
"""

from collections.abc import Collection

from sqlalchemy import Integer, bindparam, case, delete, func, null, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from database.bookkeeping.models import ListedMovie
from database.bookkeeping.sweep_state import owe_gone_check, read_state
from database.connection.kept_plans import run_kept
from database.sql import insert_json, json_params, plan_once, table_of

_listed = table_of(ListedMovie)
_IS_ON_PAGE = _listed.c.page.is_not(None)
_IS_GIVEN = _listed.c.external_id == func.any(bindparam("ids", type_=ARRAY(Integer)))

_ids = func.unnest(bindparam("ids", type_=ARRAY(Integer)))
_insert_pages = insert(_listed).from_select(
    ["external_id", "page", "reading"],
    select(_ids, bindparam("page", type_=Integer), bindparam("reading", type_=Integer)),
)
_has_moved = (_listed.c.reading == _insert_pages.excluded.reading) & (
    _listed.c.page != _insert_pages.excluded.page
)
_NOTE_LISTED = plan_once(
    _insert_pages.on_conflict_do_update(
        index_elements=["external_id"],
        set_={
            "page": _insert_pages.excluded.page,
            "reading": _insert_pages.excluded.reading,
            "moved_from": case((_has_moved, _listed.c.page), else_=null()),
        },
    ).returning(_listed.c.moved_from)
)
_insert_shown = insert_json(ListedMovie, ("external_id", "reading"))
_NOTE_SHOWN = _insert_shown.on_conflict_do_update(
    index_elements=["external_id"],
    set_={"reading": _insert_shown.excluded.reading},
    where=~_IS_ON_PAGE,
)
_NOTE_SEARCHED = update(_listed).where(_IS_GIVEN, ~_IS_ON_PAGE).values(is_searched=True)
_FORGET = delete(_listed).where(_IS_GIVEN)
_COUNT = select(func.count()).select_from(_listed).where(_IS_ON_PAGE)
_COUNT_GIVEN = _COUNT.where(_IS_GIVEN)


def note_listed(
    session: Session, external_ids: Collection[int], page: int, reading: int
) -> int | None:
    """
    Record that *reading* saw these movies on *page*, in the page size of the source.

    Return the lowest other page on which the same reading has seen one of them, which means that
    rows moved while the list was read; None if there is no such page.
    """
    ids = sorted(set(external_ids))
    if not ids:
        return None
    moved = run_kept(session, _NOTE_LISTED, {"ids": ids, "page": page, "reading": reading})
    return min((page for (page,) in moved if page is not None), default=None)


def note_shown(session: Session, external_ids: Collection[int]) -> None:
    """Record that YTS has shown these movies by their details, and not on a page yet."""
    reading = read_state(session).reading
    rows = [{"external_id": id_, "reading": reading} for id_ in sorted(external_ids)]
    session.execute(_NOTE_SHOWN, json_params(rows))


def note_searched(session: Session, external_ids: Collection[int]) -> None:
    """Record that the list was searched for these movies, which no page named."""
    session.execute(_NOTE_SEARCHED, {"ids": list(external_ids)})


def forget_listed(session: Session, external_ids: Collection[int]) -> None:
    """Delete records of movies that YTS denies and that a search of the list does not find."""
    session.execute(_FORGET, {"ids": list(external_ids)})
    owe_gone_check(session)


def are_listed(session: Session, external_ids: Collection[int]) -> bool:
    """Return whether the sweep has seen all these movies on list pages."""
    return session.scalar(_COUNT_GIVEN, {"ids": list(external_ids)}) == len(set(external_ids))


def count_listed(session: Session) -> int:
    """Return how many movies the sweep has seen on list pages."""
    return session.scalar(_COUNT) or 0
