"""
Requests over HTTP, one connection a thread: paced, bounded in size and time, never led astray.

Errors come out as those of `yts.errors`, in words without passwords and queries.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from yts.connection_errors import explain
from yts.deadlines import Deadline
from yts.errors import AnswerTooLarge, YtsRefused, YtsUnavailable
from yts.http_status import raise_for_status
from yts.settings import ClientSettings, without_secrets
from yts.thread_session import Query, ThreadSession

MAX_ANSWER_BYTES = 8 * 1024 * 1024
MAX_REDIRECTS = 3


class Transport:
    """
    The connections of all threads to one host.

    *take_slot* is called before every request and returns when it may leave.
    *slow_down* is told of every throttling answer with the seconds the server
    asked for, or None. *watch* returns a context in which each request is made.
    """

    def __init__(
        self,
        settings: ClientSettings,
        take_slot: Callable[[], None],
        slow_down: Callable[[float | None], None],
        watch: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Open nothing yet: connections belong to the threads that need them."""
        self._settings = settings
        self._take_slot = take_slot
        self._slow_down = slow_down
        self._watch = watch
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[ThreadSession] = []
        #: Requests that have left, answered or not.
        self.requests_made = 0
        #: The Server header of the last answer.
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
            YtsUnavailable: no answer, or one that may be better next time.
            YtsRefused: a wrong address, another host, or a status that stays.
            AnswerTooLarge: over MAX_ANSWER_BYTES.
        """
        try:
            body, target = self._read_answer(url, query)
            for _ in range(MAX_REDIRECTS):
                if target is None:
                    return body
                if not is_same_place(url, target):
                    raise YtsRefused(
                        f"{without_secrets(url)} redirects to {without_secrets(target)}: "
                        "if YTS has moved there, say so with --api-url"
                    )
                body, target = self._read_answer(target, {})
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise explain(error, url) from error
        except YtsUnavailable as error:
            if error.is_throttled:
                self._slow_down(error.retry_after_seconds)
            raise
        if target is None:
            return body
        raise YtsUnavailable(f"{without_secrets(url)} redirects in circles")

    def _read_answer(self, url: str, query: Query) -> tuple[bytes, str | None]:
        """
        Make one request; return the body, and where the answer redirects to.

        A kept connection that the server had closed is no failure: the request goes out once
        more, on a new one. It takes a slot like every request, because the server may have
        counted the first one as well.
        """
        session = self._session()
        try:
            return self._make_request(session, url, query)
        except requests.ConnectionError:
            if not session.deadline.is_stale():
                raise
        return self._make_request(session, url, query)

    def _make_request(
        self, session: ThreadSession, url: str, query: Query
    ) -> tuple[bytes, str | None]:
        self._take_slot()
        with self._lock:
            self.requests_made += 1
        session.deadline.begin()
        timeouts = (self._settings.connect_seconds, self._settings.read_seconds)
        try:
            with self._watch(), session.send(url, query, timeouts) as response:
                self.server_name = response.headers.get("Server", "")
                if response.is_redirect:
                    return b"", _join(url, response.headers["Location"])
                raise_for_status(
                    response.status_code, response.headers.get("Retry-After"), without_secrets(url)
                )
                return _read_body(response), None
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError) as error:
            settings = self._settings
            if session.deadline.is_over:
                what, seconds = "answer", settings.answer_seconds
            elif session.deadline.is_head_slow:
                what, seconds = "head of the answer", settings.read_seconds
            else:
                raise
            raise YtsUnavailable(f"the {what} took over {seconds:g} s") from error

    def _session(self) -> ThreadSession:
        session: ThreadSession | None = getattr(self._of_thread, "session", None)
        if session is None:
            deadline = Deadline(self._settings.read_seconds, self._settings.answer_seconds)
            session = self._of_thread.session = ThreadSession(self._settings.api_url, deadline)
            with self._lock:
                self._sessions.append(session)
        return session


def _read_body(response: requests.Response) -> bytes:
    body = bytearray()
    # `read1` returns what is there; `iter_content` would wait for a full chunk, for hours
    # if the server sends byte by byte.
    while chunk := response.raw.read1(64 * 1024, decode_content=True):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            size = f"{MAX_ANSWER_BYTES >> 20} MB"
            raise AnswerTooLarge(None, f"the answer is larger than {size}")
    return bytes(body)


def _join(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        urlsplit(target).port  # noqa: B018 -- checked here, or requests would choke on it
    except ValueError as error:
        raise YtsUnavailable(f"{without_secrets(url)} redirects to nowhere") from error
    return target


def is_same_place(url: str, target: str) -> bool:
    """
    Return whether a redirect from *url* to *target* stays at the same scheme, host and port.

    From http to https of the same host is the same place, too, if both have their default port.
    """
    here, there = (_origin(it) for it in (url, target))
    return there == here or (here, there) == (("http", here[1], 80), ("https", here[1], 443))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


_DEFAULT_PORTS = {"http": 80, "https": 443}
