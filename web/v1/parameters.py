"""`Query` and its kinds: pydantic models of the parameters of the API v1, read strictly."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from database.search.aggregates import By
from database.search.keyset import is_storable
from database.serving.movie_lists import MovieOrder
from web.v1.cursors import LONGEST_CURSOR

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100
#: Longer lists of them would begin in another order.
MOST_FOUND = 200
MOST_SIMILAR = 100
#: Suggestions for a search that is typed.
SUGGESTED, MOST_SUGGESTED = 8, 20
#: Each liked movie takes as long as a list of similar movies.
MOST_LIKED = 10
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,20}(\.\d{1,50})?(e-?\d{1,3})?", re.ASCII | re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
#: A plus sign in a URL means a space.
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$", re.ASCII)


def _read_whole(value: Any) -> Any:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise ValueError("Write a whole number, for example 20")
        return int(value)
    return value


def _read_decimal(value: Any) -> Any:
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise ValueError("Write a number, for example 7.5")
        return float(value)
    return value


def _read_flag(value: Any) -> Any:
    if value not in ("true", "false", True, False):
        raise ValueError("Write true or false")
    return value in ("true", True)


def _read_time(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = _LOST_PLUS.sub(r"+\1", value[:40])
    if _DAY.fullmatch(text):
        text += "T00:00:00Z"
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("Write a day or a time with its zone, for example 2026-11-28T20:15:00Z")


def _check_text(value: str) -> str:
    if not is_storable(value):
        raise ValueError("Write text without NUL, encoded as UTF-8")
    return value


Whole = BeforeValidator(_read_whole)
Decimal = BeforeValidator(_read_decimal)
Year = Annotated[int, Field(ge=1800, le=2199), Whole]
Rating = Annotated[float, Field(ge=0, le=10), Decimal]
Minutes = Annotated[int, Field(ge=0, le=9999), Whole]
Flag = Annotated[bool, BeforeValidator(_read_flag)]
Time = Annotated[
    datetime,
    BeforeValidator(_read_time),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [{"format": "date-time"}, {"format": "date"}],
            "examples": ["2026-11-28T20:15:00Z", "2026-11-28"],
        }
    ),
]
#: For the description: what `_check_text` refuses.
_NO_NUL = {"pattern": r"^[^\u0000]+$"}
Text = Annotated[
    str, Field(min_length=1, max_length=300, json_schema_extra=_NO_NUL), AfterValidator(_check_text)
]
Name = Annotated[
    str, Field(min_length=1, max_length=50, json_schema_extra=_NO_NUL), AfterValidator(_check_text)
]
Names = Annotated[tuple[Name, ...], Field(max_length=10)]


Cursor = Annotated[str, Field(min_length=1, max_length=LONGEST_CURSOR, pattern=r"^[A-Za-z0-9_-]+$")]


class Query(BaseModel):
    """The parameters of a request; in the path, and in the query."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListQuery(Query):
    """A page of a list, or the whole list as a stream."""

    format: Annotated[
        Literal["json", "ndjson", "csv"] | None,
        Field(
            description="`json`: a page. `ndjson`, `csv`: the whole list as a stream. By default "
            "what the header Accept asks for."
        ),
    ] = None
    limit: Annotated[
        Annotated[int, Field(ge=1, le=LARGEST_LIMIT), Whole] | None,
        Field(description=f"Length of a page, {DEFAULT_LIMIT} by default; most items of a stream."),
    ] = None
    cursor: Annotated[
        Cursor | None, Field(description="Where a page begins; copy it from `next`.")
    ] = None


