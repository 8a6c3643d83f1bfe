"""`read_on_loop`, `read_with`: reads of the server without a server."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import URL

from database.serving.loop_database import LoopDatabase
from web.reader import CatalogueReader
from web.settings import ServerSettings

Result = TypeVar("Result")


def read_on_loop(url: URL, read: Callable[[LoopDatabase], Awaitable[Result]]) -> Result:
    """Return what *read* returns, with connections of its own."""

    async def main() -> Result:
        with ThreadPoolExecutor(1) as threads:
            database = LoopDatabase(url, threads, on_cut=lambda: None)
            try:
                return await read(database)
            finally:
                database.close()

    return asyncio.run(main())


def read_with(url: URL, read: Callable[[CatalogueReader], Awaitable[Result]]) -> Result:
    """Return what *read* returns, with a reader of its own."""

    async def main() -> Result:
        reader = CatalogueReader(url, ServerSettings(connections=1))
        try:
            return await read(reader)
        finally:
            await reader.close()

    return asyncio.run(main())
