"""`Movie`, `Person`, `Run` and others: pydantic models of the responses of the API v1."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A JSON object with exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class CastMember(Model):
    """A person in a movie."""

    character_name: str | None
    position: Annotated[int, Field(description="Order in which YTS first named the person.")]
    name: str
    imdb_code: Annotated[str | None, Field(description="Digits, without nm.")]


class Torrent(Model):
    """The metadata of a torrent."""

    hash: Annotated[str, Field(description="40 hex digits.")]
    url: str | None
    quality: Annotated[str | None, Field(examples=["1080p"])]
    type: Annotated[str | None, Field(examples=["bluray"])]
    is_repack: bool | None
    video_codec: str | None
    bit_depth: int | None
    audio_channels: str | None
    seeds: Annotated[int | None, Field(description="When the movie was fetched.")]
    peers: Annotated[int | None, Field(description="When the movie was fetched.")]
    size: Annotated[str | None, Field(examples=["1.69 GB"])]
    size_bytes: int | None
    date_uploaded: datetime | None
    date_uploaded_unix: int | None


class Movie(Model):
    """A movie, with the fields of `query_movies.py --json`; null is unknown."""

    id: Annotated[int, Field(description="Id at YTS.")]
    imdb_code: Annotated[str | None, Field(examples=["tt0133093"])]
    title: str
    title_english: str | None
    title_long: Annotated[str | None, Field(description="Title and year.")]
    slug: str | None
    year: int | None
    rating: Annotated[float | None, Field(description="At IMDb, 0.1 to 10.")]
    runtime: Annotated[int | None, Field(description="Minutes.")]
    language: str | None
    mpa_rating: str | None
    summary: str | None
    description_full: str | None
    description_intro: str | None
    synopsis: str | None
    yt_trailer_code: Annotated[str | None, Field(description="Id of a video at YouTube.")]
    like_count: int | None
    url: Annotated[str | None, Field(description="The page at YTS.")]
    background_image: str | None
    background_image_original: str | None
    small_cover_image: str | None
    medium_cover_image: str | None
    large_cover_image: str | None
    date_uploaded: datetime | None
    date_uploaded_unix: int | None
    details_fetched_at: Annotated[
        datetime | None, Field(description="Null: known from a list only, without cast and likes.")
    ]
    created_at: Annotated[datetime, Field(description="When the mirror first stored the movie.")]
    updated_at: Annotated[
        datetime, Field(description="Last change, except of seeds, peers, likes and cast.")
    ]
    fetched_at: Annotated[datetime, Field(description="When YTS was last asked for the movie.")]
    gone_since: Annotated[
        datetime | None, Field(description="Since when YTS no longer has it; null: it has.")
    ]
    yts_slug: str | None
    genres: list[str]
    casts: list[CastMember]
    torrents: list[Torrent]


class ScorePart(Model):
    """A part of a score: it adds its value times its weight."""

    value: Annotated[float, Field(ge=-1, le=1)]
    weight: float


class ScoreParts(Model):
    """What a score is made of: the sum of all parts, divided by the sum of all weights."""

    words: Annotated[
        ScorePart,
        Field(
            description="The share of the query that the movie has as words, years, genres or "
            "people; rare words count more."
        ),
    ]
    title: Annotated[
        ScorePart,
        Field(description="The share of the title that the query is, if it has all the words."),
    ]
    meaning: Annotated[
        ScorePart,
        Field(description="The cosine of the vectors of query and movie; 0 without vectors."),
    ]
    likes: Annotated[
        ScorePart,
        Field(description="The logarithm of its likes, as a share of that of the most liked."),
    ]


class FoundMovie(Movie):
    """A movie that a search has found."""

    found_by: Annotated[
        Literal["imdb", "page", "title", "person", "words", "meaning", "both"],
        Field(
            description="What of the movie the query matches. title and person: all words are in "
            "this name; both: words and meaning."
        ),
    ]
    score: Annotated[
        float, Field(ge=0, le=1, description="1: a whole title or a person's whole name.")
    ]
    parts: Annotated[
        ScoreParts | None,
        Field(
            description="What a score below 1 is the sum of; movies with the score 1 are sorted by "
            "it. Null: the query is an IMDb code or a URL."
        ),
    ]


class Suggestion(Model):
    """What a search may become when it is typed to its end."""

    text: str
    kind: Literal["title", "person", "genre"]


class Suggestions(Model):
    """Titles with most likes, people with most movies, and genres."""

    items: list[Suggestion]


class Reasons(Model):
    """What two movies have in common."""

    genres: list[str]
    cast: list[str]
    years_later: Annotated[
        int | None,
        Field(description="Years after the other movie; negative: before it; null: unknown."),
    ]
    words: Annotated[
        list[tuple[str, str]],
        Field(description="Pairs of a word of each plot; the same word twice if both have it."),
    ]
    text: Annotated[
        str, Field(examples=["also with Al Pacino; also about mafia; also Crime; 2 years later"])
    ]


class SimilarParts(Model):
    """What a score is made of: the sum of all parts, divided by the sum of all weights."""

    nearness: Annotated[ScorePart, Field(description="Nearness of both vectors.")]
    words: Annotated[ScorePart, Field(description="Rare words of title and plot.")]
    years: Annotated[ScorePart, Field(description="1 in the same year.")]
    title: Annotated[ScorePart, Field(description="Words that both titles have, as in a series.")]
    rating: Annotated[
        ScorePart, Field(description="The rating; of few likes, the mean counts more.")
    ]
    likes: Annotated[
        ScorePart,
        Field(description="The logarithm of its likes, as a share of that of the most liked."),
    ]
    cast: Annotated[ScorePart, Field(description="People in both; those of few movies count more.")]


class SimilarMovie(Movie):
    """A movie that is like another."""

    similarity: Annotated[
        float | None,
        Field(description="Inner product of both vectors, at most 1; null: chosen by genres."),
    ]
    score: Annotated[
        float | None,
        Field(le=1, description="What sorts the list; null: chosen by genres."),
    ]
    parts: Annotated[
        SimilarParts | None, Field(description="What the score is made of; null: chosen by genres.")
    ]
    why: Annotated[Reasons | None, Field(description="Null: a library is missing.")]


class RecommendedMovie(SimilarMovie):
    """A movie that is like several; similarity and parts are means."""

    most_like: Annotated[
        int, Field(description="Id at YTS of the liked movie that `why` compares it with.")
    ]


class Person(Model):
    """A person who plays in movies."""

    id: Annotated[
        str, Field(description="IMDb code, or the name where YTS gives no code; for the URL.")
    ]
    name: str
    imdb_code: Annotated[str | None, Field(description="Digits, without nm.")]
    url_small_image: str | None
    movies: Annotated[int, Field(description="Number of movies that YTS still has.")]


class Genre(Model):
    """A genre."""

    name: str
    movies: int


class Group(Model):
    """Movies that have something in common."""

    name: Annotated[str | None, Field(description="Null: YTS does not say.")]
    movies: int
    average_rating: Annotated[float | None, Field(description="Of those that are rated.")]


class Stats(Model):
    """The totals of the mirror."""

    total_movies: int
    total_genres: int
    total_cast: int
    total_torrents: int
    movies_with_details: int
    movies_with_vectors: int
    average_rating: float | None
    last_saved_at: datetime | None
    total_failures: int
    total_missing: int
    total_gone: int
    source: Annotated[
        str | None,
        Field(description="`yts`, or `sandbox` for practice data; null: nothing was fetched yet."),
    ]


class Run(Model):
    """A fetch run; see the table `fetch_runs` in the documentation."""

    id: int
    state: Literal["running", "ended", "killed"]
    seconds: float
    command: str
    api_url: str | None
    phase: Literal["starting", "pages", "details", "ended", "killed"]
    started_at: datetime
    heartbeat_at: datetime
    finished_at: datetime | None
    exit_code: int | None
    requests: int
    pages_expected: int
    pages_read: int
    details_expected: int
    details_read: int
    planned: int
    saved: int
    updated: int
    unchanged: int
    skipped: int
    missing: int
    failed: int
    is_complete: bool


class Failure(Model):
    """A page or movie that could not be fetched, and is tried again."""

    kind: Literal["page", "movie"]
    key: Annotated[str, Field(description="Number of the page, or id of the movie at YTS.")]
    title: str | None
    stage: Literal["fetch", "parse", "save"]
    error_class: str
    message: str
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime
    next_attempt_at: datetime
    is_due: bool


class Health(Model):
    """The state of the mirror; a response means that the database can be read."""

    status: Literal["ok"]
    time: Annotated[datetime, Field(description="By the clock of the database.")]
    source: Annotated[str | None, Field(description="`yts`, or `sandbox` for practice data.")]
    is_fetch_running: bool
    completed_at: Annotated[
        datetime | None, Field(description="End of the last complete run; null: there was none.")
    ]
    age_seconds: Annotated[float | None, Field(description="Time since then.")]
    searches_by_meaning: bool
