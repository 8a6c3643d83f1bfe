"""
The only door to YTS: one paced, patient, suspicious HTTP client.

Every request first takes a slot from whoever keeps the pace, retries included.
An answer is judged by its shape, never by its status code alone.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from yts import PROJECT_URL, __version__
from yts.errors import YtsRefused, YtsUnavailable
from yts.payload import MoviePage, MoviePayload, parse_details, parse_page
from yts.verdict import judge_status

USER_AGENT = f"yts-mirror/{__version__} (+{PROJECT_URL})"
#: In the order they are tried; the site's own domain needs a User-Agent.
PUBLIC_API_URLS = ("https://movies-api.accel.li/api/v2", "https://yts.gg/api/v2")
#: The most that YTS gives on one page, and the most that we ask for.
MOVIES_PER_PAGE = 50
MAX_ANSWER_BYTES = 8 * 1024 * 1024
MAX_REDIRECTS = 3
#: The longest that a server's Retry-After is obeyed within one call, in seconds.
MAX_RETRY_AFTER_SECONDS = 120.0

Order = Literal["asc", "desc"]
Answer = TypeVar("Answer")
Query = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How to talk to one YTS API."""

    #: Without a trailing slash, for instance `https://yts.gg/api/v2`.
    api_url: str
    connect_seconds: float = 10.0
    #: The longest silence within an answer; YTS has been seen to think for 20 s.
    read_seconds: float = 30.0
    #: The longest that one whole answer may take.
    answer_seconds: float = 120.0
    #: Requests for one answer, the first included.
    attempts: int = 5
    #: The pause after the first failure; doubled after each further one, with jitter.
    backoff_seconds: float = 1.0
    max_backoff_seconds: float = 60.0


