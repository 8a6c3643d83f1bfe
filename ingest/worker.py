"""One worker: fetches with many threads, saves with one, and reports in plain values."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from time import monotonic
from types import TracebackType
from typing import Self

from database.db import DatabaseManager
from database.ledger import Failure, read_missing
from database.step import Step, save_step
from database.write import existing_ids
from ingest.budget import RequestBudget, Stopped
from ingest.plan import Batch, MovieBatch, PageBatch
from ingest.report import BatchReport, Counts, PageReport
from ingest.settings import RunSettings
from yts.client import MOVIES_PER_PAGE, YtsClient
from yts.errors import MalformedMovie, YtsRefused, YtsUnavailable
from yts.payload import MoviePage, MoviePayload, count_unknown

#: A step is saved when it has this many movies, or is this old.
MOVIES_PER_STEP = 25
SECONDS_PER_STEP = 2.0

#: What became of asking for one movie; None: YTS has no such movie.
Fetched = MoviePayload | Failure | None


class Worker:
    """Runs batches against one API and one database; makes its own connections to both."""

    def __init__(
        self, settings: RunSettings, api_url: str, run_id: int | None, stop: threading.Event
    ) -> None:
        """Open nothing yet but pools. *run_id* None leaves no trace in `fetch_runs`."""
        self.api_url = api_url
        self._run_id = run_id
        self._stop = stop
        self.db = DatabaseManager(
            settings.database_url,
            pool_size=2,
            max_overflow=max(5, settings.threads),
            application_name="yts-mirror worker",
        )
        budget = RequestBudget(self.db.engine, settings.rate, stop)
        self.client = YtsClient(
            settings.client_settings(api_url),
            take_slot=budget.take_slot,
            slow_down=budget.slow_down,
            sleep=budget.sleep,
        )
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="fetch")
        self._requests_counted = 0

    def run_batch(self, batch: Batch) -> BatchReport:
        """
        Do all of *batch*, or until a stop what is done by then.

        Raises:
            DatabaseNotReady: the database stayed out of reach; trouble with YTS is
                never raised but reported.
        """
        try:
            if isinstance(batch, PageBatch):
                return self.run_page(batch)
            return self.run_movies(batch)
        except YtsRefused as error:
            return BatchReport(refused=str(error))
        except Stopped:
            return BatchReport()

    def run_page(self, batch: PageBatch) -> BatchReport:
        """Fetch one list page and save its movies in one step."""
        try:
            page = self.client.fetch_page(batch.page, batch.order)
        except YtsUnavailable as error:
            failure = Failure("page", batch.key, "fetch", type(error).__name__, str(error))
            return self._save(Step(failures=(failure,)))
        return self.save_page(batch, page)

    def save_page(self, batch: PageBatch, page: MoviePage) -> BatchReport:
        """Save a page that is already here."""
        failures = tuple(
            _failure_of(error, f"{batch.key} row {number}")
            for number, error in enumerate(page.malformed, 1)
        )
        step = Step(
            page.movies,
            update=batch.update,
            failures=failures,
            pages_read=(batch.key,),
            counters={"pages_read": 1},
        )
        report = self._save(step)
        told = PageReport(
            page=batch.page,
            movie_count=page.movie_count,
            movie_ids=tuple(movie.id for movie in page.movies),
            is_known=report.counts.saved == 0,
            is_full=len(page.movies) + len(page.malformed) >= MOVIES_PER_PAGE,
            is_past_end=not page.movies and not page.malformed,
        )
        return BatchReport(
            report.counts, report.requests, report.failures, (told,), page.unknown_fields
        )

    def run_movies(self, batch: MovieBatch) -> BatchReport:
        """Fetch the details of the movies of *batch* that need them, and save them in steps."""
        wanted, skipped = self._without_known(batch)
        report = self._save(Step(skipped=skipped)) if skipped else BatchReport()
        for fetched in self._in_steps(wanted):
            movies = tuple(it for it in fetched.values() if isinstance(it, MoviePayload))
            step = Step(
                movies,
                has_details=True,
                update=batch.update,
                missing=tuple(id_ for id_, it in fetched.items() if it is None),
                failures=tuple(it for it in fetched.values() if isinstance(it, Failure)),
                counters={"details_read": len(fetched)},
            )
            report += self._save(step, count_unknown(movies))
        return report

    def _without_known(self, batch: MovieBatch) -> tuple[list[int], int]:
        """Return the ids to ask for, and how many need not be asked for."""
        ids = list(batch.ids)
        if batch.is_known:
            return ids, 0
        with self.db.get_session() as session:
            known = set() if batch.update else existing_ids(session, ids, with_details=True)
            known |= read_missing(session, ids)
        return [id_ for id_ in ids if id_ not in known], len(known)

    def _in_steps(self, ids: list[int]) -> Iterator[dict[int, Fetched]]:
        """Fetch all *ids* at once and yield what came in portions worth saving."""
        waiting = {self._threads.submit(self._fetch_movie, id_): id_ for id_ in ids}
        ready: dict[int, Fetched] = {}
        since = monotonic()
        try:
            while waiting:
                pause = max(0.0, since + SECONDS_PER_STEP - monotonic())
                done, _ = wait(waiting, timeout=pause, return_when=FIRST_COMPLETED)
                for future in done:
                    ready |= _unless_stopped(waiting.pop(future), future)
                is_due = monotonic() - since >= SECONDS_PER_STEP
                if len(ready) >= MOVIES_PER_STEP or is_due:
                    since = monotonic()
                    if ready:
                        yield ready
                        ready = {}
        finally:
            for future in waiting:
                future.cancel()
        if ready:
            yield ready

    def _fetch_movie(self, movie_id: int) -> Fetched:
        try:
            return self.client.fetch_details(movie_id)
        except (YtsUnavailable, MalformedMovie) as error:
            return _failure_of(error, str(movie_id))

    def _save(self, step: Step, unknown_fields: Counter[str] | None = None) -> BatchReport:
        requests = self.client.requests_made - self._requests_counted
        self._requests_counted += requests
        step = Step(
            **{name: getattr(step, name) for name in Step.__slots__ if name != "counters"},
            counters={**step.counters, "requests": requests},
        )
        result = save_step(self.db, self._run_id, step)
        return BatchReport(
            Counts.of(result.outcomes),
            requests,
            result.failures,
            unknown_fields=unknown_fields or Counter(),
        )

    def close(self) -> None:
        """Close all connections; threads that still wait for an answer are left behind."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()
        self.db.close_all()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close everything."""
        self.close()


def _failure_of(error: YtsUnavailable | MalformedMovie, key: str) -> Failure:
    stage = "parse" if isinstance(error, MalformedMovie) else "fetch"
    if isinstance(error, MalformedMovie) and error.movie_id is not None:
        key = str(error.movie_id)
    return Failure("movie", key, stage, type(error).__name__, str(error))


def _unless_stopped(movie_id: int, future: "Future[Fetched]") -> dict[int, Fetched]:
    """Return what was fetched; nothing where a stop came first, for it was not tried."""
    try:
        return {movie_id: future.result()}
    except Stopped:
        return {}


# What follows is one process of the pool.

_worker: Worker | None = None
_stop = threading.Event()


def start_worker(settings: RunSettings, api_url: str, run_id: int | None) -> None:
    """Prepare this process of the pool; SIGTERM asks it politely to stop."""
    global _worker  # noqa: PLW0603 -- one worker a process, made by the pool's initializer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides.
    signal.signal(signal.SIGTERM, lambda *_: _stop.set())
    _worker = Worker(settings, api_url, run_id, _stop)


def run_batch(batch: Batch) -> BatchReport:
    """Run *batch* on the worker of this process."""
    if _worker is None:
        raise RuntimeError("start_worker comes first")
    return _worker.run_batch(batch)
