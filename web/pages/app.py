"""`Pages`: serves the pages for people, their files, and errors as pages."""

from datetime import UTC, datetime
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from sqlalchemy.orm import Session

from database.errors import DatabaseNotReady
from database.search.keyset import BadPosition
from database.stats import read_sync_state
from web.cache import CachedBody
from web.meaning import Meaning
from web.pages.found import suggest_texts
from web.pages.frame.errors import ErrorView, make_error, view_of
from web.pages.frame.files import StaticFiles
from web.pages.frame.links import Links
from web.pages.frame.page import Page
from web.pages.frame.policy import headers_of
from web.pages.frame.posters import Posters
from web.pages.frame.rendering import Renderer
from web.pages.table import make_pages
from web.reader import CatalogueReader, Overloaded
from web.responses import JSON, body_response
from web.settings import ServerSettings
from web.v1.parameters import Query, SuggestQuery
from web.v1.problems import ProblemFound
from web.v1.requests import read_query
from web.v1.route import Source
from web.v2.own_urls import own_root

_PROBES = ("/healthz", "/readyz", "/metrics")


class Pages:
    """Serves all that is for people."""

    def __init__(self, reader: CatalogueReader, meaning: Meaning, settings: ServerSettings) -> None:
        """Read with *reader*, and search with *meaning*."""
        self._reader = reader
        self._meaning = meaning
        self._has_posters = settings.has_posters
        self._links = Links(settings.base_path)
        self._files = StaticFiles(settings.base_path)
        self._renderer = Renderer(self._links, self._files)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            *(
                web.get(page.path, self._with_errors(partial(self._handle, page)))
                for page in make_pages()
            ),
            web.get("/suggest", self._with_errors(self._suggest)),
            web.get("/static/{name}", self._files.send),
        ]

    def render_api(self, view: object) -> tuple[bytes, dict[str, str]]:
        """Return the page of the API, and its headers; nothing is read for it."""
        page = self._renderer.render(
            "api.html", Posters(is_on=False), view=view, place="api", is_practice=False
        )
        return page, headers_of(page)

    async def _handle(self, page: Page, request: web.Request) -> web.StreamResponse:
        given = [(name, value) for name, value in request.query.items() if value.strip()]
        if len(given) < len(request.query):
            # A form sends its empty fields too.
            path = request.path.removeprefix(self._links.root)
            location = self._links.with_query(path, given)
            return web.Response(status=303, headers={"Location": location})
        query = read_query(page.query, request)
        links = Links(own_root(request, self._links.root)) if page.is_absolute else self._links
        body = await self._read(page, query, links)
        response = body_response(request, body, page.content_type)
        response.headers.update(headers_of(body.plain))
        if response.status == 200:
            response.charset = "utf-8"
        return response

    async def _suggest(self, request: web.Request) -> web.StreamResponse:
        """Return suggestions for the script of the search field."""
        query = read_query(SuggestQuery, request)
        body = await self._reader.read(
            f"suggest?{query.limit}{query.q}", partial(suggest_texts, query)
        )
        return body_response(request, body, JSON)

    async def _read(self, page: Page, query: Query, links: Links) -> CachedBody:
        make = partial(self._make, page, query, links)
        if not page.is_kept:
            return await self._reader.run(lambda session: CachedBody(make(session)))
        day = datetime.now(UTC).date() if page.is_daily else ""
        key = f"pages {links.root}{page.path}?{query.model_dump_json(exclude_defaults=True)}{day}"
        return await self._reader.read(key, make)

    def _make(self, page: Page, query: Query, links: Links, session: Session) -> bytes:
        view = page.read(Source(session, self._meaning), query)
        sync = read_sync_state(session)
        is_practice = sync is not None and sync.is_practice
        # Practice movies have none.
        posters = Posters(is_on=self._has_posters and not is_practice)
        return self._renderer.render(
            page.template,
            posters,
            link=links,
            view=view,
            place=page.place,
            is_practice=is_practice,
        )

    def _with_errors(self, handle: Handler) -> Handler:
        """Return *handle*, with the errors of a request as pages."""

        async def handle_safely(request: web.Request) -> web.StreamResponse:
            try:
                return await handle(request)
            except (ProblemFound, BadPosition) as error:
                view = view_of(error)
            except Overloaded:
                view = ErrorView(503, "The server is busy. Try again soon.")
            except DatabaseNotReady as error:
                view = ErrorView(503, str(error))
            return make_error(self._renderer, view)

        return handle_safely

    def middleware(self) -> Middleware:
        """Return the middleware that makes pages of errors outside the APIs, whoever finds them."""

        @web.middleware
        async def report(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            is_ours = _is_for_people(request.path.removeprefix(self._links.root))
            if not (is_ours and isinstance(response, web.Response)):
                return response
            if response.status >= 400 and response.content_type == "text/plain":
                error = ErrorView(response.status, (response.text or "").strip())
                page = make_error(self._renderer, error)
                response.body = page.body
                response.headers.update(page.headers)
            return response

        return report


def _is_for_people(path: str) -> bool:
    """Return whether *path* is a page: programs use the APIs and the probes."""
    return not path.startswith("/api/") and path not in _PROBES
