"""The cost of a run in statements and transactions, which is most of its time in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import ORMExecuteState, Session

from database.db import DatabaseManager
from tests.support.runs import ROWS, fetch
from tests.support.servers.scripted_source import ScriptedSource


@pytest.fixture(autouse=True)
def without_watching(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run on a busy machine would read every two seconds what its workers wait for."""
    monkeypatch.setattr("ingest.worker_waits.SECONDS_BETWEEN_LOOKS", 1000.0)


@contextmanager
def _events(name: str) -> Iterator[list[object]]:
    """Collect the second argument of each event *name* of all engines; the first without one."""
    seen: list[object] = []

    def note(connection: Connection, *arguments: object) -> None:
        seen.append(arguments[0] if arguments else connection)

    event.listen(Engine, name, note)
    try:
        yield seen
    finally:
        event.remove(Engine, name, note)


def test_a_run_uses_the_statements_of_the_run_before(db: DatabaseManager, source: ScriptedSource):
    """
    Each statement is made once in a process: making one costs more than running it.

    Both runs read the list and details, write changes, record failures, and audit ids.
    """
    source.hold(3 * ROWS)
    source.denied = {7}
    source.hidden = {11}

    def run(title: str) -> list[object]:
        source.changes = {id_: {"title": f"{title} {id_}"} for id_ in source.ids}
        source.changes[5] = {"rating": "bad"}
        with _events("before_execute") as statements:
            fetch(db, source.url, audit=100, update=True)
        return statements

    before = run("First") + run("Second")
    known = {id(statement) for statement in before}
    after = run("Third")

    assert len(after) > 2 * ROWS
    assert [str(statement) for statement in after if id(statement) not in known] == []


def test_a_run_loads_no_objects_of_the_models(db: DatabaseManager, source: ScriptedSource):
    """Statements on the tables skip the object tracking of the ORM, which costs more than they."""
    source.hold(2 * ROWS)
    of_models: list[str] = []

    def note(execution: ORMExecuteState) -> None:
        if execution.is_orm_statement:
            of_models.append(str(execution.statement))

    event.listen(Session, "do_orm_execute", note)
    try:
        for _ in range(2):
            fetch(db, source.url, audit=100, update=True)
    finally:
        event.remove(Session, "do_orm_execute", note)

    assert of_models == []


def test_a_run_without_anything_new_makes_few_transactions(
    db: DatabaseManager, source: ScriptedSource
):
    """Its steps are: begin, open the source, two pages, end of the sweep, audit, end."""
    source.hold(2 * ROWS + 3)
    fetch(db, source.url, audit=100)

    with _events("begin") as begun, _events("before_execute") as statements:
        fetch(db, source.url, audit=100)

    assert len(begun) <= 24
    assert len(statements) <= 75
