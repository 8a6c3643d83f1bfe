"""`CatalogueReader`: no response is older than the tables by more than a moment."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.errors import DatabaseAway, DatabaseNotReady
from tests.support.databases import run_sql
from web.reader import CatalogueReader, Overloaded
from web.settings import ServerSettings

COUNT = text("SELECT count(*) FROM genres")


def count(session: Session) -> bytes:
    """Return the number of genres."""
    return str(session.scalar(COUNT)).encode()


def slowly(has_read: threading.Event, go_on: threading.Event) -> Callable[..., bytes]:
    """Return a read that counts the genres, and then waits until it may go on."""

    def read(session: Session) -> bytes:
        result = count(session)
        has_read.set()
        assert go_on.wait(20)
        return result

    return read


def test_a_slow_read_does_not_replace_a_newer_one(db: DatabaseManager):
    """What was read before a commit and ready after it is not kept for later requests."""

    async def main() -> tuple[bytes, bytes, bytes]:
        reader = CatalogueReader(db.url, ServerSettings(connections=2))
        has_read, go_on = threading.Event(), threading.Event()
        old = asyncio.ensure_future(reader.read("slow", slowly(has_read, go_on)))
        assert await asyncio.to_thread(has_read.wait, 20)
        run_sql(db.url, "INSERT INTO genres (name) VALUES ('Drama')")
        new = await reader.read("fast", count)
        go_on.set()
        old_body = await old
        again = await reader.read("slow", count)
        await reader.close()
        return old_body.plain, new.plain, again.plain

    assert asyncio.run(main()) == (b"0", b"1", b"1")


def test_equal_reads_at_the_same_time_run_once(db: DatabaseManager):
    """Also where the client that asked first has left meanwhile."""
    calls: list[int] = []

    def read(session: Session) -> bytes:
        calls.append(1)
        return count(session)

    async def main() -> set[bytes]:
        reader = CatalogueReader(db.url, ServerSettings(connections=2))
        first = asyncio.ensure_future(reader.read("key", read))
        await asyncio.sleep(0)
        first.cancel()
        bodies = await asyncio.gather(*(reader.read("key", read) for _ in range(8)))
        await reader.close()
        return {body.plain for body in bodies}

    assert asyncio.run(main()) == {b"0"}
    assert len(calls) == 1


def test_a_client_that_leaves_keeps_its_connection_until_the_read_ends(db: DatabaseManager):
    """Otherwise clients that come and go would fill the queue of the threads without a limit."""

    async def main() -> None:
        reader = CatalogueReader(db.url, ServerSettings(connections=1, queue_seconds=0.01))
        started, go_on = threading.Event(), threading.Event()

        def read(_session: Session) -> bool:
            started.set()
            return go_on.wait(20)

        leaving = asyncio.ensure_future(reader.run(read))
        while not started.is_set():
            await asyncio.sleep(0.001)
        leaving.cancel()
        with pytest.raises(Overloaded):
            await reader.run(count)
        go_on.set()
        await reader.close()

    asyncio.run(main())


def test_a_read_that_does_not_end_is_refused_in_time(db: DatabaseManager):
    """A frozen database keeps its connections open, so no error of the driver ends the wait."""

    async def main() -> list[str]:
        problems: list[str] = []
        settings = ServerSettings(connections=2, read_seconds=0.01)
        reader = CatalogueReader(db.url, settings, problems.append)
        go_on = threading.Event()
        read_late = slowly(threading.Event(), go_on)
        for read in (reader.read("key", read_late), reader.run(read_late)):
            with pytest.raises(DatabaseAway):
                await read
        go_on.set()
        await reader.close()
        return problems

    assert asyncio.run(main()) == ["A read of the database has taken longer than 0.01 s."]


def test_a_database_that_is_away_is_one_problem_for_all_kinds_of_reads():
    """Sessions and prepared statements say the same, so it is reported once."""

    async def main() -> list[str]:
        problems: list[str] = []
        url = make_url("postgresql+psycopg2://yts@127.0.0.1:1/films")
        reader = CatalogueReader(url, ServerSettings(connections=1), problems.append)
        for read in (reader.run(count), reader.revision(), reader.run(count)):
            with pytest.raises(DatabaseAway):
                await read
        await reader.close()
        return problems

    (problem,) = asyncio.run(main())

    assert "yts@127.0.0.1:1/films" in problem


def test_the_operator_gets_the_details_of_a_problem_and_clients_do_not(db: DatabaseManager):
    """A problem is reported again only after a read has succeeded, also if several take turns."""

    def fail(_session: Session) -> bytes:
        raise DatabaseNotReady("Nothing listens at /secret/path.")

    def fail_otherwise(_session: Session) -> bytes:
        raise DatabaseNotReady("It is starting.")

    async def main() -> tuple[list[str], set[str]]:
        problems: list[str] = []
        reader = CatalogueReader(db.url, ServerSettings(connections=1), problems.append)
        messages = set()
        for read in (fail, fail_otherwise, fail, fail_otherwise, count, fail):
            try:
                await reader.run(read)
            except DatabaseNotReady as error:
                messages.add(str(error))
        await reader.close()
        return problems, messages

    problems, messages = asyncio.run(main())

    absence = "Nothing listens at /secret/path."
    assert problems == [absence, "It is starting.", absence]
    assert messages == {"The database cannot be read at the moment. Try again later."}
