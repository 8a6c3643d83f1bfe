"""`open_sandbox`: serve the sandbox from a thread with its own event loop in this process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from aiohttp import web

from sandbox.api.control import Control
from sandbox.api.handler import RequestHandler
from sandbox.api.response_bodies import html_error
from sandbox.settings import SandboxSettings

#: Header of every response, faults too: programs tell practice data from YTS by it.
SERVER_HEADER = "yts-sandbox/2"
#: When the sandbox closes, requests under way may take this long to finish.
_SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The address of an open sandbox."""

    #: Scheme, host and port; the control endpoints are below `<root>/sandbox/`.
    root: str

    @property
    def url(self) -> str:
        """Base URL of the API, without a slash at the end."""
        return f"{self.root}/api/v2"


@contextmanager
def open_sandbox(settings: SandboxSettings | None = None) -> Iterator[Sandbox]:
    """
    Serve until the block ends; the port is free again within a second.

    Raises:
        OSError: the port cannot be used.
        ValueError: the settings name an unknown fault.
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
    """The aiohttp server; runs on the event loop."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._handler = RequestHandler(settings)
        self._runner = web.AppRunner(
            self._make_app(),
            access_log=None,
            shutdown_timeout=_SHUTDOWN_SECONDS,
            # A stall ends when its client disconnects.
            handler_cancellation=True,
        )

    async def open(self) -> str:
        """Start to serve; return the root URL."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
        return _root(self._settings.host, self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop serving, also if it never started."""
        self._handler.close()
        await self._runner.cleanup()

    def _make_app(self) -> web.Application:
        app = web.Application()
        app.on_response_prepare.append(_add_server_header)
        # Some clients put a slash after the name of the endpoint.
        for path in ("/api/v2/{endpoint}", "/api/v2/{endpoint}/"):
            app.router.add_get(path, self._handler.handle)
            app.router.add_options(path, _describe)
        app.router.add_routes(Control(self._handler, self._settings).routes())
        app.router.add_route("*", "/{anything:.*}", _not_found)
        return app


async def _add_server_header(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER_HEADER


async def _describe(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers={"Allow": "GET, HEAD, OPTIONS"})


async def _not_found(_request: web.Request) -> web.Response:
    return html_error(404, "Not Found")


def _root(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
