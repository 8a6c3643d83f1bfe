"""
Slugs are unique here, though not at YTS.

Of the movies that want one slug the lowest id keeps it; the others add their id:
`<slug>-<id>`. A slug that ends in its movie's own id, be it added or YTS's own,
gives way to one that does not, and adds the id once more. So every movie's slug
follows from all that are stored, in whatever order they came.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from sqlalchemy import CompoundSelect, bindparam, func, select, union, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from database.incoming import column_types, incoming_rows, table_of, values_of
from database.models import Movie


def assign_slugs(session: Session, wanted: Mapping[int, str | None]) -> dict[int, str | None]:
    """
    Return a free slug for each YTS id, its own if it may keep it; does not commit.

    Stored movies make way: those not in *wanted* are renamed, those in it lose
    their old slug until they are written.
    """
    claims = {external_id: slug for external_id, slug in wanted.items() if slug is not None}
    stored = _read_stored(session, claims)
    while losers := _find_losers(stored | claims):
        claims |= {external_id: f"{slug}-{external_id}" for external_id, slug in losers.items()}
        stored |= _read_stored(session, claims)
    movers = [id_ for id_, slug in sorted(stored.items()) if claims.get(id_, slug) != slug]
    # All let go before any takes hold, or two that swap their slugs would collide.
    for external_id in movers:
        _rename(session, external_id, stored[external_id], None)
    for external_id in movers:
        if external_id not in wanted:
            _rename(session, external_id, None, claims[external_id])
    return {external_id: claims.get(external_id) for external_id in wanted}


def _find_losers(claims: Mapping[int, str]) -> dict[int, str]:
    """Return the ids that have to leave the slug they claim to another one."""
    claimants: defaultdict[str, set[int]] = defaultdict(set)
    for external_id, slug in claims.items():
        claimants[slug].add(external_id)
    losers: dict[int, str] = {}
    for slug, ids in claimants.items():
        winner = min((slug.endswith(f"-{external_id}"), external_id) for external_id in ids)[1]
        losers |= dict.fromkeys(ids - {winner}, slug)
    return losers


def _read_stored(session: Session, claims: Mapping[int, str]) -> dict[int, str]:
    """Return the slugs of the stored movies that claim one or hold one that is claimed."""
    rows = [{"slug": slug} for slug in sorted(set(claims.values()))]
    told = {**values_of(rows, ["slug"]), "claimants": list(claims)}
    found = session.execute(_stored_statement(), told)
    return {external_id: slug for external_id, slug in found if slug is not None}


@cache
def _stored_statement() -> CompoundSelect[int, str | None]:
    movies = table_of(Movie)
    stored = select(movies.c.external_id, movies.c.slug)
    claimants = bindparam("claimants", type_=ARRAY(movies.c.external_id.type))
    # Rows to join, for PostgreSQL would plan `= any(...)` for milliseconds.
    claimed = incoming_rows(column_types(Movie, ["slug"]))
    return union(
        stored.where(movies.c.external_id == func.any(claimants)),
        stored.join(claimed, claimed.c.slug == movies.c.slug),
    )


def _rename(session: Session, external_id: int, old: str | None, new: str | None) -> None:
    # Another writer may have given it a newer slug since it was read.
    is_as_read = Movie.external_id == external_id, Movie.slug.is_not_distinct_from(old)
    session.execute(update(Movie).where(*is_as_read).values(slug=new))
