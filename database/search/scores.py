"""`Score`: the parts of the score of a movie that a search may return, and their weights."""

from collections.abc import Mapping
from dataclasses import dataclass

#: What each part of a score counts; docs/search.md has the reasons.
WEIGHTS = {"words": 22.0, "title": 7.0, "meaning": 15.0, "likes": 7.0}
_LARGEST = sum(WEIGHTS.values())
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
        return explain_parts({name: getattr(self, name) for name in WEIGHTS}, WEIGHTS)


def explain_parts(
    parts: Mapping[str, float], weights: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Return value and weight of each part of a score, by its name, as JSON has them."""
    return {
        name: {"value": round(value, 4), "weight": weights[name]} for name, value in parts.items()
    }


#: SQL on columns of `movies`; 0 to 1.
SHARE_OF_LIKES = f"""
    coalesce(
        ln(1 + CAST(like_count AS float8))
            / nullif((SELECT ln(1 + CAST(max(like_count) AS float8)) FROM movies), 0),
        {_UNKNOWN_LIKES}
    )"""  # noqa: S608 -- a number of ours