class YtsClient:
    """
    Fetch pages and details; usable from many threads, each with its own connection.

    *take_slot* is called before every request and returns when it may leave.
    *slow_down* is told of every throttling answer with the seconds the server
    asked for, or None. *sleep* waits between attempts; it may raise to give up.
    """

    def __init__(
        self,
        settings: ClientSettings,
        *,
        take_slot: Callable[[], None] = lambda: None,
        slow_down: Callable[[float | None], None] = lambda _seconds: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open nothing yet: connections belong to the threads that need them."""
        self.settings = settings
        self._take_slot = take_slot
        self._slow_down = slow_down
        self._sleep = sleep
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []
        self._requests_made = 0
        #: The Server header of the last answer; the sandbox says its name here.
        self.server_name = ""

    @property
    def requests_made(self) -> int:
        """Return how many requests have left, answered or not."""
        return self._requests_made

    def fetch_page(self, page: int, order: Order) -> MoviePage:
        """
        Fetch list page *page*, counted from 1, in order of addition.

        A page past the end is empty. One that should have movies and has none
        raises: YTS leaves them out under load, and that must not look like the end.

        Raises:
            YtsUnavailable: no usable answer in any attempt.
            YtsRefused: asking again cannot help.
        """

        def parse(body: bytes) -> MoviePage:
            answer = parse_page(body)
            is_empty = not answer.movies and not answer.malformed
            if is_empty and answer.movie_count > (page - 1) * MOVIES_PER_PAGE:
                raise YtsUnavailable(
                    f"page {page} came without movies although YTS counts {answer.movie_count}"
                )
            return answer

        # Without explicit sorting YTS sometimes answers with nothing at all.
        query: Query = {
            "limit": MOVIES_PER_PAGE,
            "page": page,
            "sort_by": "date_added",
            "order_by": order,
        }
        return self._fetch("list_movies.json", query, parse)

    def fetch_details(self, movie_id: int) -> MoviePayload | None:
        """
        Fetch one movie with its cast; None means that YTS has no such movie.

        Raises:
            YtsUnavailable: no usable answer in any attempt.
            YtsRefused: asking again cannot help.
            MalformedMovie: the movie is there but cannot be understood.
        """
        query: Query = {"movie_id": movie_id, "with_cast": "true"}
        return self._fetch("movie_details.json", query, lambda body: parse_details(body, movie_id))

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()
            self._of_thread = threading.local()

    def _fetch(self, endpoint: str, query: Query, parse: Callable[[bytes], Answer]) -> Answer:
        settings = self.settings
        backoff = wait_exponential_jitter(
            initial=settings.backoff_seconds,
            max=settings.max_backoff_seconds,
            jitter=settings.backoff_seconds,
        )

        def pause(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            wish = error.retry_after_seconds if isinstance(error, YtsUnavailable) else None
            return max(backoff(state), min(wish or 0.0, MAX_RETRY_AFTER_SECONDS))

        retrying = Retrying(
            retry=retry_if_exception_type(YtsUnavailable),
            stop=stop_after_attempt(settings.attempts),
            wait=pause,
            sleep=self._sleep,
            reraise=True,  # RetryError cannot be pickled
        )
        return retrying(lambda: parse(self._fetch_once(f"{settings.api_url}/{endpoint}", query)))

    def _fetch_once(self, url: str, query: Query | None) -> bytes:
        try:
            body, target = self._read_answer(url, query)
            for _ in range(MAX_REDIRECTS):
                if target is None:
                    return body
                if urlsplit(target).hostname != urlsplit(self.settings.api_url).hostname:
                    raise YtsRefused(
                        f"{url} redirects to {target}: if YTS has moved there, "
                        "say so with --api-url"
                    )
                body, target = self._read_answer(target, None)
        except requests.RequestException as error:
            raise YtsUnavailable(_in_words(error, url)) from error
        except YtsUnavailable as error:
            if error.is_throttled:
                self._slow_down(error.retry_after_seconds)
            raise
        if target is None:
            return body
        raise YtsUnavailable(f"{url} redirects in circles")

    def _read_answer(self, url: str, query: Query | None) -> tuple[bytes, str | None]:
        """Make one request; return the body, and where the answer redirects to."""
        self._take_slot()
        with self._lock:
            self._requests_made += 1
        timeouts = (self.settings.connect_seconds, self.settings.read_seconds)
        with self._session().get(
            url, params=query, timeout=timeouts, stream=True, allow_redirects=False
        ) as response:
            self.server_name = response.headers.get("Server", "")
            if response.is_redirect:
                return b"", urljoin(url, response.headers["Location"])
            body = self._read_body(response)
            judge_status(response.status_code, response.headers.get("Retry-After"), url)
            return body, None

    def _read_body(self, response: requests.Response) -> bytes:
        deadline = time.monotonic() + self.settings.answer_seconds
        body = bytearray()
        for chunk in response.iter_content(64 * 1024):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise YtsUnavailable(f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MB")
            if time.monotonic() > deadline:
                raise YtsUnavailable(f"the answer took over {self.settings.answer_seconds:.0f} s")
        return bytes(body)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = requests.Session()
            # Looking for proxies and certificates at every request costs a quarter of it.
            found = session.merge_environment_settings(
                self.settings.api_url, {}, stream=True, verify=None, cert=None
            )
            session.proxies, session.verify = dict(found["proxies"]), found["verify"]
            session.trust_env = False
            session.headers["User-Agent"] = USER_AGENT
            with self._lock:
                self._sessions.append(session)
            self._of_thread.session = session
        return session


def _in_words(error: requests.RequestException, url: str) -> str:
    host = urlsplit(url).netloc
    if isinstance(error, requests.ConnectTimeout):
        return f"{host} did not accept a connection in time"
    if isinstance(error, requests.Timeout):
        return f"{host} fell silent"
    if isinstance(error, requests.exceptions.SSLError):
        return f"{host} has no valid certificate"
    if isinstance(error, requests.ConnectionError):
        return f"no connection to {host}"
    return f"{host} broke off its answer ({type(error).__name__})"
