"""`read_questions`: queries with their right answers, from files and made from the films."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.quality.mistyping import mistype
from benchmarks.quality.real_films import Film

_FILES = Path(__file__).parent / "queries"
#: Suffixes of the files. The held-out part is measured after all choices were made.
_PARTS = {"tuning": "", "held out": "_held_out"}
#: Number of queries of each kind that are made from the films of each part.
_MADE = 100
_PLOT_WORDS = 4
_TITLE, _CODE, _ACTOR = "whole title", "IMDb code", "actor"
_TYPO, _PLOT = "title with a typing error", "four words of a plot"
_MADE_KINDS = {_TITLE, _CODE, _ACTOR, _TYPO, _PLOT}
_WITH = "with "


class UnknownAnswer(LookupError):
    """An answer of a query is not in the data; the argument names both."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query, and the films that answer it."""

    #: known item, names, names made from films, or lists.
    group: str
    #: For example number of a sequel.
    kind: str
    query: str
    #: Numbers of films. The first result must be one of them; of a list, all results should be.
    right: frozenset[int]

    @property
    def is_typed(self) -> bool:
        """Return whether a person wrote the query; others were generated from films."""
        return self.kind not in _MADE_KINDS


def read_questions(films: Sequence[Film], part: str) -> list[Question]:
    """
    Return the queries of one *part*: tuning, or held out.

    Raises:
        UnknownAnswer: a film or a person is not in the data.
    """
    facts = _Facts(films)
    suffix = _PARTS[part]
    questions = [
        Question("known items", "everyday words", query, facts.film(f"{title} ({year})", query))
        for query, title, year in _read(f"known_items{suffix}")
    ]
    for kind, rows in _read(f"names{suffix}").items():
        for query, answers in rows:
            right = frozenset[int]().union(*(facts.film(answer, query) for answer in answers))
            questions.append(Question("names", kind, query, right))
    for query, kind, wanted in _read(f"lists{suffix}"):
        questions.append(Question("lists", kind, query, facts.all_with(wanted, query)))
    return [*questions, *_made(films, facts, random.Random(part))]  # noqa: S311 -- always the same


def _read(name: str) -> Any:
    return json.loads((_FILES / f"{name}.json").read_text(encoding="utf-8"))


class _Facts:
    """Finds the numbers of films by facts about them."""

    def __init__(self, films: Sequence[Film]) -> None:
        self._films = films
        self._named: defaultdict[str, set[int]] = defaultdict(set)
        for film in films:
            for name in (f"{film.title} ({film.year})", *(_WITH + name for name in film.cast)):
                self._named[name].add(film.id)

    def film(self, name: str, query: str) -> frozenset[int]:
        """Return the films `Title (year)`, or `with Person`."""
        if name not in self._named:
            raise UnknownAnswer(f"No film of the data is {name!r}, the answer to {query!r}.")
        return frozenset(self._named[name])

    def all_with(self, wanted: dict[str, Any], query: str) -> frozenset[int]:
        """Return the films with all of the people and genres, of a decade if one is given."""
        right = {
            film.id
            for film in self._films
            if {*wanted["people"]} <= {*film.cast}
            and {*wanted["genres"]} <= {*film.genres}
            and wanted.get("decade") in {None, (film.year or 0) // 10 * 10}
        }
        if not right:
            raise UnknownAnswer(f"No film of the data answers {query!r}.")
        return frozenset(right)


def _made(films: Sequence[Film], facts: _Facts, rng: random.Random) -> Iterator[Question]:
    """Yield queries made from films that are chosen by chance."""
    group = "names made from films"
    chosen = rng.sample([film for film in films if len(film.title) > 5 and film.imdb_code], _MADE)
    for film in chosen:
        same = frozenset(other.id for other in films if other.title == film.title)
        yield Question(group, _TITLE, film.title, same)
        yield Question(group, _CODE, film.imdb_code or "", frozenset({film.id}))
        if film.cast:
            name = film.cast[0]
            yield Question(group, _ACTOR, name, facts.film(_WITH + name, name))
        if any(len(word) > 4 for word in film.title.split()):
            yield Question(group, _TYPO, mistype(film.title, rng), same)
    plots = {film.id: {*re.findall(r"[a-z]{5,}", film.plot.lower())} for film in films}
    for film in rng.sample([film for film in films if len(plots[film.id]) >= 20], _MADE):
        words = rng.sample(sorted(plots[film.id]), _PLOT_WORDS)
        has_all = frozenset(id_ for id_, plot in plots.items() if plot >= {*words})
        yield Question("known items", _PLOT, " ".join(words), has_all)
