"""The words of all documents: how many movies have each, and how each is found despite an error."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_LOCK = "LOCK TABLE search_words IN SHARE ROW EXCLUSIVE MODE"
_COUNT = """
    CREATE TEMPORARY TABLE counted_words AS
    SELECT word, words.ndoc AS movies, names.word IS NOT NULL AS is_name
    FROM ts_stat('SELECT search_vector FROM movies') AS words
    LEFT JOIN ts_stat('SELECT search_vector FROM movies', 'ab') AS names USING (word)"""
# Rows that would not change are left alone: a run that brought little writes little.
_SAVE = """
    INSERT INTO search_words AS known (word, movies, is_name)
    SELECT word, movies, is_name FROM counted_words
    ON CONFLICT (word) DO UPDATE SET movies = excluded.movies, is_name = excluded.is_name
    WHERE (known.movies, known.is_name) IS DISTINCT FROM (excluded.movies, excluded.is_name)"""
_FORGET = """
    DELETE FROM search_words
    WHERE NOT EXISTS (SELECT FROM counted_words WHERE counted_words.word = search_words.word)"""


def refresh_words(session: Session) -> None:
    """Count the words of all documents anew; reads every document. Does not commit."""
    analyze, drop = "ANALYZE counted_words", "DROP TABLE counted_words"
    for statement in (_LOCK, _COUNT, analyze, _SAVE, _FORGET, drop):
        session.execute(text(statement))
