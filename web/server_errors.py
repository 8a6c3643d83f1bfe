"""`answer_bugs`: a 500 with a message for unexpected errors; `server_log`: the log of these."""

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from web.responses import JSON
from web.v2.bodies import error_body

_MESSAGE = "The server has a bug, or the mirror has data that it cannot serve. Its log has more."
_YTS_ROOT = "/api/v2/"


class _OurErrors(logging.Filter):
    """Leaves out requests that are not HTTP, which get a 400, and connections that clients cut."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | ConnectionError)


server_log = logging.getLogger(__name__)
server_log.addFilter(_OurErrors())


def answer_bugs(base_path: str) -> Middleware:
    """
    Return the middleware that answers 500 where a handler raises an unexpected error.

    The traceback is in the log only. Below *base_path*, the YTS API has the envelope of YTS.
    """

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:
            if request.writer.output_size:
                # Too late for another status: the connection is cut, which clients report.
                raise
            server_log.exception("%s %s failed", request.method, request.raw_path)
        if request.path.startswith(f"{base_path}{_YTS_ROOT}"):
            return web.Response(status=500, body=error_body(_MESSAGE), content_type=JSON)
        return web.Response(status=500, text=f"{_MESSAGE}\n")

    return answer
