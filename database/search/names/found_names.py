"""`find_names`: movies whose titles, or whose people's names, have all words of a query."""

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import InstrumentedAttribute, Session

from database.models import Cast, Movie, MovieCast
from database.search.filters import MovieFilter
from database.search.names.name_queries import NameQuery, name_query_of
from database.search.names.series import find_in_series
from database.search.query_words import QueryWords, read_guesses
from database.search.references import has_title
from database.sql import plan_once

#: Longer queries are not compared with parts of names, and even longer ones have no errors guessed.
_MOST_WORDS, _MOST_GUESSED = 12, 8
#: Titles with all words that are ranked, those with most likes first.
_MOST_TITLES = 200
#: Movies of a title or a person.
_MOST_MOVIES = 1000
#: A part of a name that more people have names none of them.
_MOST_PEOPLE = 20


@dataclass(frozen=True, slots=True)
class Names:
    """`movies.id` of the movies that a query names."""

    #: With this title, also followed by the year; and with a person of this name.
    titled: tuple[int, ...] = ()
    played: tuple[int, ...] = ()
    #: With all words in the title, or in the name of a person.
    in_title: tuple[int, ...] = ()
    in_person: tuple[int, ...] = ()

    @property
    def by_title(self) -> set[int]:
        """Those with all words of the query in the title."""
        return {*self.titled, *self.in_title}

    @property
    def by_person(self) -> set[int]:
        """Those with all words of the query in the name of a person."""
        return {*self.played, *self.in_person}

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self.titled or self.played or self.in_title or self.in_person)


def find_names(session: Session, query: str, words: QueryWords, filters: MovieFilter) -> Names:
    """
    Return the movies that *query* names, with guesses of typing errors if there are none.

    *words* are those of the query.
    """
    name = name_query_of(words)
    if not name.spellings:
        # A title of signs.
        signs = select(Movie.id).where(has_title(query), *filters.conditions())
        return Names(titled=tuple(session.scalars(signs.limit(_MOST_MOVIES))))
    found = _read_names(session, name, filters)
    if not (found.titled or found.played):
        film = find_in_series(session, name, filters)
        if film is not None:
            return replace(found, titled=(film,))
    if found or len(name.spellings) > _MOST_GUESSED:
        return found
    guesses = read_guesses(session, [each for each in name.words if not each.isdecimal()])
    if not guesses:
        return found
    guessed = NameQuery(tuple((*each, *guesses.get(each[0], ())) for each in name.spellings))
    # No title is guessed as a whole: guesses are ranked with the others.
    return _read_names(session, guessed, filters, is_guessed=True)


def _read_names(
    session: Session, name: NameQuery, filters: MovieFilter, *, is_guessed: bool = False
) -> Names:
    """Read all kinds of names in one statement; of guessed names, only those with all words."""
    undated = name.without_year()
    low, high = (undated and undated.years) or (0, 0)
    parameters = {
        "whole": name.whole,
        "parts": name.parts,
        "undated_whole": undated.whole if undated else None,
        "undated_parts": undated.parts if undated else None,
        "low": low,
        "high": high,
    }
    has_parts = len(name.spellings) <= _MOST_WORDS
    kinds = ([] if is_guessed else ["whole"]) + (["parts"] if has_parts else [])
    statement = _statement(filters, tuple(kinds), is_dated=undated is not None)
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for kind, row_id in session.execute(statement, parameters):
        ids[kind].append(row_id)
    return Names(**{kind: tuple(found) for kind, found in ids.items()})


@lru_cache(maxsize=32)
def _statement(
    filters: MovieFilter, kinds: tuple[str, ...], *, is_dated: bool
) -> CompoundSelect[str, int]:
    """Return the statement for *kinds* of names; to build it takes longer than to run it."""
    queries: dict[str, Select[int]] = {}
    if "whole" in kinds:
        queries["titled"] = _titles("whole", _MOST_MOVIES, is_dated=is_dated)
        queries["played"] = _plays(select(Cast.id).where(_matches(Cast.name, "whole")))
    if "parts" in kinds:
        people = select(Cast.id).where(_matches(Cast.name, "parts")).limit(_MOST_PEOPLE + 1)
        named = people.cte().prefix_with("MATERIALIZED")
        are_few = select(func.count()).select_from(named).scalar_subquery() <= _MOST_PEOPLE
        queries["in_title"] = _titles("parts", _MOST_TITLES, is_dated=is_dated)
        queries["in_person"] = _plays(select(named.c.id).where(are_few))
    statement = union_all(
        *(
            select(literal_column(f"'{kind}'").label("kind"), found.c.id)
            for kind, query in queries.items()
            for found in [query.where(*filters.conditions()).subquery()]
        )
    )
    return plan_once(statement) if filters.is_empty else statement


def _titles(kind: str, limit: int, *, is_dated: bool) -> Select[int]:
    """Return the query for titles that match; if *is_dated*, also without the year of the movie."""
    condition = _matches(Movie.title, kind)
    if is_dated:
        of_year = Movie.year.between(bindparam("low"), bindparam("high"))
        condition = or_(condition, and_(_matches(Movie.title, f"undated_{kind}"), of_year))
    return _most_liked(condition, limit)


def _plays(people: Select[int]) -> Select[int]:
    plays = select(MovieCast.movie_id).where(MovieCast.cast_id.in_(people))
    return _most_liked(Movie.id.in_(plays), _MOST_MOVIES)


def _most_liked(condition: ColumnElement[bool], limit: int) -> Select[int]:
    query = select(Movie.id).where(condition)
    return query.order_by(Movie.like_count.desc().nulls_last(), Movie.id).limit(limit)


def _matches(name: InstrumentedAttribute[str], parameter: str) -> ColumnElement[bool]:
    """Compare words as the indexes have them with the tsquery that is a parameter."""
    vector = func.name_vector(func.name_words(name))
    return vector.bool_op("@@")(cast(bindparam(parameter, type_=Text), TSQUERY))
