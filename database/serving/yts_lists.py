"""`YtsList`, `select_ids`, `find_movie`: the movies of the YTS API, by its parameters."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from database.counts import count_of, count_of_present
from database.models import Genre, Movie, MovieGenre, Torrent

SortBy = Literal["date_added", "title", "year", "rating", "like_count"]
#: Unknown values sort as 0, as at YTS.
_SORT_COLUMNS: dict[SortBy, ColumnElement[Any]] = {
    "title": func.lower(Movie.title),
    "year": func.coalesce(Movie.year, 0),
    "rating": func.coalesce(Movie.rating, 0),
    "like_count": func.coalesce(Movie.like_count, 0),
}


@dataclass(frozen=True, slots=True)
class YtsList:
    """Filters and order of a list; the defaults are all movies, the newest first."""

    sort_by: SortBy = "date_added"
    is_ascending: bool = False
    #: In any case; empty means any.
    genre: str = ""
    #: Such as `1080p`, in lower case; empty means any.
    quality: str = ""
    #: Such as `x265`, in lower case; empty means any.
    video_codec: str = ""
    minimum_rating: float = 0.0
    #: Words of the title with its year, in lower case.
    words: tuple[str, ...] = ()
    imdb_code: str = ""

    @property
    def is_filtered(self) -> bool:
        """Return whether the list leaves out some movies."""
        return self != YtsList(self.sort_by, self.is_ascending)

    @property
    def is_indexed(self) -> bool:
        """Return whether PostgreSQL finds a page near the beginning without reading all movies."""
        return self.sort_by == "date_added" and not self.is_filtered


def select_ids(wanted: YtsList) -> Select[Any]:
    """Return the query for the YTS ids of a list; movies that are gone are left out."""
    column = _SORT_COLUMNS.get(wanted.sort_by)
    order = [Movie.external_id] if column is None else [column, Movie.external_id]
    ordered = [each.asc() if wanted.is_ascending else each.desc() for each in order]
    return _where(select(Movie.external_id), wanted).order_by(*ordered)


def count_movies(wanted: YtsList) -> ColumnElement[Any]:
    """Return the expression for the length of a list."""
    if wanted.is_filtered:
        return _where(select(func.count()).select_from(Movie), wanted).scalar_subquery()
    return count_of_present()


def _where(query: Select[Any], wanted: YtsList) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [Movie.gone_since.is_(None)]
    if wanted.is_indexed:
        # The few that are gone are read first: then the index of the ids is enough for a page. None
        # are read while none are counted: without statistics, that would read the whole table.
        gone = aliased(Movie)
        is_gone = gone.gone_since.is_not(None), count_of("movies.gone_since") > 0
        ids = select(gone.external_id).where(*is_gone)
        conditions = [Movie.external_id.not_in(ids)]
    if wanted.imdb_code:
        conditions.append(Movie.imdb_code == wanted.imdb_code)
    if wanted.minimum_rating:
        conditions.append(Movie.rating >= wanted.minimum_rating)
    if wanted.genre:
        conditions.append(
            exists().where(
                MovieGenre.movie_id == Movie.id,
                MovieGenre.genre_id.in_(
                    select(Genre.id).where(func.lower(Genre.name) == wanted.genre)
                ),
            )
        )
    if wanted.quality or wanted.video_codec:
        conditions.append(exists().where(Torrent.movie_id == Movie.id, _torrent(wanted)))
    title = func.coalesce(Movie.title_long, Movie.title)
    conditions += [title.icontains(word, autoescape=True) for word in wanted.words]
    return query.where(and_(*conditions))


def _torrent(wanted: YtsList) -> ColumnElement[bool]:
    conditions = [
        func.lower(column) == value
        for column, value in (
            (Torrent.quality, wanted.quality),
            (Torrent.video_codec, wanted.video_codec),
        )
        if value
    ]
    return and_(*conditions)


def find_movie(session: Session, *, movie_id: int, imdb_code: str) -> int | None:
    """Return the YTS id of the movie with this id or, if the id is 0, with this IMDb code."""
    condition = Movie.external_id == movie_id if movie_id else Movie.imdb_code == imdb_code
    query = select(Movie.external_id).where(condition, Movie.gone_since.is_(None))
    return session.scalar(query.order_by(Movie.external_id).limit(1))
