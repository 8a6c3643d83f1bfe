"""The page of charts: what it shows, and when it reads all movies again."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
import requests
from sqlalchemy import URL, event, text
from sqlalchemy.orm import Session

import web.pages.charts
from database.db import DatabaseManager
from tests.support.data.movies import movie
from tests.support.servers.web_server import open_server
from web.meaning import Meaning
from web.pages.charts import KEPT_SECONDS, Charts, ChartsView
from web.v1.parameters import Query
from web.v1.route import Source


class Clock:
    """A clock that stands still."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


@contextmanager
def counted_statements(session: Session) -> Iterator[list[str]]:
    """Yield the statements of *session*."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    yield statements
    event.remove(connection, "before_cursor_execute", note)


def read(charts: Charts, session: Session) -> ChartsView:
    """Return the view of a request."""
    return charts.read(Source(session, Meaning()), Query())


def save(db: DatabaseManager, number: int) -> None:
    """Store a movie."""
    assert db.save_movie(movie(number))[0]


def test_the_page_has_the_charts(served: str):
    """Each is an image with a label, and a table with the same numbers."""
    response = requests.get(f"{served}/charts", timeout=20)
    page = response.text

    assert response.status_code == 200
    assert len(re.findall(r'<svg class="chart [^>]* role="img" aria-label="[^"]+"', page)) == 5
    assert page.count("<details") == page.count("<caption") == 5
    assert not re.search(r"<style|\sstyle=|NaN|\binf\b", page)
    for title in ("Growth", "decade", "Ratings", "Genres", "details"):
        assert re.search(rf"<h2>[^<]*{title}", page)


def test_charts_that_have_not_changed_are_not_sent_again(served: str):
    """304 for a client that has them."""
    first = requests.get(f"{served}/charts", timeout=20)
    again = requests.get(
        f"{served}/charts", headers={"If-None-Match": first.headers["ETag"]}, timeout=20
    )

    assert (again.status_code, again.content) == (304, b"")


def test_an_empty_mirror_says_what_to_do(db: DatabaseManager):
    """Instead of empty charts."""
    with open_server(db) as root:
        page = requests.get(f"{root}/charts", timeout=20)

    assert page.status_code == 200
    assert "The mirror is empty" in page.text
    assert "fetch_yts_data.py" in page.text


def test_a_request_does_not_read_all_movies(db: DatabaseManager):
    """It asks whether rows have changed; if so, charts are kept for some time, and read then."""
    clock = Clock()
    charts = Charts(clock)
    save(db, 1)
    with db.get_session() as session:
        before = read(charts, session)
        with counted_statements(session) as statements:
            assert read(charts, session) is before
    assert len(statements) == 1

    save(db, 2)
    with db.get_session() as session:
        clock.now = KEPT_SECONDS - 1
        assert read(charts, session) is before
        clock.now = KEPT_SECONDS
        after = read(charts, session)
    assert (before.movies, after.movies) == (1, 2)


def test_the_first_movies_are_shown_at_once(db: DatabaseManager):
    """During the first fetch the page does not say that the mirror is empty."""
    charts = Charts(Clock())
    with db.get_session() as session:
        assert read(charts, session).movies == 0
    save(db, 1)
    with db.get_session() as session:
        assert read(charts, session).movies == 1


def test_charts_of_a_mirror_that_does_not_change_are_kept(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """However old they are."""
    # The real one also changes with commits in the databases of other tests.
    monkeypatch.setattr(web.pages.charts, "read_revision", lambda _session: "unchanged")
    clock = Clock()
    charts = Charts(clock)
    with db.get_session() as session:
        before = read(charts, session)
        clock.now = 1e9
        assert read(charts, session) is before


def test_nobody_waits_while_charts_are_drawn_again(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """One thread draws them; the others show the older ones."""
    clock = Clock()
    charts = Charts(clock)
    seen: list[ChartsView] = []
    with db.get_session() as session, db.get_session() as other:
        before = read(charts, session)

        def draw(session: Session) -> ChartsView:
            thread = Thread(target=lambda: seen.append(read(charts, other)))
            thread.start()
            thread.join(10)
            return before

        monkeypatch.setattr(web.pages.charts, "_draw", draw)
        clock.now = KEPT_SECONDS
        save(db, 1)
        read(charts, session)

    assert seen == [before]


def test_movies_that_are_gone_are_left_out(db: DatabaseManager, database_url: URL):
    """The number at the top is that of the charts."""
    for number in (1, 2, 3):
        save(db, number)
    with db.get_session() as session:
        session.execute(text("UPDATE movies SET gone_since = now() WHERE external_id = 2"))
        session.commit()
        view = read(Charts(), session)

    assert view.movies == 2
    assert "2 movies" in view.growth
