"""`read_people_part`, `find_people`, `read_people_json`: the people who play in movies."""

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import Session

from database.counts import count_of
from database.models import Cast, Movie, MovieCast
from database.search.keyset import Key, order_by, read_position, rows_after
from database.serving.movie_lists import Part

_KEYS = (Key(Cast.name.expression, "text"), Key(Cast.id.expression))
#: YTS, and so the field `imdb_code`, leaves out the letters.
_CODE = re.compile(r"(?:nm)?(\d{5,10})", re.IGNORECASE | re.ASCII)
#: The movies that are gone are few, and have an index of their own.
_QUERY: Final = text("""
    SELECT row_to_json(person)::text
    FROM unnest((:ids)::integer[]) WITH ORDINALITY o(id, place)
    JOIN casts c ON c.id = o.id
    CROSS JOIN LATERAL (
        SELECT coalesce('nm' || c.imdb_code, c.name) AS id, c.name, c.imdb_code,
            c.url_small_image,
            (SELECT count(*) FROM movie_casts l WHERE l.cast_id = c.id)
            - (SELECT count(*) FROM movies m JOIN movie_casts l ON l.movie_id = m.id
               WHERE l.cast_id = c.id AND m.gone_since IS NOT NULL) AS movies
    ) person
    ORDER BY o.place""")


def read_people_part(session: Session, *, name: str = "", after: object = None, limit: int) -> Part:
    """
    Return up to *limit* people in the order of names; with *name*, people whose names contain it.

    Raises:
        BadPosition: *after* is not a position in this list.
    """
    query = select(Cast.id, *(key.column for key in _KEYS))
    if name:
        query = query.where(_is_called(name))
    if after is not None:
        query = query.where(rows_after(_KEYS, read_position(_KEYS, after)))
    rows = session.execute(query.order_by(*order_by(_KEYS)).limit(limit + 1)).all()
    position = tuple(rows[limit - 1][1:]) if len(rows) > limit else None
    return Part([row[0] for row in rows[:limit]], position)


def read_people_total(session: Session) -> int:
    """Return the number of all people, from the counters."""
    return int(session.scalar(select(count_of("casts"))) or 0)


def find_people(session: Session, reference: str, limit: int = 20) -> list[int]:
    """
    Return `casts.id` of the people that *reference* names.

    It is an IMDb code such as nm0000206 or 0000206, or a whole name. If nobody has exactly this
    name, differences of case, accents, spaces and signs do not count.
    """
    if match := _CODE.fullmatch(reference):
        return _read(session, Cast.imdb_code == match[1], limit)
    exact = (Cast.name == reference) & Cast.imdb_code.is_(None)
    alike = func.search_key(Cast.name) == func.search_key(reference)
    return _read(session, exact, limit) or _read(session, alike, limit)


def read_people_json(session: Session, ids: Sequence[int]) -> list[str]:
    """Return the people with these `casts.id`, in their order, each as a JSON object."""
    return list(session.scalars(_QUERY, {"ids": list(ids)})) if ids else []


def read_roles(session: Session, person: int, ids: Sequence[int]) -> dict[int, str]:
    """Return the roles of the person with this `casts.id` in *ids* of `movies`, by YTS ids."""
    query = (
        select(Movie.external_id, MovieCast.character_name)
        .join(MovieCast, MovieCast.movie_id == Movie.id)
        .where(MovieCast.cast_id == person, MovieCast.movie_id.in_(ids))
    )
    return {movie: role for movie, role in session.execute(query) if role}


def _is_called(name: str) -> ColumnElement[bool]:
    # Accents count within a name, but not in a whole one, for which there is an index.
    alike = select(Cast.id).where(func.search_key(Cast.name) == func.search_key(name))
    return or_(Cast.name.icontains(name, autoescape=True), Cast.id.in_(alike))


def _read(session: Session, condition: ColumnElement[bool], limit: int) -> list[int]:
    query = select(Cast.id).where(condition).order_by(Cast.name, Cast.id).limit(limit)
    return list(session.scalars(query))
