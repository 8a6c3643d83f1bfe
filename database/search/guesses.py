"""`read_guesses`: words of titles and names that are one typing error away from typed ones."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ARRAY, String, bindparam, column, func, select
from sqlalchemy.orm import Session

from database.models import SearchWord
from database.search.edit_distance import count_edits

#: Maximum number of guesses for one word; the most frequent ones are used.
_MOST_GUESSES = 5
_LONGEST_GUESSED = 31


def read_guesses(session: Session, words: Sequence[str]) -> dict[str, dict[str, int]]:
    """
    Return words of titles and names that are one typing error away from each of *words*.

    The words must have no accents. Each guess has the number of its movies, the most frequent
    first.
    """
    long = [word for word in words if len(word) <= _LONGEST_GUESSED]
    if not long:
        return {}
    typed = (
        func.unnest(bindparam("typed", long, type_=ARRAY(String)))
        .table_valued(column("word", String))
        .render_derived("typed")
    )
    is_near = SearchWord.keys.bool_op("&&")(func.word_keys(typed.c.word))
    rows = session.execute(
        select(typed.c.word, SearchWord.word, SearchWord.movies)
        .join(SearchWord, is_near)
        .order_by(SearchWord.movies.desc(), SearchWord.word)
    )
    guesses: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for word, guess, movies in rows:
        if len(guesses[word]) < _MOST_GUESSES and count_edits(word, guess) == 1:
            guesses[word][guess] = movies
    return guesses
