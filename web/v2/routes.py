"""`YtsApi`: the routes of the YTS API v2."""

from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from database.errors import DatabaseNotReady
from web.cache import CachedBody
from web.guards import ALLOWED
from web.reader import CatalogueReader, Overloaded
from web.responses import JSON, RETRY_SECONDS, body_response
from web.settings import ServerSettings
from web.v2.bodies import error_body
from web.v2.endpoints import Endpoint, Endpoints
from web.v2.own_urls import own_root, with_own_urls
from web.v2.parameters import Query, normalized


class YtsApi:
    """Serves `/api/v2/`."""

    def __init__(self, reader: CatalogueReader, settings: ServerSettings) -> None:
        """Read with *reader*."""
        self._reader = reader
        self._settings = settings
        self._endpoints = Endpoints(reader, settings.movie_bytes).by_name()
        self._headers = {"Access-Control-Allow-Origin": "*"} if settings.cors else {}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; some clients put a slash after the name of an endpoint."""
        return [
            web.get("/api/v2/{endpoint}", self._report_absence(self._handle)),
            web.get("/api/v2/{endpoint}/", self._report_absence(self._handle)),
            web.options("/api/v2/{endpoint}", self._describe),
            web.options("/api/v2/{endpoint}/", self._describe),
        ]

    def _report_absence(self, handler: Handler) -> Handler:
        """Return *handler* with a 503 for each read that the database does not allow."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Overloaded:
                return self._unavailable("The server is busy; try again soon.")
            except DatabaseNotReady as error:
                return self._unavailable(str(error))

        return handle

    async def _handle(self, request: web.Request) -> web.Response:
        name = request.match_info["endpoint"].lower()
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            raise web.HTTPNotFound
        query = normalized(request.query)
        root = self._own_root(request)
        key = f"{root}/{name}?{sorted(query.items())}"
        body = await self._reader.keep(key, partial(_read, endpoint, query, root))
        response = body_response(request, body, JSON)
        response.headers.update(self._headers)
        return response

    def _own_root(self, request: web.Request) -> str:
        """Return the root URL of pages of movies on this server; empty if they are at YTS."""
        settings = self._settings
        return own_root(request, settings.base_path) if settings.has_own_urls else ""

    async def _describe(self, _request: web.Request) -> web.Response:
        allowed = {**ALLOWED}
        if self._headers:
            allowed |= {
                "Access-Control-Allow-Methods": "GET, HEAD",
                "Access-Control-Allow-Headers": "Authorization, X-Api-Key",
                **self._headers,
            }
        return web.Response(status=204, headers=allowed)

    def _unavailable(self, message: str) -> web.Response:
        headers = {"Retry-After": str(RETRY_SECONDS), **self._headers}
        return web.Response(
            status=503, body=error_body(message), content_type=JSON, headers=headers
        )


async def _read(endpoint: Endpoint, query: Query, root: str) -> tuple[str, CachedBody]:
    revision, body = await endpoint(query)
    return revision, CachedBody(with_own_urls(body.plain, root)) if root else body
