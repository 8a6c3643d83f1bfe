"""`read_terms`: a query as weighted lexemes, with corrections of possible typing errors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from database.search.query_words import QueryWords, Word, read_guesses

#: A word in fewer movies than this may be a typing error of another one.
_RARE = 3
#: Weight of a guessed word, relative to a typed one.
_GUESSED = 0.6
#: A year counts like a word that one in 50 movies has, and a decade like one that one in 8 has:
#: about as many movies as they are true of.
_YEARS, _DECADES = 50, 8


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query, which matches by any of its lexemes."""

    lexemes: tuple[str, ...]
    #: Higher for rarer words.
    weight: float
    #: Number of movies with the word.
    movies: int
    #: Whether the word is a guess: one typing error away from a typed word.
    is_guess: bool = False
    #: The genre that the word names, as YTS writes it.
    genre: str | None = None
    #: The first and the last year that the word names.
    years: tuple[int, int] | None = None
    #: `movies.id` of the movies with the person whose name the word is a part of.
    movie_ids: tuple[int, ...] = ()


def read_terms(session: Session, query: QueryWords) -> list[Term]:
    """
    Return the terms to search for.

    Words without a count, for example words of movies that were stored since, count as the rarest.
    """
    # Words such as "the" count only if there are no other words.
    telling = [word for word in query.words if not word.is_stop] or query.words
    terms = []
    rare = []
    for word in telling:
        years = word.part.years
        count = max((query.movies.get(lexeme, 0) for lexeme in word.lexemes), default=0)
        if years:
            count = query.total // (_YEARS if years[0] == years[1] else _DECADES)
        if word.lexemes:
            terms.append(
                Term(
                    word.lexemes,
                    _weight(max(count, 1), query.total),
                    count,
                    genre=word.part.genre,
                    years=years,
                    movie_ids=tuple(query.people.get(word.typed, ())),
                )
            )
        if count < _RARE and not word.typed.isdecimal():
            rare.append(word)
    return [*terms, *_guess_terms(session, rare, query.total)]


def _guess_terms(session: Session, words: Sequence[Word], total: int) -> list[Term]:
    guesses = read_guesses(session, [word.folded for word in words])
    weight = _GUESSED * _weight(1, total)
    return [
        Term((guess,), weight, movies, is_guess=True)
        for word in words
        for guess, movies in guesses.get(word.folded, {}).items()
        if guess not in word.lexemes
    ]


def are_known(terms: Sequence[Term]) -> bool:
    """
    Return whether the meaning of a query can be compared with that of movies.

    At least half of its words must be in some movie. The vector of a word that no movie has is
    noise, but always near some movie: see docs/decisions/searching/search-floor.md. Numbers have no
    meaning.
    """
    typed = [
        term
        for term in terms
        if not (term.is_guess or term.years) and any(map(str.isalpha, "".join(term.lexemes)))
    ]
    known = sum(term.movies > 0 for term in typed)
    return known > 0 and 2 * known >= len(typed)


def _weight(movies: int, total: int) -> float:
    """Return a power of the inverse document frequency: a rare word outweighs two common ones."""
    total = max(total, 1)
    inverse = math.log(1 + max(total - movies + 0.5, 0.5) / (movies + 0.5))
    return float(inverse**1.5)
