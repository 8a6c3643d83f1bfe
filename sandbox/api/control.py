"""
The operator's side door, /sandbox/: look at the traffic, change the catalogue and the faults.

GET stats; POST add?count=5, remove?ids=1,2, change?ids=3, spoil?ids=5&how=huge, and faults with
a JSON object of names and shares. A movie can be spoilt in these ways, in lists and details: huge
(a description of 10 MB), nul, surrogates, wrong-types, out-of-range, null-title, many-torrents
(5,000); honest ends it.
"""

from json import JSONDecodeError

from aiohttp import web

from sandbox.api.fault_mix import FaultMix
from sandbox.api.handler import RequestHandler
from sandbox.catalogue.corruptions import CORRUPTIONS
from sandbox.settings import SandboxSettings


class Control:
    """Handlers of `/sandbox/...`. None of them is counted as traffic or ever goes wrong."""

    def __init__(self, desk: RequestHandler, settings: SandboxSettings) -> None:
        self._desk = desk
        self._seed = settings.seed

    def routes(self) -> list[web.RouteDef]:
        """List what can be asked."""
        return [
            web.get("/sandbox/stats", self.stats),
            web.post("/sandbox/add", self.add),
            web.post("/sandbox/remove", self.remove),
            web.post("/sandbox/change", self.change),
            web.post("/sandbox/spoil", self.spoil),
            web.post("/sandbox/faults", self.faults),
        ]

    async def stats(self, _request: web.Request) -> web.Response:
        """Tell the traffic so far, and how many movies there are."""
        movies = {"movies": len(self._desk.catalogue.ids)}
        return web.json_response(movies | self._desk.traffic.as_json())

    async def add(self, request: web.Request) -> web.Response:
        """Let `count` newer movies appear (1 unless told)."""
        (count, *_) = _numbers(request, "count", default="1")
        return web.json_response({"added": self._desk.catalogue.add(count)})

    async def remove(self, request: web.Request) -> web.Response:
        """Let the movies with these `ids` disappear."""
        return web.json_response({"removed": self._desk.catalogue.remove(_numbers(request, "ids"))})

    async def change(self, request: web.Request) -> web.Response:
        """Give the movies with these `ids` another rating and one more torrent."""
        return web.json_response({"changed": self._desk.catalogue.change(_numbers(request, "ids"))})

    async def spoil(self, request: web.Request) -> web.Response:
        """Let the movies with these `ids` be bad in the way `how`."""
        how = request.query.get("how", "")
        if how not in CORRUPTIONS:
            raise web.HTTPBadRequest(text=f"Give how as one of {', '.join(CORRUPTIONS)}.")
        return web.json_response({"spoilt": self._desk.spoil(_numbers(request, "ids"), how)})

    async def faults(self, request: web.Request) -> web.Response:
        """Replace all faults by the JSON object of names and shares in the body."""
        try:
            shares = await request.json()
            if not isinstance(shares, dict):
                raise ValueError("The body must be a JSON object of names and shares.")
            self._desk.shares = FaultMix(
                {name: float(share) for name, share in shares.items()}, self._seed
            )
        except (JSONDecodeError, TypeError, ValueError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response({"faults": shares})


def _numbers(request: web.Request, name: str, default: str = "") -> list[int]:
    """Read a list like 1,2,5 from the query; 400 if it is none."""
    parts = request.query.get(name, default).split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise web.HTTPBadRequest(text=f"Give {name} as whole numbers separated by commas.")
    return [int(part) for part in parts]
