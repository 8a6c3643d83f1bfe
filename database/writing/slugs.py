"""
`assign_slugs`: give every movie a unique slug; at YTS several movies may share one.

`movies.yts_slug` is the slug as YTS gives it, `movies.slug` is unique. Of the movies that claim one
slug, the lowest id keeps it; the others append their id: `<slug>-<id>`. A claim that ends in the
movie's own id gives way to one that does not, and appends the id once more. So the slugs depend
only on the stored movies, not on the order in which they were saved.

This is the stable matching of Gale and Shapley, in which movies propose to slugs. So new claims can
be added to stored slugs at any time, and only the movies that have the claimed slugs are read. If a
movie gives up its slug, those that it kept from it begin again.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from database.connection.advisory_locks import AdvisoryLock, wait_for_lock
from database.connection.kept_plans import run_kept
from database.models import Movie
from database.sql import plan_once, table_of

_movies = table_of(Movie)
_id, _slug, _yts_slug = _movies.c.external_id, _movies.c.slug, _movies.c.yts_slug
_is_given = _id == func.any(bindparam("ids", type_=ARRAY(_id.type)))
_names = func.any(bindparam("slugs", type_=ARRAY(_slug.type)))
_read = select(_id, _slug, _yts_slug)
_READ_HOLDERS = plan_once(_read.where(or_(_slug == _names, _is_given)))
_READ_LOSERS = plan_once(
    _read.where(_slug.is_distinct_from(_yts_slug), or_(_yts_slug == _names, _is_given))
)
_RENAME = (
    update(_movies)
    .where(_id == bindparam("moved_id"))
    .values(slug=bindparam("new_slug"), updated_at=func.now())
)
_LAST_NUMBER = re.compile(r"-(\d{1,9})$")


def assign_slugs(
    session: Session, yts_slugs: Mapping[int, str | None], stored: Mapping[int, str | None]
) -> dict[int, str]:
    """
    Return the unique slug of each movie that is new, or that YTS gives another slug.

    *yts_slugs* and *stored* map YTS ids to slugs of YTS: of the movies to save, and of those that
    are stored. Stored movies whose slugs change, in *yts_slugs* or not, are written here. An id
    that YTS gives no slug keeps what is stored. Does not commit.
    """
    claims = {
        external_id: slug
        for external_id, slug in yts_slugs.items()
        if slug is not None and slug != stored.get(external_id)
    }
    if not claims:
        return {}
    changed = claims.keys() & stored.keys()
    # Another claim never frees a slug, so transactions that only add claims may run together: the
    # unique index is enough. A movie that gives up its claim may free one.
    wait_for_lock(session, AdvisoryLock.SLUGS, is_shared=not changed)
    slugs, before = _plan(session, claims, changed)
    moved = {id_: slugs[id_] for id_, slug in sorted(before.items()) if slugs[id_] != slug}
    # All are released before any is assigned, because two movies may swap their slugs.
    _rename(session, dict.fromkeys(moved))
    _rename(session, moved)
    return slugs


def unique_slugs(yts_slugs: Mapping[int, str]) -> dict[int, str]:
    """Return the unique slug of each movie, as if these were all movies."""
    return _resolve(yts_slugs)[0]


def _plan(
    session: Session, claims: Mapping[int, str], changed: Collection[int]
) -> tuple[dict[int, str], dict[int, str | None]]:
    """
    Return the slugs of the claiming movies, and of stored movies that have to do with them.

    The second value maps the stored ones to their present slugs.
    """
    stored: dict[int, str | None] = {}
    slugs, claimed = _resolve(claims)
    known, released = set[str](), set[str]()
    # Movies that may leave their slugs, although no other movie takes these.
    leaving = set(changed)
    while True:
        left = {stored[id_] for id_ in leaving & stored.keys() if stored[id_] != slugs[id_]}
        free = {slug for slug in left if slug is not None} - released
        if names := claimed - known:
            given = {"slugs": list(names), "ids": list(changed)}
            for external_id, slug, _ in run_kept(session, _READ_HOLDERS, given):
                stored[external_id] = slug
                slugs.setdefault(external_id, slug)
        if free:
            # Only the movie of that id has claimed a slug with this id appended.
            appended = [int(match[1]) for slug in free if (match := _LAST_NUMBER.search(slug))]
            given = {"slugs": list(free), "ids": appended}
            for external_id, slug, yts_slug in run_kept(session, _READ_LOSERS, given):
                stored[external_id] = slug
                slugs[external_id] = claims.get(external_id, yts_slug)
                leaving.add(external_id)
        if not (names or free):
            return slugs, stored
        known, released = known | names, released | free
        slugs, claimed = _resolve(slugs)


def _resolve(own: Mapping[int, str]) -> tuple[dict[int, str], set[str]]:
    """Return each movie's slug, and all slugs that any of them claimed in the process."""
    slugs, claimed = dict(own), set(own.values())
    while losers := _find_losers(slugs):
        slugs |= {external_id: f"{slug}-{external_id}" for external_id, slug in losers.items()}
        claimed.update(slugs.values())
    return slugs, claimed


def _find_losers(claims: Mapping[int, str]) -> dict[int, str]:
    """Return the ids that have to give up the slug that they claim."""
    if len(set(claims.values())) == len(claims):
        return {}
    claimants: defaultdict[str, set[int]] = defaultdict(set)
    for external_id, slug in claims.items():
        claimants[slug].add(external_id)
    losers: dict[int, str] = {}
    for slug, ids in claimants.items():
        winner = min((slug.endswith(f"-{external_id}"), external_id) for external_id in ids)[1]
        losers |= dict.fromkeys(ids - {winner}, slug)
    return losers


def _rename(session: Session, slugs: Mapping[int, str | None]) -> None:
    for external_id, slug in slugs.items():
        session.execute(_RENAME, {"moved_id": external_id, "new_slug": slug})
