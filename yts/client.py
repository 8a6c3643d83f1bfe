"""
`YtsClient`: fetch list pages and movie details from YTS over HTTP, with slots and retries.

Every request first takes a slot, retries included. A response is checked by its content, never by
its status code alone.
"""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TypeVar

from yts.errors import ResponseTooLarge, YtsUnavailable
from yts.payload import MoviePayload
from yts.responses import MoviePage, join_pages, parse_details, parse_page
from yts.settings import MOVIES_PER_PAGE, ClientSettings, Order
from yts.thread_session import Query
from yts.transport import Transport

Parsed = TypeVar("Parsed")

#: Share of the movies by which the count may fall between two responses and be believed.
_BELIEVED_SHRINKAGE = 0.01

#: Attempts for a page that has fewer rows than expected.
SHORT_PAGE_ATTEMPTS = 3


class _ShortPage(YtsUnavailable):
    """A page has fewer rows than the count of YTS implies."""

    def __init__(self, number: int, page: MoviePage, *, is_collapsed: bool) -> None:
        expectation = (
            "YTS counted more before" if is_collapsed else f"YTS counts {page.movie_count}"
        )
        super().__init__(f"page {number} came with {page.rows} rows; {expectation}")
        self.page = replace(page, is_doubtful=True, is_collapsed=is_collapsed)


