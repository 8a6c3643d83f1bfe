"""
`Watchdog`: tell a service such as healthchecks.io that a fetch begins, and how it ended.

It sends a POST to `URL/start` at the beginning of a run, to the URL at the end of a successful run,
and to `URL/fail` at the end of any other run. A failed ping never fails a fetch, and the end of a
fetch waits for pings a few seconds at most.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3

from cli.masked_text import masked
from database.bookkeeping.rows import SUCCESSFUL_ENDS
from ingest.stop import Stopped, StopRequest
from yts import __version__
from yts.connection_errors import explain

#: Longest silence of the service, and longest wait for all pings at the end of a run, in seconds.
_SILENCE_SECONDS, _WAIT_SECONDS = 4.0, 5.0
#: Maximum length of the summary in a ping, in bytes.
_MOST_BYTES = 10_000
_HEADERS = {
    "Content-Type": "text/plain; charset=utf-8",
    "User-Agent": f"yts-mirror/{__version__}",
}
_REFUSED = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class Watchdog:
    """Sends the pings of one run from a thread of its own, in their order."""

    def __init__(self, url: str | None, say: Callable[[str], None]) -> None:
        """Ping *url*, or nothing if it is None; pass the reason of failed pings to *say*."""
        self._url = None if url is None else urlsplit(url)
        self._say = say
        self._pings: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
        self._problems: list[str] = []
        self._thread = threading.Thread(target=self._send_all, name="ping", daemon=True)

    def start(self) -> None:
        """Report the beginning, in the background."""
        if self._url is None:
            return
        self._pings.put(("start", ""))
        try:
            self._thread.start()
        except RuntimeError as error:  # The system cannot start another thread.
            self._problems.append(str(error))

    def finish(self, exit_code: int, message: str) -> None:
        """Report the end, with *message*; wait a few seconds at most."""
        if self._url is None:
            return
        self._pings.put(("" if exit_code in SUCCESSFUL_ENDS else "fail", message))
        self._pings.put(None)
        if self._thread.is_alive():
            self._thread.join(_WAIT_SECONDS)
        if self._thread.is_alive():
            self._problems.append(f"{_host_of(self._url)} did not answer in time")
        if self._problems:
            reasons = "; ".join(dict.fromkeys(self._problems))
            self._say(f"The ping failed, the fetch did not: {masked(reasons)}.")

    @contextmanager
    def hearing_of(self, stop: StopRequest) -> Iterator[None]:
        """While the block runs, report a run that *stop* ends before it has begun."""
        try:
            yield
        except Stopped:
            self.finish(stop.reason.exit_code, f"Ended early: {stop.reason.reason}.")
            raise

    def _send_all(self) -> None:
        while (ping := self._pings.get()) is not None:
            if (problem := self._send(*ping)) is not None:
                self._problems.append(problem)

    def _send(self, event: str, message: str) -> str | None:
        """Send one ping; return why it failed."""
        assert self._url is not None  # noqa: S101 -- otherwise there is no thread
        path = self._url.path.rstrip("/")
        url = self._url._replace(path=f"{path}/{event}" if event else path).geturl()
        body = masked(message).encode(errors="replace")[:_MOST_BYTES].decode(errors="ignore")
        try:
            # The body of the response is not read, because it may be slow. Redirects are not
            # followed, because they would lose the body of the request.
            with requests.post(
                url,
                data=body.encode(),
                headers=_HEADERS,
                timeout=_SILENCE_SECONDS,
                allow_redirects=False,
                stream=True,
            ) as response:
                return None if 200 <= response.status_code < 300 else _refusal(response)
        except _REFUSED as error:
            return str(explain(error, _without_path(self._url)))


def _host_of(url: SplitResult) -> str:
    """Return the host of *url* with its port, as messages about connections have it."""
    return url.netloc.rpartition("@")[2]


def _refusal(response: requests.Response) -> str:
    host = _host_of(urlsplit(response.url))
    if response.is_redirect:
        return f"{host} redirects it ({response.status_code}); use the address that it names"
    return f"{host} answered {response.status_code}"


def _without_path(url: SplitResult) -> str:
    """Return the part of a ping's URL that may be shown; the path is a secret."""
    return f"{url.scheme}://{_host_of(url)}"
