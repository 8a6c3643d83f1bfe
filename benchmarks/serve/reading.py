"""`read_all`: run a read of the server once, without a server."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import URL

from database.serving.loop_database import LoopDatabase
from database.serving.prepared import Reading

Result = TypeVar("Result")


def read_all(url: URL, read: Callable[[Reading], Awaitable[Result]]) -> Result:
    """Return what *read* returns."""

    async def main() -> Result:
        with ThreadPoolExecutor(1) as threads:
            database = LoopDatabase(url, threads, on_cut=lambda: None)
            try:
                return await database.run(read)
            finally:
                database.close()

    return asyncio.run(main())
