"""`read_ids_to_probe`: movies that show whether the source answers details requests at all."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from database.models import Movie
from database.sql import table_of

_movies = table_of(Movie)
_is_listed = _movies.c.gone_since.is_(None)
_ENDS = select(func.min(_movies.c.external_id), func.max(_movies.c.external_id)).where(_is_listed)
_NEXT = (
    select(func.min(_movies.c.external_id))
    .where(_is_listed)
    .where(_movies.c.external_id >= bindparam("start"))
)
_has_details = _movies.c.details_fetched_at.is_not(None)
_STATEMENTS = ((_ENDS.where(_has_details), _NEXT.where(_has_details)), (_ENDS, _NEXT))


def read_ids_to_probe(session: Session, count: int) -> Sequence[int]:
    """
    Return up to *count* ids of movies of the list, spread evenly over all ids.

    Movies with stored details, because YTS has given them once; if there are none, other movies.
    """
    for read_ends, read_next in _STATEMENTS:
        first, last = session.execute(read_ends).one()
        if first is None:
            continue
        starts = (first + number * (last - first) // max(1, count - 1) for number in range(count))
        ids = [session.scalar(read_next, {"start": start}) for start in starts]
        return list(dict.fromkeys(id_ for id_ in ids if id_ is not None))
    return []
