"""`FAULTS`: each fault by its name, as a function that sends a faulty response."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from sandbox.api.response_bodies import (
    challenge,
    encode,
    envelope,
    html_error,
    json_response,
    slow_down,
)

_PHP_WARNING = (
    b"<br />\n<b>Warning</b>:  mysqli_query(): MySQL server has gone away in "
    b"<b>/var/www/api/v2/index.php</b> on line <b>42</b><br />\n"
)
#: Values of `movie_count` that YTS sent without movies.
_COLLAPSED_COUNTS = (0, 1, 3, 49)
_SECONDS_PER_BYTE = 0.05
#: The value of SO_LINGER: on, for 0 seconds.
_ABORT_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class FaultContext:
    """The request, its intact response and the settings that a fault can use."""

    request: web.Request
    #: Number of the request, from 1.
    number: int
    #: The body without the fault.
    intact: bytes
    #: Returns the details of another movie.
    other_movie: Callable[[], bytes]
    stall_seconds: float
    #: Headers of 429 and 503: Retry-After, or nothing.
    retry_headers: dict[str, str]
    #: Set when the sandbox closes: waiting responses then end.
    closing: asyncio.Event


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of faulty response."""

    respond: Callable[[FaultContext], Awaitable[web.StreamResponse]]
    #: The only endpoint with this fault; None for all.
    endpoint: str | None = None


async def _internal_error(_context: FaultContext) -> web.Response:
    return html_error(500, "Internal Server Error")


async def _unavailable(context: FaultContext) -> web.Response:
    return html_error(503, "Service Temporarily Unavailable", context.retry_headers)


async def _too_many_requests(context: FaultContext) -> web.Response:
    return slow_down(context.retry_headers)


async def _challenge_refused(_context: FaultContext) -> web.Response:
    return challenge(403)


async def _challenge_as_success(_context: FaultContext) -> web.Response:
    return challenge(200)


async def _reset(context: FaultContext) -> web.Response:
    if transport := context.request.transport:
        connection = transport.get_extra_info("socket")
        # Closing without lingering sends RST in place of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT_AT_ONCE)
        transport.abort()
    return web.Response(status=500)  # never sent


async def _truncated(context: FaultContext) -> web.StreamResponse:
    response = await _send_headers(context)
    await response.write(context.intact[: len(context.intact) // 2])
    return response


async def _stall(context: FaultContext) -> web.StreamResponse:
    # Half of the stalls come after the headers, where a connect timeout does not help.
    response = await _send_headers(context) if context.number % 2 else None
    with suppress(TimeoutError):
        await asyncio.wait_for(context.closing.wait(), context.stall_seconds)
    if context.request.transport:
        context.request.transport.abort()
    return response or web.Response(status=500)  # never sent


async def _slow_head(context: FaultContext) -> web.Response:
    """Send the head byte by byte: a read timeout never ends this, and the response never comes."""
    head = b"HTTP/1.1 200 OK\r\nX-Patience: " + b"x" * 1000
    for byte in head[: int(context.stall_seconds / _SECONDS_PER_BYTE) + 1]:
        if context.closing.is_set() or context.request.transport is None:
            break
        context.request.transport.write(bytes([byte]))
        await asyncio.sleep(_SECONDS_PER_BYTE)
    if context.request.transport:
        context.request.transport.abort()
    return web.Response(status=500)  # never sent


async def _send_headers(context: FaultContext) -> web.StreamResponse:
    """Send the headers of the intact response."""
    response = web.StreamResponse()
    response.content_type = "application/json"
    response.content_length = len(context.intact)
    response.force_close()
    await response.prepare(context.request)
    return response


async def _bad_json(context: FaultContext) -> web.Response:
    # The length is right, the syntax is not: the third quarter is missing. The inserted bytes are
    # invalid JSON inside and outside of a string.
    quarter = len(context.intact) // 4
    return json_response(context.intact[: 2 * quarter] + b'"\\x' + context.intact[3 * quarter :])


async def _noise(context: FaultContext) -> web.Response:
    return json_response(_PHP_WARNING + context.intact)


async def _no_movies(context: FaultContext) -> web.Response:
    data = json.loads(context.intact)["data"]
    data.pop("movies", None)
    counts = (data["movie_count"], *_COLLAPSED_COUNTS)
    data["movie_count"] = counts[context.number % len(counts)]
    return json_response(envelope(encode(data)))


async def _wrong_shape(context: FaultContext) -> web.Response:
    shapes: tuple[object, ...] = (
        {"message": "Cannot read property 'perPage' of undefined"},
        {"status": "ok", "status_message": "Query was successful", "data": []},
        {"status": "ok", "status_message": "Query was successful", "data": "maintenance"},
        [],
    )
    return json_response(encode(shapes[context.number % len(shapes)]))


async def _status_error(_context: FaultContext) -> web.Response:
    error = {"status": "error", "status_message": "The query could not be executed", "data": {}}
    return json_response(encode(error))


async def _other_movie(context: FaultContext) -> web.Response:
    return json_response(context.other_movie())


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
