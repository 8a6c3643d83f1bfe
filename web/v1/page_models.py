"""`MoviePage`, `FoundPage` and others: pydantic models of the pages of lists of the API v1."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from web.v1.models import (
    Failure,
    FoundMovie,
    Genre,
    Group,
    Model,
    Movie,
    Person,
    RecommendedMovie,
    Run,
    SimilarMovie,
)

_Next = Annotated[
    str | None, Field(description="URL of the next page, relative to this one; null at the end.")
]
_Note = Annotated[
    str | None, Field(description="Why the list is not as good as it could be, and what to do.")
]


class MoviePage(Model):
    """A page of movies."""

    next: _Next
    total: Annotated[
        int | None,
        Field(description="Number of all movies; null with filters other than one genre."),
    ]
    next_since: Annotated[
        datetime | None,
        Field(
            description="With `added_since` or `updated_since`: the time to use there next time, "
            "the same on all pages. A stream has it as header Next-Since."
        ),
    ]
    items: list[Movie]


class FoundPage(Model):
    """A page of results of a search, the best first."""

    next: _Next
    by_meaning: Annotated[bool, Field(description="False: searched by words and names alone.")]
    note: _Note
    did_you_mean: Annotated[
        list[str],
        Field(
            description="If nothing was found: titles and names that are written nearly like `q`."
        ),
    ]
    items: list[FoundMovie]


class SimilarPage(Model):
    """Similar movies, the most similar first."""

    next: _Next
    note: _Note
    items: list[SimilarMovie]


class RecommendedPage(Model):
    """Movies that are like several, the best first."""

    next: _Next
    note: _Note
    items: list[RecommendedMovie]


class PersonPage(Model):
    """A page of people."""

    next: _Next
    total: Annotated[
        int | None, Field(description="Number of all people; null for a list with a filter.")
    ]
    items: list[Person]


class GenrePage(Model):
    """All genres."""

    next: _Next
    items: list[Genre]


class GroupPage(Model):
    """Groups of movies."""

    next: _Next
    items: list[Group]


class RunPage(Model):
    """A page of runs, the newest first."""

    next: _Next
    items: list[Run]


class FailurePage(Model):
    """A page of failures; what is tried again soonest comes first."""

    next: _Next
    items: list[Failure]
