"""`ApiV1`: serves the routes of the API v1, with their description and its page."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType

from aiohttp import web
from sqlalchemy.orm import Session

from database.errors import DatabaseNotReady
from database.search.keyset import BadPosition
from database.search.query import NothingToSearch
from web.cache import CachedBody
from web.guards import ALLOWED
from web.meaning import Meaning
from web.reader import CatalogueReader, Overloaded
from web.responses import JSON, add_slash, body_response
from web.settings import ServerSettings
from web.v1.api_view import ApiView, view_api
from web.v1.openapi import describe
from web.v1.pages import Page, link_of
from web.v1.parameters import ListQuery, Query
from web.v1.problems import ProblemFound, problem_response
from web.v1.requests import choose_format, read_query
from web.v1.route import Items, Route, Source, Span
from web.v1.streams import Lines, send_stream
from web.v1.table import ROUTES

ROOT = "/api/v1"
_BAD_CURSOR = "cursor: It does not belong to this list. Copy it from `next`, or leave it out."

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Makes the page of the API: its HTML, and its headers.
RenderApi = Callable[[ApiView], tuple[bytes, Mapping[str, str]]]


class ApiV1:
    """Serves `/api/v1/`."""

    def __init__(
        self,
        reader: CatalogueReader,
        meaning: Meaning,
        settings: ServerSettings,
        render_api: RenderApi,
    ) -> None:
        """Read with *reader*, search with *meaning*; *render_api* makes the page of the API."""
        self._reader = reader
        self._meaning = meaning
        self._root = f"{settings.base_path}{ROOT}"
        self._checks_responses = settings.checks_responses
        self._render_api = render_api

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; the last one is for all other addresses below the root."""
        openapi = describe(ROUTES, self._root)
        page, headers = self._render_api(view_api(ROUTES, openapi, self._root))
        documents = {
            "/openapi.json": _document(openapi, JSON),
            "/": _document(page, "text/html", headers),
            "": add_slash,
        }
        handlers = {route.path: partial(self._handle, route) for route in ROUTES} | documents
        return [
            *(
                web.get(f"{ROOT}{path}", _with_problems(handle))
                for path, handle in handlers.items()
            ),
            *(web.options(f"{ROOT}{path}", _allow) for path in handlers),
            web.route("*", f"{ROOT}/{{path:.*}}", _with_problems(self._not_found)),
        ]

    async def _handle(self, route: Route, request: web.Request) -> web.StreamResponse:
        query = read_query(route.query, request)
        if route.read_items is None:
            body = await self._read(route, query, partial(_object_of, route))
            return body_response(request, body, JSON)
        assert isinstance(query, ListQuery)  # noqa: S101 -- as the table says
        chosen = choose_format(query.format, request.headers.get("Accept", ""))
        if chosen != "json":
            read_items = partial(self._read_items, route, query)
            lines = Lines(chosen, route.item)
            return await send_stream(request, lines, query, read_items, self._reader)
        page = Page(route, query, self._root, request.match_info, request.query)
        body = await self._read(route, query, page.make)
        response = body_response(request, body, JSON)
        response.headers["Vary"] = "Accept, Accept-Encoding"
        if link := link_of(body.plain):
            response.headers["Link"] = link
        return response

    def _read_items(self, route: Route, query: ListQuery, span: Span, session: Session) -> Items:
        assert route.read_items is not None  # noqa: S101 -- it is a list
        items = route.read_items(Source(session, self._meaning), query, span)
        if self._checks_responses:
            for row in items.rows:
                route.item.model_validate_json(row)
        return items

    async def _read(
        self, route: Route, query: Query, make: Callable[[Source, Query], bytes]
    ) -> CachedBody:
        def read(session: Session) -> bytes:
            body = make(Source(session, self._meaning), query)
            if self._checks_responses:
                route.response.model_validate_json(body)
            return body

        if not route.is_kept:
            return await self._reader.run(lambda session: CachedBody(read(session)))
        key = f"v1{route.path}?{query.model_dump_json(exclude_defaults=True)}"
        return await self._reader.read(key, read)

    async def _not_found(self, _request: web.Request) -> web.StreamResponse:
        raise ProblemFound(
            404, f"There is nothing at this address. All addresses are listed at {self._root}/."
        )


def _object_of(route: Route, source: Source, query: Query) -> bytes:
    assert route.read_object is not None  # noqa: S101 -- as the table says
    return route.read_object(source, query).encode()


def _with_problems(handle: Handle) -> Handle:
    """Return *handle*, with the errors of a request as problems."""

    async def handle_safely(request: web.Request) -> web.StreamResponse:
        try:
            return await handle(request)
        except ProblemFound as problem:
            return problem_response(problem)
        except BadPosition:
            return problem_response(ProblemFound(400, _BAD_CURSOR))
        except NothingToSearch as error:
            return problem_response(ProblemFound(400, str(error)))
        except Overloaded:
            return problem_response(ProblemFound(503, "The server is busy. Try again soon."))
        except DatabaseNotReady as error:
            return problem_response(ProblemFound(503, str(error)))

    return handle_safely


def _document(
    content: bytes, content_type: str, headers: Mapping[str, str] = MappingProxyType({})
) -> Handle:
    body = CachedBody(content)

    async def send(request: web.Request) -> web.StreamResponse:
        response = body_response(request, body, content_type)
        response.headers.update(headers)
        return response

    return send


async def _allow(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=204, headers=ALLOWED)
