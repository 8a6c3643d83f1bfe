"""`read_facts`, `read_rare_words`: what movies may have in common, and words that few have."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.search.word_counts import ALL
from database.sql import plan_once

#: Words in more than this share of all movies say nothing about two of them; a small catalogue
#: would have no others, so this number of movies is always few.
_COMMON, _ALWAYS_FEW = 0.01, 10

_FACTS_SQL = """
    SELECT id, title, year, coalesce(nullif(description_full, ''), summary, '') AS plot,
        ARRAY(
            SELECT name FROM movie_genres JOIN genres ON genres.id = genre_id
            WHERE movie_id = movies.id ORDER BY name
        ) AS genres,
        ARRAY(
            SELECT name FROM movie_casts JOIN casts ON casts.id = cast_id
            WHERE movie_id = movies.id ORDER BY position, name
        ) AS "cast"
    FROM movies WHERE id = ANY (CAST(:row_ids AS bigint[]))"""
_FACTS: Final = plan_once(text(_FACTS_SQL))
_RARE_WORDS_SQL = f"""
    WITH typed AS (
        SELECT word AS typed, tsvector_to_array(to_tsvector('english', fold_accents(word))) AS stems
        FROM unnest(CAST(:words AS text[])) AS word
    ), counted AS (
        SELECT movies AS all_movies FROM search_words WHERE word = '{ALL}'
    )
    SELECT typed, stems[1] AS stem, 1 - ln(movies) / nullif(ln(all_movies), 0) AS rarity
    FROM typed
    JOIN search_words ON word = stems[1]
    CROSS JOIN counted
    WHERE movies <= GREATEST({_COMMON} * all_movies, {_ALWAYS_FEW})"""  # noqa: S608 -- numbers of ours
_RARE_WORDS: Final = plan_once(text(_RARE_WORDS_SQL))


@dataclass(frozen=True, slots=True)
class Facts:
    """What one movie may have in common with another."""

    title: str
    year: int | None
    plot: str
    genres: tuple[str, ...]
    cast: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RareWord:
    """A word that few movies have."""

    #: Forms of one word have the same stem.
    stem: str
    #: 1 for a word of one movie, less for others.
    rarity: float


def read_facts(session: Session, row_ids: Collection[int]) -> dict[int, Facts]:
    """Return the facts of the movies with these `movies.id`, also of those that are gone."""
    rows = session.execute(_FACTS, {"row_ids": list(row_ids)})
    return {
        row_id: Facts(title, year, plot, tuple(genres), tuple(cast))
        for row_id, title, year, plot, genres, cast in rows
    }


def read_rare_words(session: Session, words: Collection[str]) -> dict[str, RareWord]:
    """Return those of *words* that at most one in a hundred movies has; other forms count too."""
    rows = session.execute(_RARE_WORDS, {"words": list(words)})
    return {typed: RareWord(stem, rarity or 0.0) for typed, stem, rarity in rows}
