"""`committing`: change a torrent some times a second, as a fetch does; `change_torrent`."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 -- a class
from sqlalchemy import URL

COMMITS_A_SECOND = 20
_CHANGE = """
    UPDATE torrents SET seeds = seeds + 1
    WHERE id = (SELECT min(id) FROM torrents WHERE movie_id >= %s)
"""
_MOVIES = 1000


@contextmanager
def committing(url: URL) -> Iterator[None]:
    """Commit changes of the torrents of some movies, each time of another movie."""
    ended = threading.Event()
    thread = threading.Thread(target=_commit, args=(url, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _commit(url: URL, ended: threading.Event) -> None:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        number = 0
        while not ended.wait(1 / COMMITS_A_SECOND):
            number = number % _MOVIES + 1
            change_torrent(cursor, number)


def change_torrent(cursor: Cursor, number: int) -> None:
    """Change a torrent of the movie with this `movies.id`, or of the next one that has any."""
    cursor.execute(_CHANGE, (number,))
