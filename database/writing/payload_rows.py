"""`payload_params`, `save_rows`, `remove_unlisted`: rows of payloads, as JSON to one statement."""

from collections.abc import Mapping, Sequence, Set
from typing import Any, Self

from psycopg2.extensions import connection as DriverConnection  # noqa: N812 (it is a class)
from psycopg2.extensions import encodings
from pydantic_core import to_json
from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from database.connection.kept_plans import run_kept
from database.sql import plan_once

Row = Mapping[str, Any]


class _JsonText:
    """
    JSON in UTF-8 that becomes a constant of a statement.

    As a text it would be decoded, encoded, and escaped byte by byte, a fifth of the time of saving.
    """

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded

    def __conform__(self, _protocol: object) -> Self:
        return self

    def prepare(self, connection: DriverConnection) -> None:
        """Encode the text as the connection does, if that is not UTF-8."""
        if connection.encoding != "UTF8":
            self._encoded = self._encoded.decode().encode(encodings[connection.encoding])

    def getquoted(self) -> bytes:
        """Return the constant, which means the same whatever `standard_conforming_strings` is."""
        return b"E'" + self._encoded.replace(b"\\", b"\\\\").replace(b"'", b"''") + b"'"


def payload_params(rows: Sequence[Row]) -> dict[str, _JsonText]:
    """
    Return the parameter of a statement on `json_rows`, as `json_params`; faster for many values.

    Programs that only read do not import pydantic, so this is not in `database.sql`.
    """
    return {"incoming": _JsonText(to_json(rows))}


def save_rows(
    session: Session,
    rows: Sequence[Row],
    new: Set[int],
    insert: Insert,
    upsert: ReturningInsert[int],
) -> set[int]:
    """
    Save *rows* with a `movie_id`; return those that *upsert* returns. Does not commit.

    Rows of *new* movies, which were created in this transaction, are written by *insert*, which
    does not look for stored rows first.
    """
    first = [row for row in rows if row["movie_id"] in new]
    if first:
        run_kept(session, insert, payload_params(first))
    if len(first) == len(rows):
        return set()
    other = [row for row in rows if row["movie_id"] not in new]
    return set(session.scalars(upsert, payload_params(other)))


def remove_unlisted(table: str, key: str, key_type: str) -> TextClause:
    """
    Return the statement that deletes rows of the movies `movie_ids` that `incoming` does not list.

    *key* identifies a row of *table* within its movie. The `movie_id` of each is returned.
    """
    return plan_once(
        text(f"""
        DELETE FROM {table}
        WHERE movie_id = ANY (:movie_ids) AND (movie_id, {key}) NOT IN (SELECT * FROM
            json_to_recordset(CAST(:incoming AS json))
            AS incoming (movie_id bigint, {key} {key_type}))
        RETURNING movie_id
        """)  # noqa: S608 -- only names that are written in the code
    )
