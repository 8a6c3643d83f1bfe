"""`find_in_series`: the film that a number after the name of a series means, as `matrix 2`."""

from typing import Final

from sqlalchemy import BigInteger, column, select, text
from sqlalchemy.orm import Session

from database.models import Movie
from database.search.filters import MovieFilter
from database.search.names.name_queries import NameQuery

#: No series has more films.
_LONGEST = 30
# Other films whose titles begin alike have other people, and documentaries are about a series.
_SERIES: Final = text("""
    WITH alike AS MATERIALIZED (
        SELECT id, title, year, like_count FROM movies
        WHERE name_vector(name_words(title)) @@ CAST(:beginning AS tsquery) AND year IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM movie_genres JOIN genres ON genres.id = genre_id
                WHERE movie_id = movies.id AND name = 'Documentary')
    ), best AS (
        SELECT id FROM alike ORDER BY like_count DESC NULLS LAST, id LIMIT 1
    ), series AS (
        SELECT DISTINCT ON (year, search_key(title)) id, year, title
        FROM alike
        WHERE EXISTS (
            SELECT FROM movie_casts AS own JOIN movie_casts AS others USING (cast_id)
            WHERE own.movie_id = alike.id AND others.movie_id = (SELECT id FROM best))
        ORDER BY year, search_key(title), like_count DESC NULLS LAST, id
    )
    SELECT id FROM series
    WHERE NOT EXISTS (
        SELECT FROM alike WHERE name_vector(name_words(title)) @@ CAST(:parts AS tsquery))
    ORDER BY year, search_key(title) OFFSET :place - 1 LIMIT 1""")


def find_in_series(session: Session, name: NameQuery, filters: MovieFilter) -> int | None:
    """
    Return `movies.id` of the film with this place in a series; None if *name* means none.

    A series are the films whose titles begin with all other words and that share a person with the
    most liked of them, ordered by year. If the title of one of them has the number, that counts.
    """
    parts = name.without_number()
    if parts is None or parts[1] > _LONGEST:
        return None
    series, place = parts
    film = _SERIES.columns(column("id", BigInteger)).scalar_subquery()
    query = select(Movie.id).where(Movie.id == film, *filters.conditions())
    parameters = {"beginning": series.beginning, "parts": name.parts, "place": place}
    return session.scalar(query, parameters)
