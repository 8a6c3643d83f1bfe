"""`fetch_first`: the tables after a first run, which is made once in a process and then copied."""

from collections.abc import Hashable
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from sqlalchemy import Table

from database.db import DatabaseManager
from database.models import Base
from sandbox.api.sandbox_server import Sandbox
from tests.support.runs import FEW_MOVIES, counted, fetch
from tests.support.servers.scripted_source import ScriptedSource

#: Stands for the address of the source, which is another one in each test.
_ROOT = b"http://root.invalid"
_SEQUENCES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND oid > 16383"


@dataclass(frozen=True, slots=True)
class _Copy:
    """All rows of a database in the format of COPY, and the next numbers of its sequences."""

    rows: dict[str, bytes]
    sequences: list[str]


_copies: dict[Hashable, _Copy] = {}


def fetch_first(db: DatabaseManager, source: Sandbox | ScriptedSource, **options: Any) -> None:
    """
    Run the first fetch with *options* in an empty database; later calls copy what it has left.

    *source* is `short_sandbox` or a scripted source, without faults. It sees no request of a copied
    run. Use `fetch` if the law is about the first run itself.
    """
    key = (_catalogue_of(source), *sorted(options.items()))
    root = source.url.removesuffix("/api/v2").encode()
    if copy := _copies.get(key):
        _load(db, copy, root)
        return
    assert fetch(db, source.url, **options).exit_code == 0
    _copies[key] = _save(db, root)


def _catalogue_of(source: Sandbox | ScriptedSource) -> Hashable:
    if isinstance(source, Sandbox):
        stats = counted(source)
        assert (stats["movies"], stats["requests"]) == (FEW_MOVIES, 0), "not as it was opened"
        return "short_sandbox"
    assert source.is_faultless(), "the run would not be an ordinary one"
    return tuple(source.ids), frozenset(source.hidden)


def _save(db: DatabaseManager, root: bytes) -> _Copy:
    rows = {}
    with closing(db.engine.raw_connection()) as connection, connection.cursor() as cursor:
        for table in Base.metadata.sorted_tables:
            buffer = BytesIO()
            cursor.copy_expert(f"COPY {_with_columns(table)} TO STDOUT", buffer)
            if content := buffer.getvalue():
                rows[_with_columns(table)] = content.replace(root, _ROOT)
        cursor.execute(_SEQUENCES)
        sequences = []
        for (name,) in cursor.fetchall():
            cursor.execute(f"SELECT last_value, is_called FROM {name}")
            sequences.append("setval('{}', {}, {})".format(name, *cursor.fetchone()))
    return _Copy(rows, sequences)


def _load(db: DatabaseManager, copy: _Copy, root: bytes) -> None:
    with closing(db.engine.raw_connection()) as connection, connection.cursor() as cursor:
        # Without triggers, which would check foreign keys and count the rows again.
        cursor.execute(
            "SET LOCAL session_replication_role = replica; DELETE FROM catalogue_counts; "
            f"SELECT {', '.join(copy.sequences)}"
        )
        for table, content in copy.rows.items():
            cursor.copy_expert(f"COPY {table} FROM STDIN", BytesIO(content.replace(_ROOT, root)))
        connection.commit()


def _with_columns(table: Table) -> str:
    names = [column.name for column in table.columns if column.computed is None]
    return f"{table.name} ({', '.join(names)})"
