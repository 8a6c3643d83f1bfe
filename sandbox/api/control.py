"""
`Control`: endpoints below /sandbox/ that show the traffic and change the catalogue and the faults.

GET stats; POST add?count=5, remove?ids=1,2, change?ids=3, corrupt?ids=5&how=huge, and faults with
a JSON object of names and shares. A movie can be corrupted in these ways, in lists and details:
huge (a description of 10 MB), nul, surrogates, wrong-types, out-of-range, null-title,
many-torrents (5,000); intact ends it.
"""

from json import JSONDecodeError

from aiohttp import web

from sandbox.api.fault_mix import FaultMix
from sandbox.api.handler import RequestHandler
from sandbox.catalogue.corruptions import CORRUPTIONS
from sandbox.settings import SandboxSettings


class Control:
    """Handlers of `/sandbox/...`. Not counted as traffic; faults do not apply to them."""

    def __init__(self, handler: RequestHandler, settings: SandboxSettings) -> None:
        self._handler = handler
        self._seed = settings.seed

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of all handlers."""
        return [
            web.get("/sandbox/stats", self.stats),
            web.post("/sandbox/add", self.add),
            web.post("/sandbox/remove", self.remove),
            web.post("/sandbox/change", self.change),
            web.post("/sandbox/corrupt", self.corrupt),
            web.post("/sandbox/faults", self.faults),
        ]

    async def stats(self, _request: web.Request) -> web.Response:
        """Return the traffic so far, and the number of movies."""
        movies = {"movies": len(self._handler.catalogue.ids)}
        return web.json_response(movies | self._handler.traffic.as_json())

    async def add(self, request: web.Request) -> web.Response:
        """Add `count` newer movies (default 1)."""
        (count, *_) = _numbers(request, "count", default="1")
        return web.json_response({"added": self._handler.catalogue.add(count)})

    async def remove(self, request: web.Request) -> web.Response:
        """Remove the movies with these `ids`."""
        return web.json_response(
            {"removed": self._handler.catalogue.remove(_numbers(request, "ids"))}
        )

    async def change(self, request: web.Request) -> web.Response:
        """Change the rating of the movies with these `ids`, and add a torrent to each."""
        return web.json_response(
            {"changed": self._handler.catalogue.change(_numbers(request, "ids"))}
        )

    async def corrupt(self, request: web.Request) -> web.Response:
        """Corrupt the movies with these `ids` in the way `how`."""
        how = request.query.get("how", "")
        if how not in CORRUPTIONS:
            raise web.HTTPBadRequest(text=f"Give how as one of {', '.join(CORRUPTIONS)}.")
        return web.json_response(
            {"corrupted": self._handler.corrupt(_numbers(request, "ids"), how)}
        )

    async def faults(self, request: web.Request) -> web.Response:
        """Replace all faults with the JSON object of names and shares in the body."""
        try:
            shares = await request.json()
            if not isinstance(shares, dict):
                raise ValueError("The body must be a JSON object of names and shares.")
            self._handler.fault_mix = FaultMix(
                {name: float(share) for name, share in shares.items()}, self._seed
            )
        except (JSONDecodeError, TypeError, ValueError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response({"faults": shares})


def _numbers(request: web.Request, name: str, default: str = "") -> list[int]:
    """Read a list like 1,2,5 from the query; 400 if it is not one."""
    parts = request.query.get(name, default).split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise web.HTTPBadRequest(text=f"Give {name} as whole numbers separated by commas.")
    return [int(part) for part in parts]
