"""`find_page`: the movie whose page has a given name in its address."""

from typing import Final
from urllib.parse import quote

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.sql import plan_once

#: Ids with more digits do not fit in the column.
_LONGEST_ID = 9
_QUERY: Final = plan_once(
    text("""
    SELECT coalesce(
        (SELECT id FROM movies WHERE slug = ANY (CAST(:spellings AS text[])) LIMIT 1),
        (SELECT id FROM movies WHERE external_id = CAST(:id AS integer))
    )""")
)


def find_page(session: Session, name: str) -> int | None:
    """
    Return `movies.id` of the movie with the slug *name*, or else with this id at YTS.

    *name* is decoded from the URL. Return None if there is no such movie.
    """
    # YTS encodes slugs that are not ASCII, in lower case.
    spellings = [name.lower(), quote(name).lower()]
    is_id = name.isdecimal() and len(name) <= _LONGEST_ID
    values = {"spellings": spellings, "id": int(name) if is_id else None}
    row_id: int | None = session.scalar(_QUERY, values)
    return row_id
