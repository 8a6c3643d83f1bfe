"""`AccessLog`: a line for each request, with the texts of clients made safe to show."""

from aiohttp.abc import AbstractAccessLogger
from aiohttp.web import BaseRequest, StreamResponse

from yts.printable import json_line


class AccessLog(AbstractAccessLogger):
    """Writes client, request, status, bytes, `Referer` and `User-Agent`; the logger adds times."""

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Write the line; texts are quoted, and what is not printable is escaped."""
        version = f"HTTP/{request.version.major}.{request.version.minor}"
        what = json_line(f"{request.method} {request.path_qs} {version}")
        referer, agent = (
            json_line(request.headers.get(name, "-")) for name in ("Referer", "User-Agent")
        )
        client = request.remote or "-"
        self.logger.info(
            "%s %s %d %d %s %s", client, what, response.status, response.body_length, referer, agent
        )
