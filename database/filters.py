"""Which movies a question is about."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from database.edits import nearest
from database.models import Genre, Movie, MovieGenre, Torrent

#: From, to; both included, None is open.
Range = tuple[float | None, float | None]
_OPEN: Range = (None, None)


class UnknownGenre(ValueError):
    """No movie is of this genre; the argument says so, and which is nearest."""


@dataclass(frozen=True, slots=True)
class MovieFilter:
    """What a movie must be; by default nothing. What is unknown of a movie is in no range."""

    #: All of them, by their names as stored; see `resolve_genres`.
    genres: tuple[str, ...] = ()
    years: Range = _OPEN
    #: IMDb, 0.1 to 10.
    rating: Range = _OPEN
    #: Minutes.
    runtime: Range = _OPEN
    #: Any of them, as YTS writes them: en, ja ...
    languages: tuple[str, ...] = ()
    #: At least one torrent of it: 720p, 2160p, 3D ...
    quality: str | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is asked."""
        return self == MovieFilter()

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what rows of `movies` must fulfil; movies that are gone never do."""
        found: list[ColumnElement[bool]] = [Movie.gone_since.is_(None)]
        for name in self.genres:
            links = select(MovieGenre.movie_id).join(Genre).where(Genre.name == name)
            found.append(Movie.id.in_(links))
        found += _within(Movie.year, self.years)
        found += _within(Movie.rating, self.rating)
        found += _within(Movie.runtime, self.runtime)
        if self.languages:
            found.append(Movie.language.in_(self.languages))
        if self.quality is not None:
            of_quality = func.lower(Torrent.quality) == self.quality.lower()
            found.append(Movie.id.in_(select(Torrent.movie_id).where(of_quality)))
        return found


def _within(column: InstrumentedAttribute[object], limits: Range) -> list[ColumnElement[bool]]:
    low, high = limits
    return [
        *([] if low is None else [column >= low]),
        *([] if high is None else [column <= high]),
    ]


def resolve_genres(session: Session, names: Sequence[str]) -> tuple[str, ...]:
    """
    Return the stored names of genres that were written in any case.

    Raises:
        UnknownGenre: there is none of such a name.
    """
    known = list(session.scalars(select(Genre.name).order_by(Genre.name)))
    by_key = {name.lower(): name for name in known}
    found = []
    for name in names:
        if (stored := by_key.get(name.strip().lower())) is None:
            near = nearest(name, known)
            hint = f"The nearest is {near}; there are" if near else "There are"
            raise UnknownGenre(f"No movie is of the genre {name!r}. {hint}: {', '.join(known)}.")
        found.append(stored)
    return tuple(found)
