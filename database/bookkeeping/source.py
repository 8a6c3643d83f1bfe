"""`claim_source`: set the source of a database; a real source deletes practice data first."""

from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.bookkeeping.sweep_state import highest_movie_id, read_state, set_source
from database.errors import SourceMismatch

Source = Literal["yts", "sandbox"]

_REMOVE = text(
    "TRUNCATE movies, genres, casts, torrents, movie_genres, movie_casts, movie_embeddings, "
    "search_words, fetch_failures, missing_movies, listed_movies, sync_state"
)


def read_held_source(session: Session) -> str | None:
    """Return the source of the stored movies; None if there are none yet."""
    return read_state(session).source or ("yts" if highest_movie_id(session) else None)


def claim_source(session: Session, source: Source) -> bool:
    """
    Set the source of this database to *source*; return whether practice data was removed.

    Practice data is removed for the real catalogue; the reverse is refused.

    Raises:
        SourceMismatch: the database has real movies and *source* is the sandbox.
    """
    held = read_state(session).source
    gives_way = gives_way_to(held or read_held_source(session) or source, source)
    if gives_way:
        session.execute(_REMOVE)
    if gives_way or held != source:
        set_source(session, source)
    return gives_way


def gives_way_to(held: str, source: Source) -> bool:
    """
    Return whether movies of *held* are removed before the first of *source* is stored.

    Raises:
        SourceMismatch: real movies never give way to practice data.
    """
    if held != source and source == "sandbox":
        raise SourceMismatch(
            "This database holds the real catalogue, and the sandbox would mix practice movies "
            "into it. Give the sandbox a database of its own: set YTS_HOME or DATABASE_URL."
        )
    return held != source
