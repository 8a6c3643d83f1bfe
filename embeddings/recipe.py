"""`MovieText`: what a movie's vectors are made of; `is_up_to_date` checks stored vectors."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from database.vectors.spaces import read_active_space, read_all_movies, read_stale_movies

#: Version of the recipe. Increase it when the resulting vectors change; then a new space is filled.
RECIPE = 1


@dataclass(frozen=True, slots=True)
class MovieText:
    """The parts of one movie that its vectors are made of; empty or None if unknown."""

    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    description: str = ""
    cast: tuple[str, ...] = ()


def is_up_to_date(session: Session) -> bool:
    """Return whether every movie has the vectors of its document; no model is read."""
    space = read_active_space(session)
    if space is None or space.recipe != RECIPE:
        return not read_all_movies(session)
    return not read_stale_movies(session, space.id)
