"""`Metrics`: counts and durations of requests, for Prometheus."""

import time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

#: Bounds of the histogram of durations, in seconds.
_BOUNDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counts all requests of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("route", "status")
        self._requests = Counter(
            "yts_server_requests", "Requests by route and status", labels, registry=self._registry
        )
        self._seconds = Histogram(
            "yts_server_seconds", "Time until the response was ready", ("route",),
            registry=self._registry, buckets=_BOUNDS,
        )  # fmt: skip

    def middleware(self) -> Middleware:
        """Return the middleware that counts; the outermost one, so that it sees every response."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            started = time.perf_counter()
            response = await handler(request)
            resource = request.match_info.route.resource
            # Never the path itself: clients could fill the memory with names.
            route = resource.canonical if resource is not None else "none"
            self._requests.labels(route, str(response.status)).inc()
            self._seconds.labels(route).observe(time.perf_counter() - started)
            return response

        return count

    async def report(self, _request: web.Request) -> web.Response:
        """Return all counts in the text format of Prometheus."""
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
