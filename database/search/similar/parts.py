"""`read_parts`: the parts of the score of each movie that may be similar to a given one."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from operator import mul
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.search.scores import SHARE_OF_LIKES, explain_parts
from database.search.word_counts import ALL
from database.sql import plan_once

#: The words of a movie that are compared: the rarest ones that another movie has as well.
_RAREST = 12
#: A rating counts like this number of likes more, all of them for the rating of the mean movie.
_LIKES_OF_MEAN, _MEAN_RATING = 50, 6.3
#: Movies this number of years apart have 1/e of the part; unknown years count as this share.
_YEARS_APART, _UNKNOWN_YEARS = 10, 0.2
#: Numbers of sequels, which do not make two movies a series.
_NUMBER = "^([0-9]+|ii|iii|iv|v|vi|vii|viii|ix)$"


class Parts(NamedTuple):
    """The parts of the score of a movie that is compared with another; each is at most 1."""

    #: Inner product of both vectors.
    nearness: float = 0.0
    #: The share of the other movie's rarest words, by rarity, that this one has.
    words: float = 0.0
    #: 1 in the same year, less the more years are between them.
    years: float = 0.0
    #: The rarity of the words that both titles have.
    title: float = 0.0
    #: A tenth of the rating; with few likes, nearer to that of the mean movie.
    rating: float = 0.0
    #: The logarithm of its likes, as a share of that of the movie with most likes.
    likes: float = 0.0
    #: The rarity of the people who play in both.
    cast: float = 0.0

    @property
    def total(self) -> float:
        """The weighted sum, as a share of the largest possible one."""
        weighted = sum(map(mul, self, WEIGHTS), 0.0)
        return weighted / _LARGEST

    def shares(self) -> dict[str, float]:
        """Return what each part adds to the total."""
        shares = (part * weight / _LARGEST for part, weight in zip(self, WEIGHTS, strict=True))
        return dict(zip(self._fields, shares, strict=True))

    def explain(self) -> dict[str, dict[str, float]]:
        """Return value and weight of each part, by its name."""
        return explain_parts(self._asdict(), WEIGHTS._asdict())


#: What each part of a score counts; docs/search.md has the reasons.
WEIGHTS = Parts(nearness=10, words=4, years=2, title=2, rating=2, likes=1.5, cast=1)
_LARGEST = sum(WEIGHTS)
_NO_PARTS = Parts()


def mean_of(several: Collection[Parts]) -> Parts:
    """Return the mean of each part; no parts if there are none."""
    if len(several) <= 1:
        return next(iter(several), _NO_PARTS)
    return Parts(*(sum(column) / len(several) for column in zip(*several, strict=True)))


# Of a title, only its stems, because it also has its words as they are. PostgreSQL writes a lexeme
# in a tsvector as it is written in a tsquery. Looking for each word of `words` in a movie is faster
# than to unnest the words of the movie.
_PARTS_SQL = f"""
    WITH counted AS MATERIALIZED (
        SELECT nullif(ln(movies), 0) AS log_of_all FROM search_words WHERE word = '{ALL}'
    ), own AS MATERIALIZED (
        SELECT id AS own_id, year AS own_year, recommend AS own_vector,
            search_vector AS own_words,
            tsvector_to_array(to_tsvector('english', fold_accents(title))) AS own_title
        FROM movies LEFT JOIN movie_embeddings ON movie_id = id AND space_id = :space_id
        WHERE id = ANY (CAST(:own_ids AS bigint[]))
    ), rare AS (
        SELECT own_id, CAST(array_to_tsvector(ARRAY[word]) AS text) AS query,
            GREATEST(1 - ln(movies) / log_of_all, 0) AS rarity,
            lexeme = ANY (own_title) AND word !~ '{_NUMBER}' AS is_title,
            row_number() OVER (PARTITION BY own_id ORDER BY movies, word) AS place
        FROM own
        CROSS JOIN LATERAL unnest(own_words)
        JOIN search_words ON word = lexeme
        CROSS JOIN counted
        WHERE movies > 1 AND ('C' = ANY (weights) OR lexeme = ANY (own_title))
    ), words AS MATERIALIZED (
        SELECT own_id, CAST(query AS tsquery) AS query, 0 AS title,
            rarity / nullif(sum(rarity) OVER (PARTITION BY own_id), 0) AS share
        FROM rare WHERE place <= {_RAREST}
        UNION ALL
        SELECT own_id, CAST(query || '\\:A' AS tsquery), rarity, 0 FROM rare WHERE is_title
    ), plays AS MATERIALIZED (
        SELECT own_id, id, sum(1 - ln(movies) / log_of_all) AS rarity
        FROM (
            SELECT own.movie_id AS own_id, other.movie_id AS id,
                count(*) OVER (PARTITION BY own.movie_id, cast_id) AS movies
            FROM movie_casts AS own JOIN movie_casts AS other USING (cast_id)
            WHERE own.movie_id = ANY (CAST(:own_ids AS bigint[]))
        ) AS played
        CROSS JOIN counted
        WHERE id = ANY (CAST(:ids AS bigint[]))
        GROUP BY own_id, id
    )
    SELECT own_id, id, imdb_code, movies.title AS name, year,
        coalesce(-(recommend <#> own_vector), 0) AS nearness,
        coalesce(shared.words, 0) AS words,
        coalesce(exp(-abs(year - own_year) / CAST({_YEARS_APART} AS float8)), {_UNKNOWN_YEARS})
            AS years,
        LEAST(coalesce(shared.title, 0), 1) AS title,
        (
            coalesce(CAST(rating AS float8), {_MEAN_RATING})
                * coalesce(like_count, {_LIKES_OF_MEAN})
            + {_MEAN_RATING} * {_LIKES_OF_MEAN}
        ) / (coalesce(like_count, {_LIKES_OF_MEAN}) + {_LIKES_OF_MEAN}) / 10 AS rating,
        {SHARE_OF_LIKES} AS likes,
        LEAST(GREATEST(plays.rarity, 0), 1) AS cast
    FROM own
    CROSS JOIN movies
    LEFT JOIN movie_embeddings ON movie_id = id AND space_id = :space_id
    CROSS JOIN LATERAL (
        SELECT sum(share) AS words, sum(words.title) AS title FROM words
        WHERE words.own_id = own.own_id AND search_vector @@ query
    ) AS shared
    LEFT JOIN plays USING (own_id, id)
    WHERE id = ANY (CAST(:ids AS bigint[]))"""  # noqa: S608 -- numbers of ours
_PARTS: Final = plan_once(text(_PARTS_SQL))


@dataclass(frozen=True, slots=True)
class Film:
    """A movie, with what it has in common with other entries of the same film."""

    imdb_code: str | None
    title: str
    year: int | None

    def shared_keys(self) -> set[object]:
        """Return keys, of which entries of one film share at least one."""
        letters = filter(str.isalnum, unicodedata.normalize("NFKD", self.title.casefold()))
        keys: set[object] = {self.imdb_code, ("".join(letters), self.year)}
        return keys - {None}


@dataclass(frozen=True, slots=True)
class Compared:
    """Movies that were compared with others; all by `movies.id`."""

    films: dict[int, Film]
    #: For each movie, and each one that it was compared with.
    parts: dict[int, dict[int, Parts]]


def read_parts(
    session: Session, own_ids: Collection[int], row_ids: Collection[int], *, space_id: int
) -> Compared:
    """Compare each of *row_ids* with each of *own_ids*, all of `movies.id`."""
    parameters = {"own_ids": list(own_ids), "ids": list(row_ids), "space_id": space_id}
    compared = Compared({}, {})
    for own_id, row_id, code, title, year, *parts in session.execute(_PARTS, parameters):
        compared.films.setdefault(row_id, Film(code, title, year))
        compared.parts.setdefault(row_id, {})[own_id] = Parts(*parts)
    return compared
