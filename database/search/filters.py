"""`MovieFilter`: which movies a query is about; `resolve_*` check the values of its fields."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from database.models import Genre, Movie, MovieGenre, Torrent
from database.search.edit_distance import closest_match
from database.search.facets import GENRE_NAMES

#: From, to; both included, None is open.
Range = tuple[float | None, float | None]
_OPEN: Range = (None, None)


_LANGUAGE_NAMES = """
    arabic=ar bengali=bn bulgarian=bg cantonese=cn catalan=ca chinese=zh croatian=hr czech=cs
    danish=da dutch=nl english=en estonian=et filipino=tl finnish=fi french=fr german=de greek=el
    hebrew=he hindi=hi hungarian=hu icelandic=is indonesian=id italian=it japanese=ja korean=ko
    latvian=lv lithuanian=lt malay=ms malayalam=ml mandarin=zh norwegian=no persian=fa polish=pl
    portuguese=pt punjabi=pa romanian=ro russian=ru serbian=sr slovak=sk slovenian=sl spanish=es
    swedish=sv tagalog=tl tamil=ta telugu=te thai=th turkish=tr ukrainian=uk urdu=ur vietnamese=vi
"""
#: Names that users write, and the values that YTS uses.
LANGUAGES = dict(pair.split("=") for pair in _LANGUAGE_NAMES.split())
_QUALITIES = {"4k": "2160p", "uhd": "2160p", "fhd": "1080p", "fullhd": "1080p", "hd": "720p"}


class UnknownFilterValue(ValueError):
    """No movie has this value; the argument says so and names the closest value."""


@dataclass(frozen=True, slots=True)
class MovieFilter:
    """Conditions for movies, by default none. A movie with an unknown value is in no range."""

    #: A movie must have all of these, by their stored names; see `resolve_genres`.
    genres: tuple[str, ...] = ()
    years: Range = _OPEN
    #: IMDb, 0.1 to 10.
    rating: Range = _OPEN
    #: Minutes.
    runtime: Range = _OPEN
    #: A movie must be in one of these, as YTS writes them: en, ja ...
    languages: tuple[str, ...] = ()
    #: A movie must have a torrent of this quality: 720p, 2160p, 3D ...
    quality: str | None = None
    #: Stored at this time or later, by the clock of the database; with time zone, like the next
    #: two.
    added_since: datetime | None = None
    #: Stored before this time.
    added_before: datetime | None = None
    #: New or changed at this time or later; see `database.search.changes`.
    updated_since: datetime | None = None
    #: Include movies that YTS no longer has.
    with_gone: bool = False

    def __post_init__(self) -> None:
        """
        Refuse times without a time zone.

        Raises:
            ValueError: the message names the field.
        """
        for name in ("added_since", "added_before", "updated_since"):
            time: datetime | None = getattr(self, name)
            if time is not None and time.utcoffset() is None:
                raise ValueError(f"{name} needs a time zone")

    @property
    def is_empty(self) -> bool:
        """Whether there are no conditions."""
        return self == MovieFilter()

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the SQL conditions on rows of `movies`."""
        conditions = self._times()
        if not self.with_gone:
            conditions.append(Movie.gone_since.is_(None))
        for name in self.genres:
            links = select(MovieGenre.movie_id).join(Genre).where(Genre.name == name)
            conditions.append(Movie.id.in_(links))
        conditions += _within(Movie.year, self.years)
        conditions += _within(Movie.rating, self.rating)
        conditions += _within(Movie.runtime, self.runtime)
        if self.languages:
            conditions.append(Movie.language.in_(self.languages))
        if self.quality is not None:
            of_quality = func.lower(Torrent.quality) == self.quality.lower()
            conditions.append(Movie.id.in_(select(Torrent.movie_id).where(of_quality)))
        return conditions

    def _times(self) -> list[ColumnElement[bool]]:
        return [
            *_within(Movie.created_at, (self.added_since, None)),
            *([] if self.added_before is None else [Movie.created_at < self.added_before]),
            *_within(Movie.updated_at, (self.updated_since, None)),
        ]


def _within(
    column: InstrumentedAttribute[Any], limits: tuple[object, object]
) -> list[ColumnElement[bool]]:
    low, high = limits
    return [
        *([] if low is None else [column >= low]),
        *([] if high is None else [column <= high]),
    ]


def resolve_genres(session: Session, names: Sequence[str]) -> tuple[str, ...]:
    """
    Return the stored names of genres that were written in any case.

    Raises:
        UnknownFilterValue: no movie has this genre.
    """
    return _resolve("is of the genre", names, session.scalars(select(Genre.name)), GENRE_NAMES)


def resolve_languages(session: Session, names: Sequence[str]) -> tuple[str, ...]:
    """
    Return the stored codes of languages that were written in any case.

    Raises:
        UnknownFilterValue: no movie is in this language.
    """
    stored = session.scalars(select(Movie.language).distinct()) if names else ()
    return _resolve("is in the language", names, stored, LANGUAGES)


def resolve_quality(session: Session, name: str) -> str:
    """
    Return the stored name of a quality that was written in any case.

    Raises:
        UnknownFilterValue: no torrent has this quality.
    """
    wanted = func.lower(Torrent.quality) == name.strip().lower()
    # The first torrent that has it ends this; the list of all needs the whole table.
    known = session.scalar(select(Torrent.quality).where(wanted).limit(1))
    if known is not None:
        return known
    stored = session.scalars(select(Torrent.quality).distinct())
    return _resolve("has the quality", [name], stored, _QUALITIES)[0]


def _resolve(
    relation: str, names: Sequence[str], stored: Iterable[str | None], aliases: Mapping[str, str]
) -> tuple[str, ...]:
    known = sorted(filter(None, stored))
    by_key = {name.lower(): name for name in known}
    values = []
    for name in names:
        key = name.strip().lower()
        if key not in by_key:
            alias = by_key.get(aliases.get(key, ""))
            near = alias or closest_match(name, known)
            hint = f"The nearest is {near}; there are" if near else "There are"
            raise UnknownFilterValue(
                f"No movie {relation} {name!r}. {hint}: {', '.join(known) or 'none'}."
            )
        values.append(by_key[key])
    return tuple(values)
