"""What YTS answers, as checked values: `parse_*` turn bytes into movies, without any I/O."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, TypeGuard
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from yts.errors import MalformedMovie, NotYts, YtsUnavailable

#: The zone in which YTS has written its dates since 2019; it does not say so any more.
SITE_ZONE = ZoneInfo("Europe/Paris")

#: Fields that YTS sends and this project leaves out: constants, formulas and relics.
UNSTORED_FIELDS = frozenset(
    {"state", "download_count", "rt_critics_score", "rt_audience_score"}
    | {f"{size}_screenshot_image{number}" for size in ("medium", "large") for number in (1, 2, 3)}
)

_UNIX_MAX = 253_402_300_799  # the last second of the year 9999


def _zero_is_unknown(value: Any) -> Any:
    return None if value in (0, "0", "") else value


def _empty_is_unknown(value: Any) -> Any:
    return None if value == "" else value


def _storable(text: str | None) -> str | None:
    # PostgreSQL has no NUL in its texts.
    return (text.replace("\0", "").strip() or None) if text else None


_Known = BeforeValidator(_empty_is_unknown)
_NonZero = BeforeValidator(_zero_is_unknown)

Text = Annotated[str | None, AfterValidator(_storable)]
Flag = Annotated[bool | None, _Known]
# The ranges are those of the columns that keep them.
Small = Annotated[Annotated[int, Field(ge=0, le=2**15 - 1)] | None, _Known]
Count = Annotated[Annotated[int, Field(ge=0, le=2**31 - 1)] | None, _Known]
Bytes = Annotated[Annotated[int, Field(ge=0, le=2**63 - 1)] | None, _Known]
Unix = Annotated[Annotated[int, Field(ge=0, le=_UNIX_MAX)] | None, _Known]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, str_strip_whitespace=True, coerce_numbers_to_str=True)


class _Uploaded(_Payload):
    #: The site's wall clock, `YYYY-MM-DD HH:MM:SS`, without a zone.
    date_uploaded: Text = None
    #: The same moment as the server's zone of the day had it; it has moved by hours over the years.
    date_uploaded_unix: Unix = None

    @property
    def uploaded_at(self) -> datetime | None:
        """Return the upload time; the wall clock wins, for it never moved."""
        try:
            wall_clock = datetime.fromisoformat(self.date_uploaded or "")
            return wall_clock.replace(tzinfo=SITE_ZONE).astimezone(UTC)
        except (ValueError, OverflowError):
            unix = self.date_uploaded_unix
            return datetime.fromtimestamp(unix, UTC) if unix else None


class TorrentPayload(_Uploaded):
    """The metadata of one torrent of a movie."""

    #: 40 hex digits, upper case; None for the rare one without, which cannot be stored.
    hash: Annotated[Text, AfterValidator(lambda text: text.upper() if text else None)] = None
    url: Text = None
    quality: Text = None
    type: Text = None
    is_repack: Flag = None
    video_codec: Text = None
    bit_depth: Small = None
    audio_channels: Text = None
    #: Clamped at 100 by YTS since 2025.
    seeds: Count = None
    peers: Count = None
    #: As shown, for instance "1.69 GB".
    size: Text = None
    size_bytes: Bytes = None


class CastPayload(_Payload):
    """One of the at most four people that a details answer names."""

    name: Text = None
    character_name: Text = None
    #: Digits without "nm", leading zeros kept.
    imdb_code: Text = None
    #: Absent when the actor has no picture.
    url_small_image: Text = None


class MoviePayload(_Uploaded):
    """
    One movie, from a list or a details answer.

    None means that YTS did not say: the key was absent, null, empty, or the 0 it
    writes for an unknown year, runtime or rating. Genres, torrents and cast are
    None only where their key is absent or null; an empty list is an answer.
    """

    model_config = ConfigDict(extra="allow")

    id: Annotated[int, Field(ge=1, le=2**31 - 1)]
    url: Text = None
    imdb_code: Text = None
    title: Text = None
    title_english: Text = None
    title_long: Text = None
    slug: Text = None
    year: Annotated[Annotated[int, Field(ge=1, le=9999)] | None, _NonZero] = None
    #: IMDb's, 0.1 to 10.
    rating: Annotated[Annotated[float, Field(gt=0, le=10)] | None, _NonZero] = None
    #: Minutes.
    runtime: Annotated[Annotated[int, Field(ge=1, le=2**15 - 1)] | None, _NonZero] = None
    genres: tuple[Text, ...] | None = None
    summary: Text = None
    description_full: Text = None
    description_intro: Text = None
    synopsis: Text = None
    yt_trailer_code: Text = None
    language: Text = None
    mpa_rating: Text = None
    like_count: Count = None
    background_image: Text = None
    background_image_original: Text = None
    small_cover_image: Text = None
    medium_cover_image: Text = None
    large_cover_image: Text = None
    torrents: tuple[TorrentPayload, ...] | None = None
    #: A sample of at most four that may differ between two answers.
    cast: tuple[CastPayload, ...] | None = None

    @property
    def display_title(self) -> str:
        """Return the title, or the best that stands in for a missing one."""
        long_title = self.title_long if self.title_long and self.title_long[0] != "(" else None
        candidates = (self.title, self.title_english, long_title, self.slug, self.imdb_code)
        return next((text for text in candidates if text), f"YTS movie {self.id}")

    @property
    def has_details(self) -> bool:
        """Tell a details answer from a list row, which never has these fields."""
        return not self.model_fields_set.isdisjoint({"cast", "like_count", "description_intro"})


@dataclass(frozen=True, slots=True)
class MoviePage:
    """One list answer."""

    #: Movies in the whole catalogue, as YTS says: an estimate.
    movie_count: int
    #: Distinct by id, in the order sent.
    movies: tuple[MoviePayload, ...]
    malformed: tuple[MalformedMovie, ...] = ()
    #: Names of fields nobody has told us about, with how many movies had them.
    unknown_fields: Counter[str] = field(default_factory=Counter)


def parse_movie(raw: object) -> MoviePayload:
    """
    Check one movie as YTS gives it, a dict.

    Raises:
        MalformedMovie: a field is missing or has a value that it cannot have.
    """
    try:
        return MoviePayload.model_validate(raw)
    except ValidationError as error:
        raise MalformedMovie(_readable_id(raw), _first_problem(error)) from error


def parse_page(body: bytes) -> MoviePage:
    """
    Read a list answer; one without movies gives an empty page.

    Raises:
        YtsUnavailable: not JSON, cut short, or a status other than ok.
        NotYts: JSON of another shape.
    """
    data = _open_envelope(body)
    count, rows = data.get("movie_count"), data.get("movies")
    if not (_is_count(count) and (rows is None or isinstance(rows, list))):
        raise NotYts("the answer has no movie list where YTS puts it")
    movies: dict[int, MoviePayload] = {}
    malformed = []
    for row in rows or ():
        try:
            movie = parse_movie(row)
            movies.setdefault(movie.id, movie)
        except MalformedMovie as error:
            malformed.append(error)
    return MoviePage(
        count, tuple(movies.values()), tuple(malformed), count_unknown(movies.values())
    )


def parse_details(body: bytes, movie_id: int) -> MoviePayload | None:
    """
    Read a details answer; None means that YTS has no movie *movie_id*.

    Raises:
        YtsUnavailable: as `parse_page`, or another movie than the one asked for.
        MalformedMovie: the movie is there but cannot be understood.
    """
    raw = _open_envelope(body).get("movie")
    if not (isinstance(raw, dict) and _is_count(raw.get("id"))):
        raise NotYts("the answer has no movie where YTS puts it")
    # The ghost of a missing movie is not empty: it has id 0 and all genres.
    if raw["id"] == 0:
        return None
    if raw["id"] != movie_id:
        raise YtsUnavailable(f"asked for movie {movie_id}, got movie {raw['id']}")
    return parse_movie(raw)


def count_unknown(movies: Any) -> Counter[str]:
    """Count the fields of *movies* that are neither stored nor known to be left out."""
    return Counter(
        name for movie in movies for name in movie.model_extra if name not in UNSTORED_FIELDS
    )


def _open_envelope(body: bytes) -> dict[str, Any]:
    answer = _read_json(body)
    if not isinstance(answer, dict) or "status" not in answer:
        raise NotYts("the answer is JSON, but not from YTS: it has no status")
    if answer["status"] != "ok":
        status = _printable(str(answer["status"]))[:50]
        message = _printable(str(answer.get("status_message")))[:200]
        raise YtsUnavailable(f"YTS answered status {status!r}: {message}")
    if not isinstance(answer.get("data"), dict):
        raise NotYts("the answer has no data")
    data: dict[str, Any] = answer["data"]
    return data


def _read_json(body: bytes) -> Any:
    # PHP warnings may stand before the JSON.
    after_noise = re.search(rb"\{\s*\"status\".*", body, re.DOTALL)
    for candidate in (body, after_noise.group() if after_noise else b""):
        try:
            return from_json(candidate)
        except ValueError:
            pass  # Lone surrogates stop the fast parser; the patient one takes them.
        try:
            return from_json(_without_surrogates(json.loads(candidate)))
        except (ValueError, RecursionError):
            continue
    raise YtsUnavailable("the answer is not JSON: " + _excerpt(body))


def _without_surrogates(answer: Any) -> bytes:
    """Return *answer* as JSON with a question mark for what UTF-8 cannot hold."""
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")


def _excerpt(body: bytes) -> str:
    text = re.sub(rb"<[^>]*>", b" ", body[:400]).decode("utf-8", "replace")
    return _printable(text)[:120] or "it is empty"


def _printable(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _is_count(value: object) -> TypeGuard[int]:
    """Tell whether *value* is a whole number that a column can keep; true is none."""
    return type(value) is int and 0 <= value < 2**31


def _readable_id(raw: object) -> int | None:
    movie_id = raw.get("id") if isinstance(raw, dict) else None
    return movie_id if _is_count(movie_id) and movie_id else None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"]) or "movie"
    return f"{place}: {problem['msg']} (got {str(problem['input'])[:80]!r})"
