"""`read_terms`: a query as weighted lexemes, with corrections of possible typing errors."""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, String, bindparam, column, func, literal, select
from sqlalchemy.orm import Session

from database.counts import read_movie_count
from database.models import SearchWord
from database.search.edit_distance import count_edits

#: Maximum number of words; the rest of a longer query is ignored.
MOST_WORDS = 32
#: A word in fewer movies than this may be a typing error of another one.
_RARE = 3
#: Weight of a guessed word, relative to a typed one.
_GUESSED = 0.6
#: Maximum number of guesses for one word; the most frequent ones are used.
_MOST_GUESSES = 5
_LONGEST_GUESSED = 31


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


def words_of(query: str) -> list[str]:
    """Return the words of *query* without punctuation, each once, in their order."""
    query = unicodedata.normalize("NFC", query.lower())
    # Accents and vowel signs that are separate characters belong to the word before them.
    marks = "".join({char for char in query if unicodedata.category(char).startswith("M")})
    word = rf"\w[\w{re.escape(marks)}]*"
    return list(dict.fromkeys(re.findall(rf"{word}(?:['\u2019]{word})*", query)))[:MOST_WORDS]


def read_terms(session: Session, query: str) -> list[Term]:
    """
    Return the terms to search for.

    Words without a count, for example words of movies that were stored since, count as the rarest.
    """
    words = words_of(query)
    if not words:
        return []
    typed = _read_words(session, words)
    # Words such as "the" count only if there are no other words.
    telling = [word for word in typed if not word.is_stop] or typed
    movies = _read_frequencies(session, {lexeme for word in telling for lexeme in word.lexemes})
    total = max(read_movie_count(session), 1)
    terms = []
    for word in telling:
        count = max((movies.get(lexeme, 0) for lexeme in word.lexemes), default=0)
        if word.lexemes:
            terms.append(Term(word.lexemes, _weight(max(count, 1), total), count))
        if count < _RARE:
            terms += _guess(session, word, total)
    return terms


def are_known(terms: Sequence[Term]) -> bool:
    """
    Return whether the meaning of a query can be compared with that of movies.

    At least half of its words must be in some movie. The vector of a word that no movie has is
    noise, but always near some movie: see docs/decisions/searching/search-floor.md. Numbers have no
    meaning.
    """
    typed = [
        term for term in terms if not term.is_guess and any(map(str.isalpha, "".join(term.lexemes)))
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


def _guess(session: Session, word: _Word, total: int) -> list[Term]:
    """Return words of titles and names that are one typing error away from *word*."""
    keys = func.word_keys(literal(word.folded[:_LONGEST_GUESSED]))
    rows = session.execute(
        select(SearchWord.word, SearchWord.movies)
        .where(SearchWord.keys.bool_op("&&")(keys), SearchWord.word.not_in(word.lexemes))
        .order_by(SearchWord.movies.desc(), SearchWord.word)
        .limit(10 * _MOST_GUESSES)
    )
    near = [row for row in rows if count_edits(word.folded, row.word) == 1]
    return [
        Term((row.word,), _GUESSED * _weight(row.movies, total), row.movies, is_guess=True)
        for row in near[:_MOST_GUESSES]
    ]
