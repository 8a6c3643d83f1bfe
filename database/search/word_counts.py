"""`refresh_words`: the table of all words in documents, and in how many movies each occurs."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.counts import read_counts
from database.models import SearchWord

#: An empty word, in no document; its row has the number of movies at the last full count.
ALL = ""
#: All words are counted again when the number of movies has changed by this share: it takes a
#: second for every ten thousand movies.
_SHARE_FOR_COUNTING = 0.05

_LOCK = "LOCK TABLE search_words IN SHARE ROW EXCLUSIVE MODE"
_COUNT = """
    CREATE TEMPORARY TABLE counted_words AS
    SELECT word, words.ndoc AS movies, names.word IS NOT NULL AS is_name
    FROM ts_stat('SELECT search_vector FROM movies') AS words
    LEFT JOIN ts_stat('SELECT search_vector FROM movies', 'ab') AS names USING (word)
    UNION ALL SELECT '', count(*), false FROM movies"""
# Rows that would not change are not written.
_SAVE = """
    INSERT INTO search_words AS known (word, movies, is_name)
    SELECT word, movies, is_name FROM counted_words
    ON CONFLICT (word) DO UPDATE SET movies = excluded.movies, is_name = excluded.is_name
    WHERE (known.movies, known.is_name) IS DISTINCT FROM (excluded.movies, excluded.is_name)"""
_FORGET = """
    DELETE FROM search_words
    WHERE NOT EXISTS (SELECT FROM counted_words WHERE counted_words.word = search_words.word)"""
_ADD = """
    INSERT INTO search_words AS known (word, movies, is_name)
    SELECT word, words.ndoc, names.word IS NOT NULL
    FROM ts_stat(:documents) AS words LEFT JOIN ts_stat(:documents, 'ab') AS names USING (word)
    ORDER BY word
    ON CONFLICT (word) DO UPDATE SET is_name = true WHERE excluded.is_name AND NOT known.is_name"""


def refresh_words(session: Session, changed: Sequence[int] = (), *, is_full: bool = False) -> None:
    """
    Add the words in documents of *changed* movies, by `movies.id`; does not commit.

    If the catalogue has grown or shrunk by a twentieth since the last time, or if *is_full*, the
    words of all documents are counted again. In between, frequencies are slightly out of date,
    which hardly matters, and no word is missing.
    """
    movies = read_counts(session).movies
    counted = session.get(SearchWord, ALL)
    is_old = counted is None or abs(movies - counted.movies) > _SHARE_FOR_COUNTING * movies
    if is_full or is_old:
        _count_all(session)
    elif changed:
        ids = ",".join(map(str, map(int, changed)))
        documents = f"SELECT search_vector FROM movies WHERE id IN ({ids})"  # noqa: S608 -- numbers
        session.execute(text(_ADD), {"documents": documents})


def _count_all(session: Session) -> None:
    analyze, drop = "ANALYZE counted_words", "DROP TABLE counted_words"
    for statement in (_LOCK, _COUNT, analyze, _SAVE, _FORGET, drop):
        session.execute(text(statement))
    session.expire_all()
