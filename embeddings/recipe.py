"""Which vectors are of today; says so without reading a model."""

from sqlalchemy.orm import Session

from database.vectors.spaces import read_active_space, read_all_movies, read_stale_movies

#: Raised whenever vectors come out differently; then a new space is filled.
RECIPE = 1


def is_up_to_date(session: Session) -> bool:
    """Tell whether every movie has the vectors of its document."""
    space = read_active_space(session)
    if space is None or space.recipe != RECIPE:
        return not read_all_movies(session)
    return not read_stale_movies(session, space.id)
