"""`MoviePayload`, `parse_movie`: a movie of YTS, parsed and checked field by field (pure)."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeGuard
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from yts.errors import MalformedMovie
from yts.genres import KNOWN_GENRES, spell_genre

#: The zone in which YTS has written its dates since 2019; responses no longer name it.
SITE_ZONE = ZoneInfo("Europe/Paris")

_UNIX_MAX = 253_402_300_799  # the last second of the year 9999


def _empty_is_unknown(value: Any) -> Any:
    return None if value == "" else value


# One function for each number: calls from the parser are a third of its time.
def _known_number(value: Any) -> Any:
    # pydantic would read true as 1.
    if isinstance(value, bool):
        raise ValueError("true and false are not numbers")
    return None if value == "" else value


def _number_except_zero(value: Any) -> Any:
    return None if value in (0, "0", "") else _known_number(value)


def _storable(text: str | None) -> str | None:
    # PostgreSQL cannot store NUL in text.
    return (text.replace("\0", "").strip() or None) if text else None


def as_list(value: Any) -> Any:
    """Return *value* as a list if it is an object with numeric keys (PHP's list with gaps)."""
    if isinstance(value, dict) and all(str(key).isdecimal() for key in value):
        return list(value.values())
    return value


def _without_query(url: str | None) -> str | None:
    # Since 2025 URLs can contain a token that differs in each response; it is removed.
    if not url or ("?" not in url and "#" not in url) or _OTHER_SCHEME.match(url):
        return url
    return url.partition("#")[0].partition("?")[0] or None


#: For example that of a magnet link, which needs its query.
_OTHER_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)

_List = BeforeValidator(as_list)
_Number = BeforeValidator(_known_number)
_NonZero = BeforeValidator(_number_except_zero)

Text = Annotated[str | None, AfterValidator(_storable)]
#: Without query and fragment.
Url = Annotated[Text, AfterValidator(_without_query)]
Genre = Annotated[Text, AfterValidator(spell_genre)]
Flag = Annotated[bool | None, BeforeValidator(_empty_is_unknown)]
# The ranges are those of the columns that keep them.
Small = Annotated[Annotated[int, Field(ge=0, le=2**15 - 1)] | None, _Number]
Count = Annotated[Annotated[int, Field(ge=0, le=2**31 - 1)] | None, _Number]
Bytes = Annotated[Annotated[int, Field(ge=0, le=2**63 - 1)] | None, _Number]
Unix = Annotated[Annotated[int, Field(ge=0, le=_UNIX_MAX)] | None, _Number]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, str_strip_whitespace=True, coerce_numbers_to_str=True)


class _Uploaded(_Payload):
    #: The site's wall clock, `YYYY-MM-DD HH:MM:SS`, without a zone.
    date_uploaded: Text = None
    #: The same time by the clock of the server, whose zone has changed over the years.
    date_uploaded_unix: Unix = None

    @property
    def uploaded_at(self) -> datetime | None:
        """Return the upload time, from the wall clock if possible, because it has never changed."""
        try:
            wall_clock = datetime.fromisoformat(self.date_uploaded or "")
            return wall_clock.replace(tzinfo=SITE_ZONE).astimezone(UTC)
        except (ValueError, OverflowError):
            unix = self.date_uploaded_unix
            return datetime.fromtimestamp(unix, UTC) if unix else None


class TorrentPayload(_Uploaded):
    """The metadata of one torrent of a movie."""

    #: 40 hex digits, upper case; None for the few without, which cannot be stored.
    hash: Annotated[Text, AfterValidator(lambda text: text.upper() if text else None)] = None
    url: Url = None
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
    """One of the at most four actors in a details response."""

    name: Text = None
    character_name: Text = None
    #: Digits without "nm", leading zeros kept.
    imdb_code: Text = None
    #: Absent when the actor has no picture.
    url_small_image: Url = None


class MoviePayload(_Uploaded):
    """
    One movie, from a list or a details response.

    None means unknown: the key was absent, null, empty, or the 0 that YTS sends for an
    unknown year, runtime or rating. Genres, torrents and cast are None only if their key is
    absent or null; an empty list is a value.
    """

    model_config = ConfigDict(extra="allow")

    id: Annotated[int, _Number, Field(ge=1, le=2**31 - 1)]
    url: Url = None
    imdb_code: Text = None
    title: Text = None
    title_english: Text = None
    title_long: Text = None
    slug: Text = None
    year: Annotated[Annotated[int, Field(ge=1, le=9999)] | None, _NonZero] = None
    #: IMDb's, 0.1 to 10.
    rating: Annotated[Annotated[float, Field(ge=0.05, le=10)] | None, _NonZero] = None
    #: Minutes.
    runtime: Annotated[Annotated[int, Field(ge=1, le=2**15 - 1)] | None, _NonZero] = None
    genres: Annotated[tuple[Genre, ...] | None, _List] = None
    summary: Text = None
    description_full: Text = None
    description_intro: Text = None
    synopsis: Text = None
    yt_trailer_code: Text = None
    language: Text = None
    mpa_rating: Text = None
    like_count: Count = None
    background_image: Url = None
    background_image_original: Url = None
    small_cover_image: Url = None
    medium_cover_image: Url = None
    large_cover_image: Url = None
    torrents: Annotated[tuple[TorrentPayload, ...] | None, _List] = None
    #: A sample of at most four, which may differ between two responses.
    cast: Annotated[tuple[CastPayload, ...] | None, _List] = None

    @property
    def display_title(self) -> str:
        """Return the title, or the best replacement for a missing one."""
        long_title = self.title_long if self.title_long and self.title_long[0] != "(" else None
        candidates = (self.title, self.title_english, long_title, self.slug, self.imdb_code)
        return next((text for text in candidates if text), f"YTS movie {self.id}")

    @property
    def has_known_genres(self) -> bool:
        """
        Return whether all genres are names that YTS uses.

        Other names may be in another language: responses in Arabic were recorded in 2026.
        """
        return KNOWN_GENRES.issuperset(genre for genre in self.genres or () if genre)

    @property
    def has_details(self) -> bool:
        """Return whether this is from a details response: a list row never has these fields."""
        return not self.model_fields_set.isdisjoint({"cast", "like_count", "description_intro"})


def parse_movie(raw: object) -> MoviePayload:
    """
    Return a movie from a dict as YTS sends it.

    Raises:
        MalformedMovie: a field is missing or has an invalid value.
    """
    try:
        return MoviePayload.model_validate(raw)
    except ValidationError as error:
        raise MalformedMovie(_readable_id(raw), _first_problem(error)) from error
    except ValueError as error:  # a number of thousands of digits in place of a text
        raise MalformedMovie(_readable_id(raw), f"movie: {error}") from error


def is_count(value: object) -> TypeGuard[int]:
    """Return whether *value* is a whole number that a column can store (true is not)."""
    return type(value) is int and 0 <= value < 2**31


def read_id(value: object) -> int | None:
    """
    Return an id, which may be a text, or None if *value* is not an id.

    0 is the id of the ghost, and only as a number: a missing movie must not be guessed.
    """
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:
        value = int(value) or None
    return value if is_count(value) else None


def _readable_id(raw: object) -> int | None:
    return (read_id(raw.get("id")) or None) if isinstance(raw, dict) else None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False)[0]
    path = ".".join(str(part) for part in problem["loc"]) or "movie"
    return f"{path}: {problem['msg']} (got {_shown(problem['input'])})"


def _shown(value: Any) -> str:
    try:
        return repr(str(value)[:80])
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        return "what is too long to show"
