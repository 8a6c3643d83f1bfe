"""Runs a sandbox: a thread with an event loop of its own, inside whatever process asks for it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from aiohttp import web

from sandbox.api.control import Control
from sandbox.api.fixed_responses import html_error
from sandbox.api.handler import RequestHandler
from sandbox.settings import SandboxSettings

#: How programs tell practice data from the real thing: every answer carries this, faults too.
SERVER_HEADER = "yts-sandbox/2"
#: What is under way when the sandbox closes has this long to end by itself.
_SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Sandbox:
    """An open sandbox."""

    #: Scheme, host and port; the operator's endpoints are below `<root>/sandbox/`.
    root: str

    @property
    def url(self) -> str:
        """The API's base URL, without a slash at the end."""
        return f"{self.root}/api/v2"


@contextmanager
def open_sandbox(settings: SandboxSettings | None = None) -> Iterator[Sandbox]:
    """
    Serve until the block is left; the port is free again within a second.

    Raises:
        OSError: when the port cannot be had.
        ValueError: when the settings name an unknown fault.
    """
    server = _Server(settings or SandboxSettings())
    with _open_loop() as loop:
        try:
            root = asyncio.run_coroutine_threadsafe(server.open(), loop).result()
            yield Sandbox(root)
        finally:
            asyncio.run_coroutine_threadsafe(server.close(), loop).result()


@contextmanager
def _open_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Server:
    """What lives on the loop."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._desk = RequestHandler(settings)
        self._runner = web.AppRunner(
            self._make_app(),
            access_log=None,
            shutdown_timeout=_SHUTDOWN_SECONDS,
            # A stall whose client has left needs no one to end it.
            handler_cancellation=True,
        )

    async def open(self) -> str:
        """Begin to serve and give the root URL."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
        return _root(self._settings.host, self._runner.addresses[0][1])

    async def close(self) -> None:
        """End the serving, also if it never began."""
        self._desk.close()
        await self._runner.cleanup()

    def _make_app(self) -> web.Application:
        app = web.Application()
        app.on_response_prepare.append(_sign)
        app.router.add_get("/api/v2/{endpoint}", self._desk.answer)
        app.router.add_routes(Control(self._desk, self._settings).routes())
        app.router.add_route("*", "/{anything:.*}", _not_found)
        return app


async def _sign(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER_HEADER


async def _not_found(_request: web.Request) -> web.Response:
    return html_error(404, "Not Found")


def _root(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
