"""`StaticFiles`: the style sheet, the script and the icon of the pages, kept by browsers."""

from pathlib import Path

from aiohttp import web

from web.cache import CachedBody
from web.responses import body_response

_FOLDER = Path(__file__).parents[1] / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR = 365 * 24 * 60 * 60


class StaticFiles:
    """The files in `static/`, read once; an address with the tag of its content never changes."""

    def __init__(self, base_path: str) -> None:
        """Read all files."""
        self._base_path = base_path
        self._bodies = {
            path.name: CachedBody(path.read_bytes())
            for path in _FOLDER.iterdir()
            if path.suffix in _TYPES
        }

    def address(self, name: str) -> str:
        """Return the address of a file for a page."""
        return f"{self._base_path}/static/{name}?v={self._bodies[name].etag.strip(chr(34))}"

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Return the file that a request names."""
        name = request.match_info["name"]
        body = self._bodies.get(name)
        if body is None:
            raise web.HTTPNotFound
        response = body_response(request, body, _TYPES[Path(name).suffix])
        if request.query.get("v") == body.etag.strip('"'):
            response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
        return response