class Filters(Query):
    """The filters of `query_movies.py`."""

    genre: Annotated[
        Names, Field(description="Only this genre; repeat it for all of several.")
    ] = ()
    year_from: Annotated[Year | None, Field(description="This year or later.")] = None
    year_to: Annotated[Year | None, Field(description="This year or earlier.")] = None
    rating_from: Annotated[Rating | None, Field(description="Rating at IMDb, at least.")] = None
    rating_to: Annotated[Rating | None, Field(description="Rating at IMDb, at most.")] = None
    runtime_from: Annotated[Minutes | None, Field(description="Minutes, at least.")] = None
    runtime_to: Annotated[Minutes | None, Field(description="Minutes, at most.")] = None
    language: Annotated[Names, Field(description="Repeat it for any of several.")] = ()
    quality: Annotated[
        Name | None, Field(description="Only movies with a torrent of this quality.")
    ] = None
    added_since: Annotated[
        Time | None, Field(description="Only movies that the mirror first stored since this time.")
    ] = None
    added_before: Annotated[
        Time | None, Field(description="Only movies that the mirror stored before this time.")
    ] = None
    updated_since: Annotated[
        Time | None, Field(description="Only movies that are new or have changed since this time.")
    ] = None
    with_gone: Annotated[Flag, Field(description="Also movies that YTS no longer has.")] = False


class FilteredQuery(ListQuery, Filters):
    """A list of movies with filters."""


class MoviesQuery(FilteredQuery):
    """A sorted list of movies."""

    sort: Annotated[
        MovieOrder,
        Field(
            description="All begin with the largest, except `title`. `id` is about the order of "
            "uploads, `newest` that order itself; `added` and `updated` are times of this mirror. "
            "Unknown values are last."
        ),
    ] = "id"
    order: Annotated[
        Literal["usual", "reversed"], Field(description="`reversed`: the opposite order.")
    ] = "usual"


_MOVIE_ID = r"^([0-9]{1,9}|[tT]{2}[0-9]{5,10})$"


class MovieQuery(Query):
    """One movie."""

    movie: Annotated[
        str,
        Field(
            pattern=_MOVIE_ID,
            description="Id at YTS such as 5, or IMDb code such as tt0133093.",
            examples=["5", "tt0133093"],
        ),
    ]


class SimilarQuery(FilteredQuery, MovieQuery):
    """Movies that are like one."""


class RecommendQuery(FilteredQuery):
    """Movies that are like several."""

    like: Annotated[
        tuple[Annotated[str, Field(pattern=_MOVIE_ID)], ...],
        Field(
            min_length=1,
            max_length=MOST_LIKED,
            description="A movie that the person likes, by its id at YTS or its IMDb code; "
            "repeat it for several.",
        ),
    ]
    unlike: Annotated[
        tuple[Annotated[str, Field(pattern=_MOVIE_ID)], ...],
        Field(
            max_length=MOST_LIKED,
            description="Movies like this one come later; repeat it for several.",
        ),
    ] = ()


class SearchQuery(FilteredQuery):
    """A search."""

    q: Annotated[
        Text,
        Field(
            description="A title, IMDb code, name of a person, or what a movie is about.",
            examples=["a ship lost at sea"],
        ),
    ]


class SuggestQuery(Query):
    """The beginning of a search."""

    q: Annotated[Text, Field(description="What was typed so far.", examples=["the mat"])]
    limit: Annotated[
        int, Field(ge=1, le=MOST_SUGGESTED, description="Most suggestions."), Whole
    ] = SUGGESTED


class PeopleQuery(ListQuery):
    """People."""

    name: Annotated[Text | None, Field(description="A part of the name, in any case.")] = None


class PersonQuery(Query):
    """One person."""

    person: Annotated[
        Text,
        Field(
            description="IMDb code, or the whole name, in any case.",
            examples=["nm0000206", "Keanu Reeves"],
        ),
    ]


class PersonMoviesQuery(MoviesQuery, PersonQuery):
    """The movies of a person."""


class GroupsQuery(FilteredQuery):
    """Movies in groups."""

    by: Annotated[By, Field(description="What the movies of a group have in common.")]


class RunQuery(Query):
    """One run."""

    run: Annotated[int, Field(ge=1, le=2**31 - 1, description="Id of the run."), Whole]
