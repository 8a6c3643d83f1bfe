"""`read_query_words`: what the database knows of the words of a query; `read_guesses` of errors."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.search.edit_distance import count_edits
from database.search.facets import Part, split_words
from database.sql import plan_once

#: Maximum number of words; the rest of a longer query is ignored.
MOST_WORDS = 32
#: Number of words of a person's name inside a query.
_FEWEST_OF_PERSON, _MOST_OF_PERSON = 2, 4
#: Maximum number of guesses for one word; the most frequent ones are used.
_MOST_GUESSES = 5
_LONGEST_GUESSED = 31

# All in one statement: each of them costs more in Python than in PostgreSQL.
_READ = plan_once(
    text("""
    WITH typed AS MATERIALIZED (
        SELECT word, place, folded,
            tsvector_to_array(to_tsvector('simple', folded)) AS plain,
            tsvector_to_array(to_tsvector('english', folded)) AS stems
        FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS words(word, place)
        CROSS JOIN LATERAL fold_accents(word) AS folded
    ), lexemes AS MATERIALIZED (
        SELECT unnest(plain || stems) AS word FROM typed
        UNION SELECT unnest(CAST(:genres AS text[]))
    )
    SELECT
        (SELECT json_agg(json_build_array(word, folded, plain, stems) ORDER BY place) FROM typed),
        (SELECT json_agg(
            json_build_array(word, tsvector_to_array(name_vector(ARRAY[word]))) ORDER BY place)
         FROM unnest(name_words(:query)) WITH ORDINALITY AS words(word, place)),
        (SELECT json_object_agg(word, movies) FROM lexemes JOIN search_words USING (word)),
        (SELECT json_agg(json_build_array(place, movie_id) ORDER BY place, movie_id)
         FROM unnest(CAST(:spans AS text[])) WITH ORDINALITY AS spans(span, place)
         JOIN casts ON search_key(name) = search_key(span)
         JOIN movie_casts ON cast_id = casts.id),
        (SELECT coalesce(sum(value), 0)::int FROM catalogue_counts WHERE name = 'movies')""")
)
_GUESSES = plan_once(
    text("""
    SELECT typed.word, known.word, known.movies
    FROM unnest(CAST(:words AS text[])) AS typed(word)
    JOIN search_words AS known ON known.keys && word_keys(typed.word)
    ORDER BY known.movies DESC, known.word""")
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was typed, and without accents; or two words that name a genre."""

    typed: str
    folded: str
    #: Its forms in documents: plain, and stemmed.
    lexemes: tuple[str, ...]
    #: Whether it is so common that descriptions are indexed without it.
    is_stop: bool
    #: Which facts it names.
    part: Part


@dataclass(frozen=True, slots=True)
class QueryWords:
    """The words of a query, and what is known of them."""

    words: Sequence[Word] = ()
    #: The words as they are in the indexes of names, each with its lexemes there.
    in_names: Sequence[tuple[str, Sequence[str]]] = ()
    #: Number of movies with a lexeme; at the last count, so new words have none.
    movies: Mapping[str, int] = field(default_factory=dict)
    #: `movies.id` of the movies with the person whose whole name a word is a part of.
    people: Mapping[str, Sequence[int]] = field(default_factory=dict)
    #: Number of all movies.
    total: int = 0


def words_of(query: str) -> list[str]:
    """Return the words of *query* without punctuation, each once, in their order."""
    query = unicodedata.normalize("NFC", query.lower())
    # Accents and vowel signs that are separate characters belong to the word before them.
    marks = "".join({char for char in query if unicodedata.category(char).startswith("M")})
    word = rf"\w[\w{re.escape(marks)}]*"
    return list(dict.fromkeys(re.findall(rf"{word}(?:['\u2019]{word})*", query)))[:MOST_WORDS]


def read_query_words(session: Session, query: str) -> QueryWords:
    """Return what is known of the words of *query*."""
    words = words_of(query)
    spans = [
        words[first : first + length]
        for length in range(_FEWEST_OF_PERSON, _MOST_OF_PERSON + 1)
        for first in range(len(words) - length + 1)
    ]
    return read_words(session, split_words(words), query=query, spans=spans)


def read_words(
    session: Session, parts: Sequence[Part], *, query: str = "", spans: Sequence[list[str]] = ()
) -> QueryWords:
    """Return what is known of *parts* as words, of *query* as a name, of *spans* as people."""
    parameters = {
        "words": [" ".join(part.words) for part in parts],
        "genres": [part.genre.lower() for part in parts if part.genre],
        "query": query,
        "spans": [" ".join(span) for span in spans],
    }
    words, in_names, movies, roles, total = session.execute(_READ, parameters).one()
    people: defaultdict[str, list[int]] = defaultdict(list)
    for place, movie_id in roles or ():
        for word in spans[place - 1]:
            people[word].append(movie_id)
    known = [
        Word(typed, folded, _lexemes(plain, stems, part), not stems, part)
        for (typed, folded, plain, stems), part in zip(words or (), parts, strict=True)
    ]
    return QueryWords(known, in_names or (), movies or {}, people, total)


def _lexemes(plain: list[str], stems: list[str], part: Part) -> tuple[str, ...]:
    # Two words name one genre; each of them means something else.
    own = () if len(part.words) > 1 else (*plain, *stems)
    return tuple(dict.fromkeys([*own, *([part.genre.lower()] if part.genre else ())]))


def read_guesses(session: Session, words: Sequence[str]) -> dict[str, dict[str, int]]:
    """
    Return words of titles and names that are one typing error away from each of *words*.

    The words must have no accents. Each guess has the number of its movies, the most frequent
    first.
    """
    short = [word for word in words if len(word) <= _LONGEST_GUESSED]
    guesses: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for word, guess, movies in session.execute(_GUESSES, {"words": short}) if short else ():
        if len(guesses[word]) < _MOST_GUESSES and count_edits(word, guess) == 1:
            guesses[word][guess] = movies
    return guesses
