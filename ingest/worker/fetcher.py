"""`Fetcher`: requests pages and movies of one worker with several threads, in chunks to save."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TypeVar

from database.bookkeeping.failures import Failure
from database.bookkeeping.rows import FailureKind, FailureStage
from ingest.exit_codes import ExitCode
from ingest.plan import ListPage
from ingest.stop import Stopped, StopReason
from ingest.worker.breaker import Breaker
from ingest.worker.budget import LimitReached
from ingest.worker.work_queue import MOVIES_PER_CHUNK, WorkQueue
from yts.client import YtsClient
from yts.errors import (
    MalformedMovie,
    SmallerPages,
    WrongPage,
    YtsError,
    YtsRefused,
    YtsUnavailable,
)
from yts.payload import MoviePayload
from yts.responses import MoviePage

#: Attempts for a page when the response has another page number.
WRONG_PAGE_ATTEMPTS = 2
#: Seconds that requests under way may still take when the run is stopped.
SECONDS_TO_DRAIN = 5.0
#: Seconds between two checks for a stop while a thread waits for a response.
SECONDS_BETWEEN_LOOKS = 0.25

#: The result of requesting one movie; None means that YTS has no such movie.
Fetched = MoviePayload | Failure | None
#: The result of one request of a thread: a page or a movie.
Result = TypeVar("Result")


class Fetcher:
    """Makes requests with one client and several threads; one batch at a time."""

    def __init__(
        self,
        client: YtsClient,
        threads: int,
        stop: threading.Event,
        read_ids: Callable[[], Sequence[int]] = tuple,
    ) -> None:
        """Start no thread yet. *read_ids* returns movies to probe, as `Breaker` needs them."""
        self._client = client
        self._breaker = Breaker(client, read_ids)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="fetch")
        self._thread_count = threads
        self._stop = stop
        self._limit: StopReason | None = None

    @property
    def stop_reason(self) -> StopReason | None:
        """Return why no more requests should be made; None if requests may continue."""
        return self._breaker.stop_reason or self._limit

    def ask_for_page(self, wanted: ListPage, attempts: int | None = None) -> MoviePage:
        """
        Fetch one list page, on a thread, so that a stalled response does not delay a stop.

        Raises:
            Stopped: a stop came first.
            SmallerPages: the source gives fewer rows a page.
            WrongPage: the source ignores the page number, or takes a lower one.
            YtsUnavailable, YtsRefused: as `YtsClient.fetch_page`.
        """
        future = self._threads.submit(self._request_page, wanted, attempts)
        give_up_at = float("inf")
        while not wait([future], timeout=SECONDS_BETWEEN_LOOKS).done:
            if self._stop.is_set():
                give_up_at = min(give_up_at, monotonic() + SECONDS_TO_DRAIN)
            if monotonic() > give_up_at:
                raise Stopped
        return future.result()

    def _request_page(self, wanted: ListPage, attempts: int | None) -> MoviePage:
        for _ in range(WRONG_PAGE_ATTEMPTS):
            page = self._client.fetch_page(
                wanted.page,
                wanted.order,
                size=wanted.size,
                attempts=attempts,
                movie_count=wanted.movie_count,
            )
            if not page.rows or page.page_number in {None, wanted.page}:
                break
        else:
            raise WrongPage(f"asked for page {wanted.page}, got page {page.page_number}")
        if page.limit is not None and page.rows <= page.limit < wanted.size:
            reason = f"asked for {wanted.size} rows a page, got {page.limit}"
            raise SmallerPages(reason, page.limit)
        return page

    def fetch_pages(
        self, pages: Mapping[int, ListPage]
    ) -> Generator[dict[int, MoviePage | Failure], None, None]:
        """
        Fetch the list pages of these numbers, and yield each by its number as it comes.

        Pages that were not requested, because of a stop or because the source was given up, are
        left out. Close the generator to stop the threads early.
        """

        def fetch(number: int) -> MoviePage | Failure:
            wanted = pages[number]
            try:
                page = self._request_page(wanted, self._breaker.attempts)
            except (YtsUnavailable, YtsRefused) as error:
                self._count_failure(error, partial(self._is_any_page_given, wanted))
                if isinstance(error, WrongPage):
                    self._limit = StopReason(
                        f"{error}: paging does not work there", ExitCode.UNAVAILABLE
                    )
                return failure_of("page", wanted.key, error)
            self._breaker.count_page(number)
            return page

        return self._fetch(tuple(pages), fetch, chunk_size=1)

    def _is_any_page_given(self, wanted: ListPage) -> bool:
        """Return whether the source gives any page like *wanted*."""
        return self._breaker.is_any_page_given(
            lambda page: self._request_page(replace(wanted, page=page, movie_count=0), attempts=1)
        )

    def fetch_movies(self, ids: Sequence[int]) -> Generator[dict[int, Fetched], None, None]:
        """
        Fetch the details of all *ids*, and yield results by id, in chunks.

        Ids that were not requested, because of a stop or because the source was given up, are left
        out. Close the generator to stop the threads early.
        """
        return self._fetch(ids, self._fetch_movie)

    def search_movies(self, codes: Mapping[int, str]) -> Generator[dict[int, Fetched], None, None]:
        """
        Search the list for movies by their IMDb codes, and yield rows by id, in chunks.

        None means that the list does not show the movie. Otherwise like `fetch_movies`.
        """

        def search(movie_id: int) -> Fetched:
            try:
                return self._client.fetch_row(
                    movie_id, codes[movie_id], attempts=self._breaker.attempts
                )
            except (YtsUnavailable, YtsRefused) as error:
                self._count_failure(error, self._breaker.is_any_movie_given)
                return failure_of("movie", str(movie_id), error)

        return self._fetch(tuple(codes), search)

    def _fetch(
        self, ids: Sequence[int], fetch: Callable[[int], Result], chunk_size: int = MOVIES_PER_CHUNK
    ) -> Generator[dict[int, Result], None, None]:
        count = min(self._thread_count, len(ids))
        chunks = WorkQueue[Result](ids, count, chunk_size)
        pulling = [self._threads.submit(self._pull, chunks, fetch) for _ in range(count)]
        give_up_at = float("inf")
        try:
            while not chunks.is_done and monotonic() < give_up_at:
                if chunk := chunks.take_chunk(seconds=SECONDS_BETWEEN_LOOKS):
                    yield chunk
                if (self.stop_reason or self._stop.is_set()) and give_up_at == float("inf"):
                    chunks.cancel_pending()
                    for thread in pulling:
                        if thread.cancel():  # It never began: other threads are stalled.
                            chunks.worker_done()
                    give_up_at = monotonic() + SECONDS_TO_DRAIN
            if chunk := chunks.take_chunk(seconds=0, is_last=True):
                yield chunk
            for thread in pulling:
                if not thread.cancelled() and (chunks.is_done or thread.done()):
                    thread.result()  # It may have ended with an error that no single item causes.
        finally:
            chunks.cancel_pending()

    def _pull(self, chunks: WorkQueue[Result], fetch: Callable[[int], Result]) -> None:
        """Fetch one page or movie after another, until none is left or the run should stop."""
        try:
            while not self.stop_reason and (movie_id := chunks.next_id()) is not None:
                chunks.put_result(movie_id, fetch(movie_id))
        except Stopped as error:
            self._note_ending(error)
        finally:
            chunks.worker_done()

    def _fetch_movie(self, movie_id: int) -> Fetched:
        try:
            movie = self._client.fetch_details(movie_id, attempts=self._breaker.attempts)
        except MalformedMovie as error:
            return failure_of("movie", str(movie_id), error)
        except (YtsUnavailable, YtsRefused) as error:
            self._count_failure(error, self._breaker.is_any_movie_given)
            return failure_of("movie", str(movie_id), error)
        # Counted here and not when it is saved: by then the source may be down.
        self._breaker.count_movie(movie.id if movie else None)
        return movie

    def _count_failure(self, error: YtsUnavailable | YtsRefused, probe: Callable[[], bool]) -> None:
        try:
            self._breaker.count_failure(error, probe)
        except Stopped as stopped:  # The item has failed in any case.
            self._note_ending(stopped)

    def _note_ending(self, error: Stopped) -> None:
        if isinstance(error, LimitReached):
            self._limit = StopReason("--max-requests allows no more", ExitCode.LIMIT)

    def close(self) -> None:
        """Start no more requests; do not wait for threads that wait for a response."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def failure_of(kind: FailureKind, key: str, error: YtsError) -> Failure:
    """Return *error* as a failure for the ledger."""
    stage: FailureStage = "parse" if isinstance(error, MalformedMovie) else "fetch"
    return Failure(kind, key, stage, type(error).__name__, str(error))
