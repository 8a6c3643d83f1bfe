"""
`Transport`: HTTP requests with one connection per thread, and limits on size, time and redirects.

It raises the errors of `yts.errors`, with messages without passwords and queries.
"""

import gzip
import http.client
import threading
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import urljoin, urlsplit

from yts.connection_errors import explain
from yts.deadlines import Deadline
from yts.errors import ResponseTooLarge, YtsRefused, YtsUnavailable
from yts.http_response import HttpResponse
from yts.http_status import raise_for_status
from yts.settings import ClientSettings, without_secrets
from yts.thread_session import FAILURES, Query, ThreadSession

MAX_RESPONSE_BYTES = 8 * 1024 * 1024
MAX_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}


class Transport:
    """
    The connections of all threads to one host.

    *take_slot* is called before every request and returns when the request may be sent.
    *slow_down* is called for every throttling response with the seconds of its
    Retry-After, or None. *watch* returns a context in which each request is made.
    """

    def __init__(
        self,
        settings: ClientSettings,
        take_slot: Callable[[], None],
        slow_down: Callable[[float | None], None],
        watch: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Open no connection: each thread opens its own."""
        self._settings = settings
        self._take_slot = take_slot
        self._slow_down = slow_down
        self._watch = watch
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[ThreadSession] = []
        #: Requests sent, with or without a response.
        self.requests_made = 0
        #: The Server header of the last response.
        self.server_name = ""

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()
            self._of_thread = threading.local()

    def read(self, url: str, query: Query) -> bytes:
        """
        Make one request, follow redirects within the host, and return the body of a 2xx.

        Raises:
            YtsUnavailable: no response, or an error that another attempt may avoid.
            YtsRefused: a wrong URL, a redirect to another host, or a permanent status.
            ResponseTooLarge: over MAX_RESPONSE_BYTES.
        """
        try:
            body, target = self._read_response(url, query)
            for _ in range(MAX_REDIRECTS):
                if target is None:
                    return body
                if not is_same_origin(url, target):
                    raise YtsRefused(
                        f"{without_secrets(url)} redirects to {without_secrets(target)}: "
                        "if YTS has moved there, say so with --api-url"
                    )
                body, target = self._read_response(target, {})
        except YtsUnavailable as error:
            if error.is_throttled:
                self._slow_down(error.retry_after_seconds)
            raise
        if target is None:
            return body
        raise YtsUnavailable(f"{without_secrets(url)} redirects in circles")

    def _read_response(self, url: str, query: Query) -> tuple[bytes, str | None]:
        """
        Make one request; return the body, and the target of a redirect or None.

        A kept connection that the server had closed is not a failure: the request is sent again
        on a new connection. It takes another slot, because the server may have counted the
        first request as well.
        """
        session = self._session()
        while True:
            self._take_slot()
            with self._lock:
                self.requests_made += 1
            session.deadline.start()
            try:
                with self._watch(), session.open_response(url, query) as response:
                    self.server_name = response.fields.get("server", "")
                    location = response.fields.get("location")
                    if response.status in _REDIRECTS and location:
                        return b"", _join(url, location)
                    retry_after = response.fields.get("retry-after")
                    raise_for_status(response.status, retry_after, without_secrets(url))
                    return _read_body(response), None
            except FAILURES as error:
                if not session.deadline.is_stale(error):
                    raise explain(error, url, session.deadline) from error

    def _session(self) -> ThreadSession:
        session: ThreadSession | None = getattr(self._of_thread, "session", None)
        if session is None:
            settings = self._settings
            deadline = Deadline(settings.read_seconds, settings.response_seconds)
            session = ThreadSession(settings.api_url, deadline, settings.connect_seconds)
            self._of_thread.session = session
            with self._lock:
                self._sessions.append(session)
        return session


def _read_body(response: HttpResponse) -> bytes:
    is_gzip = response.fields.get("content-encoding", "").lower() in {"gzip", "x-gzip"}
    source = gzip.GzipFile(fileobj=response) if is_gzip else response
    body = bytearray()
    try:
        while chunk := source.read(64 * 1024):
            body += chunk
            if len(body) > MAX_RESPONSE_BYTES:
                size = f"{MAX_RESPONSE_BYTES >> 20} MB"
                raise ResponseTooLarge(None, f"the response is larger than {size}")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise YtsUnavailable("the response cannot be decompressed") from error
    if response.length:
        raise http.client.IncompleteRead(bytes(body), response.length)
    return bytes(body)


def _join(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        urlsplit(target).port  # noqa: B018 -- checked here, because requests would raise another error
    except ValueError as error:
        raise YtsUnavailable(f"{without_secrets(url)} redirects to nowhere") from error
    return target


def is_same_origin(url: str, target: str) -> bool:
    """
    Return whether *url* and *target* have the same scheme, host and port.

    A redirect from http to https of the same host is allowed, too, with the default ports.
    """
    before, after = (_origin(address) for address in (url, target))
    return after == before or (before, after) == (
        ("http", before[1], 80),
        ("https", before[1], 443),
    )


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


_DEFAULT_PORTS = {"http": 80, "https": 443}
