"""`serve`: the HTTP server over a mirror, from opening its port until it is asked to stop."""

import asyncio
import os
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.log import access_logger
from sqlalchemy import URL
from sqlalchemy.orm import Session

from database.errors import DatabaseNotReady
from database.serving.read_only import check_movies
from web.access_log import AccessLog
from web.api_key import require_key
from web.connections import GuardedSite
from web.errors import AddressUnusable
from web.guards import LONGEST_URL, guard_requests
from web.meaning import Meaning
from web.metrics import Metrics
from web.pages.app import Pages
from web.reader import CatalogueReader, Overloaded
from web.responses import RETRY_SECONDS, add_slash
from web.server_errors import answer_bugs, server_log
from web.settings import ServerSettings
from web.v1.api import ROOT, ApiV1
from web.v1.problems import report_problems
from web.v2.routes import YtsApi

#: When the server stops, requests under way may take this long to finish, in seconds. With
#: `web.reader.CLOSE_SECONDS` it is five seconds.
_DRAIN_SECONDS = 4.5
#: A connection on which no complete request came for this time is closed, in seconds.
IDLE_SECONDS = 30.0
#: The body of a request is dropped, for at most this time, in seconds.
_BODY_SECONDS = 2.0


async def serve(
    url: URL,
    settings: ServerSettings,
    *,
    opened: Callable[[str], None],
    stop: asyncio.Event,
    report: Callable[[str], None] = lambda _problem: None,
) -> None:
    """
    Serve the mirror at *url* until *stop* is set, then finish the requests under way.

    *opened* gets the root URL of the server, *report* each problem of the database.

    Raises:
        AddressUnusable: the server cannot listen on this host and port.
    """
    reader = CatalogueReader(url, settings, report)
    runner = web.AppRunner(
        _application(reader, settings),
        logger=server_log,
        access_log_class=AccessLog,
        access_log=access_logger if settings.logs_access else None,
        # It is applied twice, one after the other.
        shutdown_timeout=_DRAIN_SECONDS / 2,
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=_BODY_SECONDS,
        # Longer ones are refused without a reason.
        max_line_size=2 * LONGEST_URL,
        handler_cancellation=True,
    )
    await runner.setup()
    try:
        await _listen(runner, settings)
        opened(f"{_root(settings.host, runner.addresses[0][1])}{settings.base_path}")
        await stop.wait()
    finally:
        await runner.cleanup()
        await reader.close()


async def _listen(runner: web.AppRunner, settings: ServerSettings) -> None:
    try:
        await GuardedSite(runner, settings.host, settings.port).start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise AddressUnusable(
            f"The server cannot listen on {settings.host}, port {settings.port}: {reason.lower()}. "
            "Choose another port with --port, or another address with --host."
        ) from error


def _application(reader: CatalogueReader, settings: ServerSettings) -> web.Application:
    metrics, meaning = Metrics(), Meaning()
    pages = Pages(reader, meaning, settings)
    middlewares = [
        metrics.middleware(),
        report_problems(f"{settings.base_path}{ROOT}"),
        pages.middleware(),
        guard_requests(settings.allowed_hosts),
    ]
    if settings.api_key:
        middlewares.append(require_key(settings.api_key, settings.base_path, cors=settings.cors))
    middlewares.append(answer_bugs(settings.base_path))
    application = web.Application(middlewares=middlewares)
    routes = [
        *YtsApi(reader, settings).routes(),
        *ApiV1(reader, meaning, settings, pages.render_api).routes(),
        *pages.routes(),
        web.get("/healthz", _is_alive),
        web.get("/readyz", _readiness(reader)),
        web.get("/metrics", metrics.report),
    ]
    if settings.base_path:
        inner = web.Application()
        inner.router.add_routes([*routes, web.get("", add_slash)])
        application.add_subapp(settings.base_path, inner)
    else:
        application.router.add_routes(routes)
    return application


async def _is_alive(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _readiness(reader: CatalogueReader) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def is_ready(_request: web.Request) -> web.Response:
        try:
            await reader.read("readyz", _read_nothing)
        except Overloaded:
            return _unready("All connections are busy.")
        except DatabaseNotReady as error:
            return _unready(str(error))
        return web.Response(text="ok\n")

    return is_ready


def _read_nothing(session: Session) -> bytes:
    check_movies(session)
    return b""


def _unready(message: str) -> web.Response:
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return web.Response(status=503, text=f"{message}\n", headers=headers)


def _root(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
