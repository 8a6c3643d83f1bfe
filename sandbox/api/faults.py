"""How the API goes wrong: one table, a name to what it does to an answer."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from sandbox.api.fixed_responses import challenge, html_error, json_response, slow_down
from sandbox.catalogue.php_json import encode, envelope

_PHP_WARNING = (
    b"<br />\n<b>Warning</b>:  mysqli_query(): MySQL server has gone away in "
    b"<b>/var/www/api/v2/index.php</b> on line <b>42</b><br />\n"
)
#: What was seen as `movie_count` of answers without movies.
_COLLAPSED_COUNTS = (0, 1, 3, 49)
_SECONDS_PER_BYTE = 0.05
#: The value of SO_LINGER: on, for 0 seconds.
_ABORT_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What a fault has to play with."""

    request: web.Request
    #: Of the request, from 1.
    number: int
    #: What the answer would have been.
    honest: bytes
    #: The details of some other movie.
    other_movie: Callable[[], bytes]
    stall_seconds: float
    #: Headers of 429 and 503: Retry-After, or nothing.
    retry_headers: dict[str, str]
    #: Set when the sandbox closes, so that nobody is kept waiting.
    closing: asyncio.Event


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong."""

    respond: Callable[[FaultContext], Awaitable[web.StreamResponse]]
    #: The only endpoint that can go wrong like this; None for all.
    endpoint: str | None = None


async def _internal_error(_scene: FaultContext) -> web.Response:
    return html_error(500, "Internal Server Error")


async def _unavailable(scene: FaultContext) -> web.Response:
    return html_error(503, "Service Temporarily Unavailable", scene.retry_headers)


async def _too_many_requests(scene: FaultContext) -> web.Response:
    return slow_down(scene.retry_headers)


async def _challenge_refused(_scene: FaultContext) -> web.Response:
    return challenge(403)


async def _challenge_as_success(_scene: FaultContext) -> web.Response:
    return challenge(200)


async def _reset(scene: FaultContext) -> web.Response:
    if transport := scene.request.transport:
        connection = transport.get_extra_info("socket")
        # Closing without lingering sends RST in place of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT_AT_ONCE)
        transport.abort()
    return web.Response(status=500)  # goes nowhere


async def _truncated(scene: FaultContext) -> web.StreamResponse:
    response = await _begin(scene)
    await response.write(scene.honest[: len(scene.honest) // 2])
    return response


async def _stall(scene: FaultContext) -> web.StreamResponse:
    # Half of the stalls come after the headers, where a connect timeout is of no help.
    response = await _begin(scene) if scene.number % 2 else None
    with suppress(TimeoutError):
        await asyncio.wait_for(scene.closing.wait(), scene.stall_seconds)
    if scene.request.transport:
        scene.request.transport.abort()
    return response or web.Response(status=500)  # goes nowhere


async def _slow_head(scene: FaultContext) -> web.Response:
    """Send a byte of the head now and then: no silence is long, and no answer comes."""
    head = b"HTTP/1.1 200 OK\r\nX-Patience: " + b"x" * 1000
    for byte in head[: int(scene.stall_seconds / _SECONDS_PER_BYTE) + 1]:
        if scene.closing.is_set() or scene.request.transport is None:
            break
        scene.request.transport.write(bytes([byte]))
        await asyncio.sleep(_SECONDS_PER_BYTE)
    if scene.request.transport:
        scene.request.transport.abort()
    return web.Response(status=500)  # goes nowhere


async def _begin(scene: FaultContext) -> web.StreamResponse:
    """Send headers that promise the honest answer."""
    response = web.StreamResponse()
    response.content_type = "application/json"
    response.content_length = len(scene.honest)
    response.force_close()
    await response.prepare(scene.request)
    return response


async def _bad_json(scene: FaultContext) -> web.Response:
    # Whole by its length, cut by its syntax: the third quarter is missing. On whichever side of
    # a quotation mark the cut falls, what stands there is no JSON.
    quarter = len(scene.honest) // 4
    return json_response(scene.honest[: 2 * quarter] + b'"\\x' + scene.honest[3 * quarter :])


async def _noise(scene: FaultContext) -> web.Response:
    return json_response(_PHP_WARNING + scene.honest)


async def _no_movies(scene: FaultContext) -> web.Response:
    data = json.loads(scene.honest)["data"]
    data.pop("movies", None)
    counts = (data["movie_count"], *_COLLAPSED_COUNTS)
    data["movie_count"] = counts[scene.number % len(counts)]
    return json_response(envelope(encode(data)))


async def _wrong_shape(scene: FaultContext) -> web.Response:
    shapes: tuple[object, ...] = (
        {"message": "Cannot read property 'perPage' of undefined"},
        {"status": "ok", "status_message": "Query was successful", "data": []},
        {"status": "ok", "status_message": "Query was successful", "data": "maintenance"},
        [],
    )
    return json_response(encode(shapes[scene.number % len(shapes)]))


async def _status_error(_scene: FaultContext) -> web.Response:
    error = {"status": "error", "status_message": "The query could not be executed", "data": {}}
    return json_response(encode(error))


async def _other_movie(scene: FaultContext) -> web.Response:
    return json_response(scene.other_movie())


FAULTS: dict[str, Fault] = {
    "500": Fault(_internal_error),
    "503": Fault(_unavailable),
    "429": Fault(_too_many_requests),
    "cloudflare-403": Fault(_challenge_refused),
    "cloudflare-200": Fault(_challenge_as_success),
    "reset": Fault(_reset),
    "truncated": Fault(_truncated),
    "stall": Fault(_stall),
    "slow-head": Fault(_slow_head),
    "bad-json": Fault(_bad_json),
    "noise": Fault(_noise),
    "no-movies": Fault(_no_movies, "list_movies.json"),
    "wrong-shape": Fault(_wrong_shape),
    "status-error": Fault(_status_error),
    "other-movie": Fault(_other_movie, "movie_details.json"),
}
