"""
`share_compiled_statements`: compile each SQL statement once in a test process.

SQLAlchemy compiles statements again for each engine, and nearly every test opens an engine of its
own. All engines of the tests have equal dialects.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache


class _StatementCache(LRUCache[Any, Any]):
    """A cache of SQLAlchemy whose keys do not contain the dialect, which is their first part."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


def share_compiled_statements() -> None:
    """Let all engines of this process use one cache."""
    cache = _StatementCache(2000)

    @event.listens_for(Engine, "engine_connect")
    def use_cache(connection: Connection) -> None:
        connection.execution_options(compiled_cache=cache)
