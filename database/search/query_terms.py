"""`read_terms`: a query as weighted lexemes, with corrections of possible typing errors."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ARRAY, String, bindparam, column, func, select
from sqlalchemy.orm import Session

from database.counts import read_movie_count
from database.models import SearchWord
from database.search.facets import split_words
from database.search.guesses import read_guesses

#: Maximum number of words; the rest of a longer query is ignored.
MOST_WORDS = 32
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


def words_of(query: str) -> list[str]:
    """Return the words of *query* without punctuation, each once, in their order."""
    query = unicodedata.normalize("NFC", query.lower())
    # Accents and vowel signs that are separate characters belong to the word before them.
    marks = "".join({char for char in query if unicodedata.category(char).startswith("M")})
    word = rf"\w[\w{re.escape(marks)}]*"
    return list(dict.fromkeys(re.findall(rf"{word}(?:['\u2019]{word})*", query)))[:MOST_WORDS]


def read_terms(
    session: Session, query: str, people: Mapping[str, Sequence[int]] | None = None
) -> list[Term]:
    """
    Return the terms to search for; *people* has the movies of the person that a word names.

    Words without a count, for example words of movies that were stored since, count as the rarest.
    """
    words = words_of(query)
    if not words:
        return []
    parts = {part.words: part for part in split_words(words)}
    typed = [
        word.of_genre(parts[tuple(word.typed.split(" "))].genre)
        for word in _read_words(session, [" ".join(words) for words in parts])
    ]
    # Words such as "the" count only if there are no other words.
    telling = [word for word in typed if not word.is_stop] or typed
    movies = _read_frequencies(session, {lexeme for word in telling for lexeme in word.lexemes})
    total = max(read_movie_count(session), 1)
    terms = []
    rare = []
    for word in telling:
        part = parts[tuple(word.typed.split(" "))]
        count = max((movies.get(lexeme, 0) for lexeme in word.lexemes), default=0)
        if part.years:
            count = total // (_YEARS if part.years[0] == part.years[1] else _DECADES)
        if word.lexemes:
            ids = tuple((people or {}).get(word.typed, ()))
            weight = _weight(max(count, 1), total)
            terms.append(
                Term(
                    word.lexemes, weight, count,
                    genre=part.genre, years=part.years, movie_ids=ids,
                )
            )  # fmt: skip
        if count < _RARE and not word.typed.isdecimal():
            rare.append(word)
    return [*terms, *_guess_terms(session, rare, total)]


def _guess_terms(session: Session, words: Sequence["_Word"], total: int) -> list[Term]:
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


def read_weights(session: Session, words: Sequence[str]) -> dict[str, float]:
    """Return the weight of each of *words*; stop words are left out."""
    if not words:
        return {}
    typed = [word for word in _read_words(session, words) if not word.is_stop]
    movies = _read_frequencies(session, {lexeme for word in typed for lexeme in word.lexemes})
    total = max(read_movie_count(session), 1)
    return {
        word.typed: _weight(max([1, *(movies.get(lexeme, 0) for lexeme in word.lexemes)]), total)
        for word in typed
    }


def _weight(movies: int, total: int) -> float:
    """Return a power of the inverse document frequency: a rare word outweighs two common ones."""
    inverse = math.log(1 + max(total - movies + 0.5, 0.5) / (movies + 0.5))
    return float(inverse**1.5)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word as it was typed, and without accents."""

    typed: str
    folded: str
    #: Its forms in documents: plain, and stemmed.
    lexemes: tuple[str, ...]
    #: Whether it is so common that descriptions are indexed without it.
    is_stop: bool

    def of_genre(self, genre: str | None) -> "_Word":
        """Return the word with the lexeme of the *genre* that it names."""
        if genre is None:
            return self
        # Two words name one genre; each of them means something else.
        own = () if " " in self.typed else self.lexemes
        return replace(self, lexemes=tuple(dict.fromkeys([*own, genre.lower()])))


def _read_words(session: Session, words: Sequence[str]) -> list[_Word]:
    typed = (
        func.unnest(bindparam("words", list(words), type_=ARRAY(String)))
        .table_valued(column("word", String), with_ordinality="place")
        .render_derived()
    )
    folded = func.fold_accents(typed.c.word)
    plain, stemmed = (
        func.tsvector_to_array(func.to_tsvector(language, folded))
        for language in ("simple", "english")
    )
    rows = session.execute(select(typed.c.word, folded, plain, stemmed).order_by(typed.c.place))
    return [
        _Word(word, without_accents, tuple(dict.fromkeys([*as_it_is, *stems])), not stems)
        for word, without_accents, as_it_is, stems in rows
    ]


def _read_frequencies(session: Session, lexemes: set[str]) -> dict[str, int]:
    query = select(SearchWord.word, SearchWord.movies).where(SearchWord.word.in_(lexemes))
    return {row.word: row.movies for row in session.execute(query)}
