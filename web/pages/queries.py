"""`BrowseQuery` and others: the parameters of pages, checked like those of the API v1."""

from typing import Annotated, Literal

from pydantic import Field

from database.serving.movie_lists import MovieOrder
from web.v1.parameters import Cursor, Filters, Query, Text, Whole

#: Movies of a page of search results, and pages that there are.
FOUND_ON_PAGE = 20
FOUND_PAGES = 10
#: A mirror that is fetched every night, and two hours.
MAX_AGE_HOURS = 26
_COPIED = Field(description="Copy it from a link.")


class Paged(Query):
    """A page of a list."""

    #: Where it begins or, for a page that was left behind, where it ends.
    after: Annotated[Cursor | None, _COPIED] = None
    before: Annotated[Cursor | None, _COPIED] = None


class BrowseQuery(Paged, Filters):
    """A sorted list of movies."""

    sort: MovieOrder = "newest"
    order: Literal["usual", "reversed"] = "usual"


class FeedQuery(BrowseQuery):
    """A feed of the movies of a list or of a search."""

    q: Text | None = None


class FoundQuery(Query):
    """A search; without a query, the page says what to write."""

    q: Text = ""
    page: Annotated[int, Field(ge=1, le=FOUND_PAGES), Whole] = 1


class MoviePageQuery(Query):
    """The page of one movie."""

    #: Its slug, or its id at YTS.
    movie: Text


class PersonPageQuery(Paged):
    """The page of one person."""

    #: Name, or IMDb code with nm.
    person: Text


class HealthQuery(Query):
    """The health of the mirror."""

    max_age_hours: Annotated[
        int, Field(ge=1, le=8784, description="An older mirror is stale."), Whole
    ] = MAX_AGE_HOURS
