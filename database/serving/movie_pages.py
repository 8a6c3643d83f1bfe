"""`find_page`: the movie whose page has a given name in its address."""

from urllib.parse import quote

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from database.models import Movie

#: Ids with more digits do not fit in the column.
_LONGEST_ID = 9


def find_page(session: Session, name: str) -> int | None:
    """
    Return `movies.id` of the movie with the slug *name*, or else with this id at YTS.

    *name* is decoded from the URL. Return None if there is no such movie.
    """
    # YTS encodes slugs that are not ASCII, in lower case.
    spellings = {name.lower(), quote(name).lower()}
    row_id = _read(session, Movie.slug.in_(spellings))
    if row_id is None and name.isdecimal() and len(name) <= _LONGEST_ID:
        row_id = _read(session, Movie.external_id == int(name))
    return row_id


def _read(session: Session, condition: ColumnElement[bool]) -> int | None:
    return session.scalar(select(Movie.id).where(condition).limit(1))
