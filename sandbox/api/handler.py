"""Where requests arrive: counted, admitted, perhaps spoilt, answered."""

import asyncio
import logging
from collections.abc import Iterable

from aiohttp import web

from sandbox.api.endpoints import Answers
from sandbox.api.fault_mix import FaultMix
from sandbox.api.faults import FAULTS, FaultContext
from sandbox.api.fixed_responses import html_error, json_response, slow_down
from sandbox.api.traffic import NO_ANSWER, RateLimit, Traffic
from sandbox.catalogue.catalogue import Catalogue
from sandbox.catalogue.films import read_films
from sandbox.settings import SandboxSettings

logger = logging.getLogger(__name__)

_UNKNOWN = "unknown"


class RequestHandler:
    """
    Answers the API's requests, and holds what the operator may look at or change.

    Raises:
        ValueError: when the settings name an unknown fault.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self.catalogue = Catalogue(read_films(), settings.movies, settings.seed)
        self.traffic = Traffic()
        self.shares = FaultMix(settings.faults, settings.seed)
        self._answers = Answers(self.catalogue, steady_cast=settings.steady_cast)
        self._rate_limit = RateLimit(settings.rate_limit)
        seconds = settings.retry_after_seconds
        self._retry_headers = {} if seconds is None else {"Retry-After": str(seconds)}
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Let stalled and delayed answers end now."""
        self._closing.set()

    def spoil(self, movie_ids: Iterable[int], how: str) -> list[int]:
        """Corrupt movies in one of the ways of `corruptions`; return those that exist."""
        return self._answers.spoil(movie_ids, how)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request to the API."""
        now = asyncio.get_running_loop().time()
        number = self.traffic.note_arrival(now)
        endpoint = request.match_info["endpoint"]
        if endpoint not in self._answers.endpoints:
            self.traffic.note_answer(_UNKNOWN, 404, None)
            return html_error(404, "Not Found")
        self.traffic.note_question(endpoint, request.query)
        if not self._rate_limit.admits(now):
            self.traffic.note_answer(endpoint, 429, None)
            return slow_down(self._retry_headers)
        return await self._answer_admitted(request, endpoint, number)

    async def _answer_admitted(
        self, request: web.Request, endpoint: str, number: int
    ) -> web.StreamResponse:
        fault = self.shares.choose(endpoint, number)
        status = NO_ANSWER
        try:
            if self._settings.latency_seconds:
                await asyncio.sleep(self._settings.latency_seconds)
            body = self._answers.endpoints[endpoint](request.query)
            if fault:
                response = await FAULTS[fault].respond(self._scene(request, number, body))
            else:
                response = json_response(body)
            if request.transport and not request.transport.is_closing():
                status = response.status
            return response
        finally:  # also when the client gave up waiting
            self.traffic.note_answer(endpoint, status, fault)
            logger.info("%s answered %s, fault: %s", request.path_qs, status or "not", fault)

    def _scene(self, request: web.Request, number: int, honest: bytes) -> FaultContext:
        return FaultContext(
            request=request,
            number=number,
            honest=honest,
            other_movie=lambda: self._answers.other_movie_details(request.query),
            stall_seconds=self._settings.stall_seconds,
            retry_headers=self._retry_headers,
            closing=self._closing,
        )
