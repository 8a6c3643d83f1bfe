"""`MovieRepository`: search, list and count the movies of the mirror; re-exports `MovieFilter`."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.models import Movie
from database.search.aggregates import By, Group, aggregate_movies
from database.search.filters import MovieFilter, resolve_genres, resolve_languages, resolve_quality
from database.search.linked_rows import LinkedTable, stream_rows
from database.search.lookup import (
    SearchOrder,
    SortName,
    find_movies,
    order_of,
    sort_of,
    with_links,
)
from database.search.query import How, QueryEmbedder, search_movies
from database.search.scores import Score
from database.search.similar.parts import Parts
from database.search.similar.ranking import recommend_movies
from database.serving.name_hints import closest_names

__all__ = ["FoundMovie", "MovieFilter", "MovieRepository", "QueryEmbedder", "SimilarMovie"]


@dataclass(frozen=True, slots=True)
class FoundMovie:
    """A result of a search."""

    movie: Movie
    how: How
    #: 1 for movies that the query names as a whole; lower for the others, which are ranked by it.
    score: float
    #: What the score of the others is made of; None for an IMDb code or a URL.
    parts: Score | None


@dataclass(frozen=True, slots=True)
class SimilarMovie:
    """A movie that is similar to another one."""

    movie: Movie
    #: Inner product of both vectors; at most 1.
    similarity: float
    #: What ranks it, at most 1, and the parts that it is made of; docs/search.md explains them.
    score: float
    parts: Parts
    #: The given movie that it is most similar to.
    like: Movie


class MovieRepository:
    """
    Reads movies in a session that the caller opens and closes; writes nothing.

    Movies come with genres, cast and torrents; the number of statements does not depend on the
    number of movies. Movies that YTS no longer has are left out, except by `get`.
    """

    def __init__(self, session: Session, embedder: QueryEmbedder | None = None) -> None:
        """Search by words alone if there is no *embedder*."""
        self.session = session
        self.embedder = embedder

    def resolve_genres(self, names: Sequence[str]) -> tuple[str, ...]:
        """
        Return the stored names of genres that were written in any case.

        Raises:
            UnknownFilterValue: there is no genre of this name; the message has the closest one.
        """
        return resolve_genres(self.session, names)

    def resolve_languages(self, names: Sequence[str]) -> tuple[str, ...]:
        """
        Return the stored codes of languages that were written in any case.

        Raises:
            UnknownFilterValue: no movie is in this language.
        """
        return resolve_languages(self.session, names)

    def resolve_quality(self, name: str) -> str:
        """
        Return the stored name of a quality that was written in any case.

        Raises:
            UnknownFilterValue: no torrent has this quality.
        """
        return resolve_quality(self.session, name)

    def read_clock(self) -> datetime:
        """Return the time by the clock of the database, which dates all rows."""
        now: datetime = self.session.scalars(select(func.clock_timestamp())).one()
        return now

    def get(self, external_id: int) -> Movie | None:
        """Return the movie with this YTS id, or None."""
        query = select(Movie).where(Movie.external_id == external_id)
        return self.session.scalars(with_links(query)).one_or_none()

    def find(self, reference: str, limit: int = 20) -> list[Movie]:
        """
        Return the movies that *reference* names; those with most likes come first.

        It can be a YTS id, an IMDb code, the URL of a page at IMDb or YTS, or a title, also with
        the year. Case, accents and signs of titles do not count. If no movie has the title, those
        whose titles begin with it are returned.
        """
        return self._load(find_movies(self.session, reference, limit))

    def search(
        self,
        words: str,
        *,
        filters: MovieFilter | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> list[FoundMovie]:
        """
        Return the movies that match *words*, best first; see `database.search.query.search_movies`.

        Raises:
            NothingToSearch: *words* has neither a letter nor a digit.
        """
        words = unicodedata.normalize("NFC", words)
        results = search_movies(
            self.session,
            words,
            embedder=self.embedder,
            filters=filters,
            limit=limit,
            offset=offset,
        )
        movies = self._load([result.row_id for result in results])
        return [
            FoundMovie(movie, result.how, result.score, result.parts)
            for movie, result in zip(movies, results, strict=True)
        ]

    def closest_names(self, words: str) -> list[str]:
        """Return titles and names of people that are written nearly like *words*."""
        return closest_names(self.session, words)

    def similar(
        self, movie: Movie, *, filters: MovieFilter | None = None, limit: int = 10
    ) -> list[SimilarMovie]:
        """
        Return the movies most like *movie*, the best first; see `database.search.similar`.

        Raises:
            NoVector: *movie* has no vector.
        """
        return self.recommend([movie], filters=filters, limit=limit)

    def recommend(
        self,
        liked: Sequence[Movie],
        unwanted: Sequence[Movie] = (),
        *,
        filters: MovieFilter | None = None,
        limit: int = 10,
    ) -> list[SimilarMovie]:
        """
        Return the movies most like all of *liked*, the best first, and less like *unwanted*.

        Raises:
            NoVector: none of the *liked* movies has a vector.
        """
        results = recommend_movies(
            self.session,
            [movie.id for movie in liked],
            [movie.id for movie in unwanted],
            filters=filters,
            limit=limit,
        )
        given = {movie.id: movie for movie in liked}
        movies = self._load([result.row_id for result in results])
        return [
            SimilarMovie(movie, near.parts.nearness, near.score, near.parts, given[near.like_id])
            for movie, near in zip(movies, results, strict=True)
        ]

    def paginate(
        self,
        filters: MovieFilter | None = None,
        *,
        order: SearchOrder = "rating",
        limit: int = 20,
        offset: int = 0,
    ) -> list[Movie]:
        """Return a page of the movies that match *filters*; pages never overlap."""
        query = select(Movie).where(*(filters or MovieFilter()).conditions())
        query = query.order_by(*order_of(order)).limit(limit).offset(offset)
        return list(self.session.scalars(with_links(query)))

    def stream(
        self,
        filters: MovieFilter | None = None,
        *,
        yield_per: int = 500,
        are_linked: bool = True,
        sort: SortName = "id",
        is_descending: bool = False,
    ) -> Iterator[Movie]:
        """
        Yield all movies that match *filters*, sorted; *yield_per* are read at a time.

        Memory does not grow with their number: movies that were yielded leave the session. Without
        *are_linked*, they come without genres, cast and torrents.
        """
        query = select(Movie).where(*(filters or MovieFilter()).conditions())
        query = query.order_by(*sort_of(sort, is_descending=is_descending))
        query = with_links(query) if are_linked else query
        for part in self.session.scalars(query.execution_options(yield_per=yield_per)).partitions():
            yield from part

    def stream_linked(
        self, table: LinkedTable, columns: Sequence[str], filters: MovieFilter | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the people, roles or torrents of the movies that match *filters*, as rows."""
        return stream_rows(self.session, table, columns, filters or MovieFilter())

    def aggregate(self, by: By, filters: MovieFilter | None = None) -> list[Group]:
        """Return number and mean rating of the movies in each group; see `By`."""
        return aggregate_movies(self.session, by, filters or MovieFilter())

    def _load(self, row_ids: Sequence[int]) -> list[Movie]:
        query = with_links(select(Movie).where(Movie.id.in_(row_ids)))
        movies = {movie.id: movie for movie in self.session.scalars(query)}
        return [movies[row_id] for row_id in row_ids]
