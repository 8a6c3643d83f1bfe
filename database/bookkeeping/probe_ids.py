"""`read_ids_to_probe`: movies that show whether the source answers details requests at all."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.models import Movie


def read_ids_to_probe(session: Session, count: int) -> Sequence[int]:
    """
    Return up to *count* ids of movies of the list, spread evenly over all ids.

    Movies with stored details, because YTS has given them once; if there are none, other movies.
    """
    is_listed = Movie.gone_since.is_(None)
    for conditions in ((is_listed, Movie.details_fetched_at.is_not(None)), (is_listed,)):
        ends = select(func.min(Movie.external_id), func.max(Movie.external_id)).where(*conditions)
        first, last = session.execute(ends).one()
        if first is None:
            continue
        next_id = select(func.min(Movie.external_id)).where(*conditions)
        starts = (first + number * (last - first) // max(1, count - 1) for number in range(count))
        ids = [session.scalar(next_id.where(Movie.external_id >= start)) for start in starts]
        return list(dict.fromkeys(id_ for id_ in ids if id_ is not None))
    return []
