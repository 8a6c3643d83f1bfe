"""Slugs are unique here, though not at YTS: the movie with the lowest id keeps the bare one."""

from collections.abc import Mapping

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from database.models import Movie


def assign_slugs(session: Session, wanted: Mapping[int, str | None]) -> dict[int, str | None]:
    """
    Return a free slug for each YTS id, its own or `<slug>-<id>`; does not commit.

    Where a stored movie with a higher id holds the bare slug, it is renamed, so
    that the order of saving does not matter.
    """
    holders = _read_holders(session, wanted)
    lowest: dict[str, int] = {}
    for external_id, slug in sorted(wanted.items()):
        if slug is not None:
            lowest.setdefault(slug, external_id)
    winners = {slug: min(id_, holders.get(slug, id_)) for slug, id_ in lowest.items()}
    losers = [holders[slug] for slug, winner in winners.items() if holders.get(slug, 0) > winner]
    if losers:
        session.execute(
            update(Movie)
            .where(Movie.external_id == func.any(sorted(losers)))
            .values(slug=Movie.slug.concat("-").concat(Movie.external_id.cast(Movie.slug.type)))
        )
    return {
        external_id: slug
        if slug is None or winners[slug] == external_id
        else f"{slug}-{external_id}"
        for external_id, slug in wanted.items()
    }


def _read_holders(session: Session, wanted: Mapping[int, str | None]) -> dict[str, int]:
    slugs = sorted({slug for slug in wanted.values() if slug is not None})
    rows = session.execute(
        select(Movie.slug, Movie.external_id).where(Movie.slug == func.any(slugs))
    )
    return {slug: external_id for slug, external_id in rows if slug is not None}
