"""
`assign_slugs`: give every movie a unique slug; at YTS several movies may share one.

`movies.yts_slug` is the slug as YTS gives it, `movies.slug` is unique. Of the movies that claim one
slug, the lowest id keeps it; the others append their id: `<slug>-<id>`. A claim that ends in the
movie's own id gives way to one that does not, and appends the id once more. So the slugs depend
only on the stored movies, not on the order in which they were saved.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from sqlalchemy import CompoundSelect, bindparam, func, select, union, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from database.connection.advisory_locks import AdvisoryLock, wait_for_lock
from database.models import Movie
from database.sql import column_types, json_params, json_rows, plan_once, table_of

_movies = table_of(Movie)
_RENAME = (
    update(_movies)
    .where(_movies.c.external_id == bindparam("moved_id"))
    .values(slug=bindparam("new_slug"), updated_at=func.now())
)
_LAST_NUMBER = re.compile(r"-(\d{1,9})$")


def assign_slugs(session: Session, yts_slugs: Mapping[int, str | None]) -> dict[int, str | None]:
    """
    Return the unique slug of each YTS id of *yts_slugs*; does not commit.

    Stored movies whose slugs change, in *yts_slugs* or not, are written here. An id that
    YTS gives no slug keeps what is stored.
    """
    plan = _plan(session, yts_slugs)
    if plan.needs_lock:
        # Another transaction may change slugs of the same movies: wait for it, and look again.
        wait_for_lock(session, AdvisoryLock.SLUGS)
        plan = _plan(session, yts_slugs)
    moved = {id_: plan.slugs[id_] for id_ in sorted(plan.stored) if plan.is_moved(id_)}
    # All are released before any is assigned, because two movies may swap their slugs.
    _rename(session, dict.fromkeys(moved))
    _rename(session, moved)
    return {external_id: plan.slugs.get(external_id) for external_id in yts_slugs}


def unique_slugs(yts_slugs: Mapping[int, str]) -> dict[int, str]:
    """Return the unique slug of each movie, as if these were all movies."""
    return _resolve(yts_slugs)[0]


@dataclass(frozen=True, slots=True)
class _Plan:
    """The slugs of some movies and of all others that claim one of these slugs."""

    #: YTS id -> slug before and after, the former for stored movies only.
    stored: dict[int, str | None]
    slugs: dict[int, str]
    #: YTS id -> slug as YTS gives it.
    own: dict[int, str]

    def is_moved(self, external_id: int) -> bool:
        return external_id in self.slugs and self.slugs[external_id] != self.stored[external_id]

    @property
    def needs_lock(self) -> bool:
        """Return whether the unique index is not enough to decide which movie has which slug."""
        return any(
            self.is_moved(id_) if id_ in self.stored else slug != self.own[id_]
            for id_, slug in self.slugs.items()
        )


def _plan(session: Session, yts_slugs: Mapping[int, str | None]) -> _Plan:
    new = {id_: slug for id_, slug in yts_slugs.items() if slug is not None}
    stored: dict[int, str | None] = {}
    own = dict(new)
    asked: set[str] = set()
    slugs, claimed = _resolve(own)
    while names := claimed - asked:
        for external_id, slug, own_slug in _read_claimants(session, names, yts_slugs):
            stored[external_id] = slug
            if external_id not in new and own_slug is not None:
                own[external_id] = own_slug
        asked |= names
        slugs, claimed = _resolve(own)
        # Another movie may get the slug that a movie gives up.
        claimed |= {slug for slug in stored.values() if slug is not None}
    return _Plan(stored, slugs, own)


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


def _read_claimants(
    session: Session, slugs: Collection[str], external_ids: Collection[int]
) -> list[tuple[int, str | None, str | None]]:
    """Return YTS id, slug and YTS's slug of these movies, and of those that claim *slugs*."""
    claims = [{"slug": slug} for slug in sorted(slugs)]
    # Only the movie of that id claims a slug with this id appended.
    appended = [int(match[1]) for slug in slugs if (match := _LAST_NUMBER.search(slug))]
    parameters = {
        **json_params(claims),
        "external_ids": list(external_ids),
        "appended_ids": appended,
    }
    rows = session.execute(_claimants_statement(), parameters).all()
    return [(external_id, slug, yts_slug) for external_id, slug, yts_slug in rows]


@cache
def _claimants_statement() -> CompoundSelect[int, str | None, str | None]:
    movies = table_of(Movie)
    stored = select(movies.c.external_id, movies.c.slug, movies.c.yts_slug)
    renamed = stored.where(movies.c.slug.is_distinct_from(movies.c.yts_slug))
    integers = ARRAY(movies.c.external_id.type)
    # Join rows, because PostgreSQL needs milliseconds to plan `= any(...)`.
    claimed = json_rows(column_types(Movie, ["slug"]))
    return plan_once(
        union(
            stored.where(
                movies.c.external_id == func.any(bindparam("external_ids", type_=integers))
            ),
            stored.join(claimed, claimed.c.slug == movies.c.slug),
            renamed.join(claimed, claimed.c.slug == movies.c.yts_slug),
            renamed.where(
                movies.c.external_id == func.any(bindparam("appended_ids", type_=integers))
            ),
        )
    )


def _rename(session: Session, slugs: Mapping[int, str | None]) -> None:
    for external_id, slug in slugs.items():
        session.execute(_RENAME, {"moved_id": external_id, "new_slug": slug})
