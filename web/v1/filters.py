"""`read_filter`: the filters of a request, with the values that movies of the mirror have."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from database.search.filters import (
    MovieFilter,
    UnknownFilterValue,
    resolve_genres,
    resolve_languages,
    resolve_quality,
)
from web.v1.parameters import Filters
from web.v1.problems import ParameterError, ProblemFound

Asked = TypeVar("Asked")
Value = TypeVar("Value")


def read_filter(session: Session, query: Filters) -> MovieFilter:
    """
    Return the filter of *query*.

    Raises:
        ProblemFound: no movie has a value, or a range ends before it begins.
    """
    for name in ("year", "rating", "runtime"):
        low, high = getattr(query, f"{name}_from"), getattr(query, f"{name}_to")
        if low is not None and high is not None and low > high:
            raise ProblemFound(
                400, f"{name}_from is larger than {name}_to, so no movie matches. Exchange them."
            )
    return MovieFilter(
        genres=_resolved(session, "genre", resolve_genres, query.genre) or (),
        years=(query.year_from, query.year_to),
        rating=(query.rating_from, query.rating_to),
        runtime=(query.runtime_from, query.runtime_to),
        languages=_resolved(session, "language", resolve_languages, query.language) or (),
        quality=_resolved(session, "quality", resolve_quality, query.quality),
        added_since=query.added_since,
        added_before=query.added_before,
        updated_since=query.updated_since,
        with_gone=query.with_gone,
    )


def _resolved(
    session: Session,
    parameter: str,
    resolve: Callable[[Session, Asked], Value],
    asked: Asked | None,
) -> Value | None:
    """Return the stored value of what was *asked* for, None if nothing was."""
    if not asked:
        return None
    try:
        return resolve(session, asked)
    except UnknownFilterValue as error:
        errors = [ParameterError(parameter=parameter, message=str(error))]
        raise ProblemFound(400, str(error), errors) from error