class YtsClient:
    """
    Fetch pages and details; usable from many threads, each with its own connection.

    *take_slot* is called before every request and returns when the request may be sent.
    *slow_down* is called for every throttling response with the seconds of its
    Retry-After, or None. *sleep* waits between attempts; it may raise to stop.
    *watch* returns a context in which each request is made and its response read.
    """

    def __init__(
        self,
        settings: ClientSettings,
        *,
        take_slot: Callable[[], None] = lambda: None,
        slow_down: Callable[[float | None], None] = lambda _seconds: None,
        sleep: Callable[[float], None] = time.sleep,
        watch: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Open no connection: each thread opens its own."""
        self.settings = settings
        self._transport = Transport(settings, take_slot, slow_down, watch)
        self._sleep = sleep

    @property
    def requests_made(self) -> int:
        """Return the number of requests sent, with or without a response."""
        return self._transport.requests_made

    @property
    def server_name(self) -> str:
        """Return the Server header of the last response, which identifies the sandbox."""
        return self._transport.server_name

    def fetch_page(
        self,
        page: int,
        order: Order,
        *,
        size: int = MOVIES_PER_PAGE,
        attempts: int | None = None,
        movie_count: int = 0,
    ) -> MoviePage:
        """
        Fetch list page *page* of *size* movies, counted from 1, in order of addition.

        A page that is not full is the last one, or YTS left rows out, which it does under
        load. If the count of the response, or *movie_count* of an earlier response (unless it
        is only slightly higher), implies more rows, the page is fetched again, at most
        `SHORT_PAGE_ATTEMPTS` times in all, and is then returned as it is, with
        `MoviePage.is_doubtful`. The first page is never empty.
        A page that is too large is read in smaller parts, so that only a movie that is
        too large by itself is lost: it is one of the malformed, without an id.
        *attempts* replaces that of the settings.

        Raises:
            YtsUnavailable: no usable response in any attempt.
            YtsRefused: another attempt cannot help.
        """
        expected = movie_count - int(movie_count * _BELIEVED_SHRINKAGE)
        return self._fetch_rows(page, size, order, attempts, expected)

    def _fetch_rows(
        self, page: int, limit: int, order: Order, attempts: int | None, expected: int
    ) -> MoviePage:
        """Fetch page *page* in pages of *limit* movies; the list has at least *expected* movies."""

        def parse(body: bytes) -> MoviePage:
            parsed = parse_page(body)
            count = max(parsed.movie_count, expected)
            if page == 1 and not parsed.rows:
                raise YtsUnavailable(f"page 1 came without movies; YTS counts {count}")
            end = (page - 1) * limit + parsed.rows
            if parsed.rows < min(limit, parsed.limit or limit) and count > end:
                raise _ShortPage(page, parsed, is_collapsed=parsed.movie_count <= end)
            return parsed

        # Without explicit sorting YTS sometimes sends no movies.
        query: Query = {"limit": limit, "page": page, "sort_by": "date_added", "order_by": order}
        try:
            return self._fetch("list_movies.json", query, parse, attempts)
        except _ShortPage as short:
            return short.page
        except ResponseTooLarge as error:
            if limit > 1:
                return self._fetch_parts(page, limit, order, attempts, expected)
            lost = ResponseTooLarge(None, f"movie {page} of the list, {order}: {error}")
            return MoviePage(0, (), (lost,), rows=1)

    def _fetch_parts(
        self, page: int, limit: int, order: Order, attempts: int | None, expected: int
    ) -> MoviePage:
        """Fetch the same rows as `_fetch_rows`, in smaller pages."""
        fewer = next(size for size in range(limit // 2, 0, -1) if limit % size == 0)
        parts = range((page - 1) * limit // fewer + 1, page * limit // fewer + 1)
        whole = join_pages(
            [self._fetch_rows(part, fewer, order, attempts, expected) for part in parts]
        )
        if whole.movie_count == 0 and whole.malformed:
            # All responses are too large, which is more likely than this many oversized movies.
            raise YtsUnavailable(f"not even one movie could be read: {whole.malformed[0]}")
        return whole

    def fetch_details(self, movie_id: int, *, attempts: int | None = None) -> MoviePayload | None:
        """
        Fetch one movie with its cast; None means that YTS has no such movie.

        *attempts* replaces that of the settings.

        Raises:
            YtsUnavailable: no usable response in any attempt.
            YtsRefused: another attempt cannot help.
            MalformedMovie: the movie exists but cannot be parsed or read.
        """
        query: Query = {"movie_id": movie_id, "with_cast": "true"}
        return self._fetch(
            "movie_details.json", query, lambda body: parse_details(body, movie_id), attempts
        )

    def fetch_row(
        self, movie_id: int, imdb_code: str, *, attempts: int | None = None
    ) -> MoviePayload | None:
        """
        Search the list for one movie by its IMDb code; None if the list does not contain it.

        *attempts* replaces that of the settings.

        Raises:
            YtsUnavailable, YtsRefused: as `fetch_details`.
        """
        query: Query = {"limit": 1, "page": 1, "query_term": imdb_code}
        page = self._fetch("list_movies.json", query, parse_page, attempts)
        return next((movie for movie in page.movies if movie.id == movie_id), None)

    def close(self) -> None:
        """Close the connections of all threads."""
        self._transport.close()

    def _fetch(
        self,
        endpoint: str,
        query: Query,
        parse: Callable[[bytes], Parsed],
        attempts: int | None = None,
    ) -> Parsed:
        attempts = attempts or self.settings.attempts
        url = f"{self.settings.api_url}/{endpoint}"
        attempt = 1
        while True:
            try:
                return parse(self._transport.read(url, query))
            except YtsUnavailable as error:
                is_short = isinstance(error, _ShortPage)
                if attempt >= (min(attempts, SHORT_PAGE_ATTEMPTS) if is_short else attempts):
                    raise
                self._sleep(self._pause(attempt, error))
                attempt += 1

    def _pause(self, attempt: int, error: YtsUnavailable) -> float:
        """Return the seconds until the next attempt; with jitter, so that threads spread out."""
        base = self.settings.backoff_seconds
        backoff = min(base * 2.0 ** (attempt - 1), self.settings.max_backoff_seconds)
        jitter = random.uniform(0, base)  # noqa: S311 -- nothing secret
        return max(backoff + jitter, error.retry_after_seconds or 0.0)
