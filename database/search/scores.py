"""`read_scores`: the parts of the score of each movie that a search may return."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.search.keywords import share_of_words, share_parameters
from database.search.names import Names
from database.search.nearest import Target
from database.search.query_terms import Term
from database.sql import plan_once

#: What each part of a score counts; docs/search.md has the reasons.
WEIGHTS = {"words": 22.0, "title": 6.0, "meaning": 15.0, "likes": 6.0}
_LARGEST = sum(WEIGHTS.values())
#: The share of a query that a movie has if all words are in the name of one of its people.
_IN_PERSON = 0.9
#: Unknown likes count like those of the average movie, so that they do not hurt.
_UNKNOWN_LIKES = 0.45


@dataclass(frozen=True, slots=True)
class Score:
    """The parts of a score; each is between 0 and 1."""

    #: The share of the query, by weight, that the movie has as words, years, genres or people.
    words: float = 0.0
    #: The share of the title that the query is, if the title has all of its words.
    title: float = 0.0
    #: The cosine of the vectors of query and movie.
    meaning: float = 0.0
    #: The logarithm of its likes, as a share of that of the movie with most likes.
    likes: float = 0.0

    @property
    def total(self) -> float:
        """The weighted sum, as a share of the largest possible one."""
        # Of hundreds of movies: a loop over the names would take half of the time of a ranking.
        points = (
            WEIGHTS["words"] * self.words
            + WEIGHTS["title"] * self.title
            + WEIGHTS["meaning"] * self.meaning
            + WEIGHTS["likes"] * self.likes
        )
        return points / _LARGEST

    def explain(self) -> dict[str, dict[str, float]]:
        """Return value and weight of each part, by its name."""
        return {
            name: {"value": round(getattr(self, name), 4), "weight": weight}
            for name, weight in WEIGHTS.items()
        }


#: SQL on columns of `movies`; 0 to 1.
SHARE_OF_LIKES = f"""
    coalesce(
        ln(1 + CAST(like_count AS float8))
            / nullif((SELECT ln(1 + CAST(max(like_count) AS float8)) FROM movies), 0),
        {_UNKNOWN_LIKES}
    )"""  # noqa: S608 -- a number of ours
_SCORES = """
    SELECT id, {words} AS words, {meaning} AS meaning, {likes} AS likes,
        CASE WHEN id = ANY (CAST(:titled AS bigint[])) THEN
            least(1, length(search_key(:query)) / CAST(length(search_key(title)) AS float8))
        END AS title
    FROM movies {vectors}
    WHERE id = ANY (CAST(:row_ids AS bigint[]))"""
_MEANING = "coalesce(-(search <#> CAST(:vector AS halfvec)), 0)"
_VECTORS = "LEFT JOIN movie_embeddings ON movie_id = id AND space_id = :space_id"


def order_of_words(terms: Sequence[Term]) -> str:
    """Return the SQL of what a score is without title and meaning."""
    words, likes = WEIGHTS["words"], WEIGHTS["likes"]
    return f"{words} * ({share_of_words(terms)}) + {likes} * {SHARE_OF_LIKES}"


def read_scores(
    session: Session,
    row_ids: Collection[int],
    query: str,
    terms: Sequence[Term],
    *,
    names: Names,
    target: Target | None,
) -> dict[int, Score]:
    """Return the scores of the movies with these `movies.id`, of which *query* names some."""
    scores = _SCORES.format(
        words=share_of_words(terms),
        likes=SHARE_OF_LIKES,
        meaning="CAST(0 AS float8)" if target is None else _MEANING,
        vectors="" if target is None else _VECTORS,
    )
    in_title, in_person = names.by_title, names.by_person
    parameters = {
        **share_parameters(terms), "query": query, "row_ids": list(row_ids),
        "titled": list(in_title),
    }  # fmt: skip
    if target is not None:
        parameters |= {"vector": target.as_text, "space_id": target.space.id}
    result = {}
    for row_id, words, meaning, likes, title in session.execute(
        plan_once(text(scores)), parameters
    ):
        if row_id in in_title:
            score = Score(1.0, title or 0.0, meaning, likes)
        else:
            least = _IN_PERSON if row_id in in_person else 0.0
            score = Score(min(1.0, max(least, words)), 0.0, meaning, likes)
        result[row_id] = score
    return result
