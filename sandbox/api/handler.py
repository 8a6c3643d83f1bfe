"""`RequestHandler`: count each API request, apply rate limit and fault, and send the response."""

import asyncio
import logging
from collections.abc import Iterable

from aiohttp import web

from sandbox.api.endpoints import Endpoints
from sandbox.api.fault_mix import FaultMix
from sandbox.api.faults import FAULTS, FaultContext
from sandbox.api.response_bodies import html_error, json_response, slow_down
from sandbox.api.traffic import NO_RESPONSE, RateLimit, Traffic
from sandbox.catalogue.catalogue import Catalogue
from sandbox.catalogue.films import read_films
from sandbox.settings import SandboxSettings

logger = logging.getLogger(__name__)

_UNKNOWN = "unknown"


class RequestHandler:
    """
    Handles API requests; holds catalogue, traffic and fault mix, which `Control` shows and changes.

    Raises:
        ValueError: if the settings name an unknown fault.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self.catalogue = Catalogue(read_films(), settings.movies, settings.seed)
        self.traffic = Traffic()
        self.fault_mix = FaultMix(settings.faults, settings.seed)
        self._endpoints = Endpoints(self.catalogue, steady_cast=settings.steady_cast)
        self._rate_limit = RateLimit(settings.rate_limit)
        seconds = settings.retry_after_seconds
        self._retry_headers = {} if seconds is None else {"Retry-After": str(seconds)}
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End stalled and delayed responses now."""
        self._closing.set()

    def corrupt(self, movie_ids: Iterable[int], how: str) -> list[int]:
        """Corrupt movies in one of the ways of `corruptions`; return those that exist."""
        return self._endpoints.corrupt(movie_ids, how)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Handle one request to the API."""
        now = asyncio.get_running_loop().time()
        number = self.traffic.note_arrival(now)
        endpoint = request.match_info["endpoint"]
        if endpoint not in self._endpoints.by_name:
            self.traffic.note_response(_UNKNOWN, 404, None)
            return html_error(404, "Not Found")
        self.traffic.note_query(endpoint, request.query)
        if not self._rate_limit.admits(now):
            self.traffic.note_response(endpoint, 429, None)
            return slow_down(self._retry_headers)
        return await self._handle_admitted(request, endpoint, number)

    async def _handle_admitted(
        self, request: web.Request, endpoint: str, number: int
    ) -> web.StreamResponse:
        fault = self.fault_mix.choose(endpoint, number)
        status = NO_RESPONSE
        try:
            if self._settings.latency_seconds:
                await asyncio.sleep(self._settings.latency_seconds)
            body = self._endpoints.by_name[endpoint](request.query)
            if fault:
                response = await FAULTS[fault].respond(self._fault_context(request, number, body))
            else:
                response = json_response(body)
            if request.transport and not request.transport.is_closing():
                status = response.status
            return response
        finally:  # also if the client stopped waiting
            self.traffic.note_response(endpoint, status, fault)
            logger.info("%s answered %s, fault: %s", request.path_qs, status or "not", fault)

    def _fault_context(self, request: web.Request, number: int, intact: bytes) -> FaultContext:
        return FaultContext(
            request=request,
            number=number,
            intact=intact,
            other_movie=lambda: self._endpoints.other_movie_details(request.query),
            stall_seconds=self._settings.stall_seconds,
            retry_headers=self._retry_headers,
            closing=self._closing,
        )
