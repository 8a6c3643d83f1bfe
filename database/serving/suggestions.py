"""`suggest_movies`: the movies most like another one; by genre if it has no vectors."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.models import Genre, Movie, MovieGenre
from database.search.filters import MovieFilter
from database.search.similar.ranking import NoVector, similar_movies
from database.serving.movie_lists import MovieList, read_movie_part


def suggest_movies(session: Session, movie_id: int, *, limit: int) -> list[int]:
    """Return the YTS ids of at most *limit* movies for the one with the YTS id *movie_id*."""
    row_id = session.scalar(select(Movie.id).where(Movie.external_id == movie_id))
    if row_id is None:
        return []
    try:
        near = [movie.row_id for movie in similar_movies(session, row_id, limit=limit)]
    except NoVector:
        near = movies_of_same_genres(session, [row_id], [], MovieFilter(), limit)
    ids = read_external_ids(session, near)
    return [ids[each] for each in near]


def read_external_ids(session: Session, row_ids: Sequence[int]) -> dict[int, int]:
    """Return the YTS ids of the movies with these `movies.id`."""
    query = select(Movie.id, Movie.external_id).where(Movie.id.in_(row_ids))
    return {row.id: row.external_id for row in session.execute(query)}


def movies_of_same_genres(
    session: Session,
    liked_ids: Sequence[int],
    unwanted_ids: Sequence[int],
    filters: MovieFilter,
    limit: int,
) -> list[int]:
    """Return `movies.id` of others that share most genres with the liked ones, most likes first."""
    genres = select(MovieGenre.genre_id).where(MovieGenre.movie_id.in_(liked_ids))
    is_given = Movie.id.in_([*liked_ids, *unwanted_ids])
    query = (
        select(Movie.id)
        .join(MovieGenre, MovieGenre.movie_id == Movie.id)
        .where(MovieGenre.genre_id.in_(genres), ~is_given, *filters.conditions())
        .group_by(Movie.id)
        .order_by(func.count().desc(), func.coalesce(Movie.like_count, 0).desc(), Movie.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def liked_movies_of_genres(session: Session, row_id: int, limit: int) -> list[int]:
    """
    Return `movies.id` of the movies with most likes of the genres of another one.

    Those of all genres come first, then those of the first genre. The movies before them in the
    order of likes are read, instead of all movies of these genres.
    """
    named = select(Genre.name).join(MovieGenre).where(MovieGenre.movie_id == row_id)
    genres = tuple(session.scalars(named.order_by(Genre.name)))
    found: dict[int, None] = {}
    for chosen in (genres, genres[:1]):
        if chosen and len(found) < limit:
            movies = MovieList(MovieFilter(genres=chosen), "likes")
            part = read_movie_part(session, movies, limit=limit + 1)
            found |= dict.fromkeys(each for each in part.ids if each != row_id)
    return list(found)[:limit]
