"""`Worker`: runs batches; skips known movies, fetches the others, saves them, reports."""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial, reduce
from itertools import chain
from types import MappingProxyType, TracebackType
from typing import Self

from database.bookkeeping.due import read_due_for_details, read_known
from database.bookkeeping.failures import Failure
from database.bookkeeping.probe_ids import read_ids_to_probe
from database.bookkeeping.workers import forget_worker, note_work
from database.connection.report_waits import report_waits
from database.connection.signal_handling import GROUP_SIGNALS, hear_signals
from database.connection.waits import waiting_for
from database.db import DatabaseManager
from database.errors import DatabaseNotReady, RunTakenOver
from database.step import Step, save_step
from ingest.bound_statements import statements_bound_by
from ingest.plan import Batch, ListPage, MovieBatch, PageBatch, SearchBatch
from ingest.report import BatchReport, Counts
from ingest.settings import RunSettings
from ingest.stop import STOP_SIGNAL, Stopped, StopReason, StopRequest
from ingest.worker.breaker import MOVIES_PER_PROBE
from ingest.worker.budget import BudgetClient
from ingest.worker.fetcher import Fetched, Fetcher
from ingest.worker.page_step import FetchedPage, page_step, report_page
from yts.client import YtsClient
from yts.payload import MoviePayload
from yts.responses import MoviePage
from yts.settings import without_secrets
from yts.unknown_fields import add_counts, count_unknown

#: The result for a movie that was not requested before a stop.
_NOT_ASKED = Failure("movie", "", "fetch", "Stopped", "a stop came first")


class Worker:
    """Runs batches against one API and one database; makes its own connections to both."""

    def __init__(
        self,
        settings: RunSettings,
        api_url: str,
        run_id: int | None,
        stop: StopRequest,
        *,
        name: str = "",
    ) -> None:
        """
        Open no connection yet.

        With *run_id* None, `fetch_runs` is not changed. *name* is unique among the workers of the
        database; the default contains the id of this process.
        """
        self.api_url = api_url
        self._run_id = run_id
        self._name = f"yts-mirror worker {name or os.getpid()}"
        self.db = DatabaseManager(
            settings.database_url,
            pool_size=2,
            # Each thread takes its slots from the database.
            max_overflow=max(5, settings.threads),
            application_name=self._name,
            is_keyed=True,
            sleep=stop.sleep,
        )
        self.budget = budget = BudgetClient(
            self.db.engine, settings.rate, stop, settings.max_requests, takers=settings.takers
        )
        self.client = YtsClient(
            settings.client_settings(api_url),
            take_slot=budget.take_slot,
            slow_down=budget.slow_down,
            sleep=budget.pause,
            watch=partial(waiting_for, f"a response of {without_secrets(api_url)}"),
        )
        self._fetcher = Fetcher(self.client, settings.threads, stop, self._ids_to_probe)
        self._requests_counted = 0

    def _ids_to_probe(self) -> Sequence[int]:
        return self.db.run_transaction(partial(read_ids_to_probe, count=MOVIES_PER_PROBE))

    def probe(self, first: ListPage, attempts: int | None = None) -> MoviePage:
        """
        Fetch the first page of a run; this also shows whether the source is YTS.

        The next step that is saved counts the requests, here and in `is_denied`; or the end.

        Raises:
            Stopped: the run is being stopped.
            YtsUnavailable, YtsRefused: the source cannot be used.
        """
        return self._fetcher.ask_for_page(first, attempts)

    @property
    def stop_reason(self) -> StopReason | None:
        """Return why no more requests should be made; None if requests may continue."""
        return self._fetcher.stop_reason

    def is_denied(self, movie_id: int) -> bool | None:
        """
        Request one movie; return whether YTS denies it, None without a usable response.

        Nothing is saved.
        """
        chunks = self._fetcher.fetch_movies([movie_id])
        results = {id_: result for chunk in chunks for id_, result in chunk.items()}
        result = results.get(movie_id, _NOT_ASKED)
        return None if isinstance(result, Failure) else result is None

    def run_batch(self, batch: Batch) -> BatchReport:
        """
        Run *batch* to its end, or until a stop.

        Errors of YTS are reported, not raised.

        Raises:
            DatabaseNotReady: the database stayed out of reach.
        """
        note = partial(note_work, name=self._name, doing=batch.in_words)
        # The clock of the database decides what is newer, not the clock of this machine.
        asked_at = self.db.run_transaction(note)
        if isinstance(batch, PageBatch):
            report = self._run_pages(batch, asked_at)
        elif isinstance(batch, SearchBatch):
            report = self._run_searches(batch, asked_at)
        else:
            report = self._run_movies(batch, asked_at)
        report += self._count_requests()
        return replace(report, stop_reason=self.stop_reason)

    def note_wait(self, message: str) -> None:
        """Record what this worker waits for, so that the main process reports it."""
        with suppress(DatabaseNotReady, Stopped):
            self.db.run_transaction(
                partial(note_work, name=self._name, doing=message), patience_seconds=0
            )

    def rest(self) -> None:
        """Record that this worker has no batch."""
        self.db.run_transaction(partial(forget_worker, name=self._name))

    def _run_pages(self, batch: PageBatch, asked_at: datetime) -> BatchReport:
        wanted = {page.page: page for page in batch.pages}
        fetched: list[FetchedPage] = []
        report = BatchReport()
        with closing(self._fetcher.fetch_pages(wanted)) as chunks:
            for chunk in chunks:
                failures = tuple(page for page in chunk.values() if isinstance(page, Failure))
                if failures:
                    report += self._save(Step(failures=failures))
                pages = [
                    (wanted[number], page)
                    for number, page in chunk.items()
                    if isinstance(page, MoviePage)
                ]
                if batch.with_details:
                    fetched += pages
                elif pages:
                    report += self.save_pages(pages, asked_at)
        return report + self._join_details(fetched, asked_at) if fetched else report

    def _join_details(self, pages: Sequence[FetchedPage], asked_at: datetime) -> BatchReport:
        """Fetch details that movies of *pages* lack; save each page as soon as it has all."""
        listed = [movie.id for _, page in pages for movie in page.movies]
        due = self.db.run_transaction(partial(read_due_for_details, ids=listed))
        pending, came = set(due), dict[int, Fetched]()
        report = BatchReport()
        with closing(self._fetcher.fetch_movies(due)) as chunks:
            # Finally the pages whose details a stop has cut off, with those that have come.
            for chunk in chain(chunks, [None]):
                came |= chunk or {}
                pending -= came.keys()
                done, waiting = list[FetchedPage](), list[FetchedPage]()
                for wanted, page in pages:
                    is_done = chunk is None or pending.isdisjoint(page.ids)
                    (done if is_done else waiting).append((wanted, page))
                if done:
                    ids = {id_ for _, page in done for id_ in page.ids} & came.keys()
                    details = {id_: came.pop(id_) for id_ in sorted(ids)}
                    report += self.save_pages(done, asked_at, details)
                pages = waiting
        return report

    def save_pages(
        self,
        pages: Sequence[FetchedPage],
        asked_at: datetime,
        details: Mapping[int, Fetched] = MappingProxyType({}),
    ) -> BatchReport:
        """Save pages and *details* of their movies in one step; see `page_step`."""
        given = (movie for movie in details.values() if isinstance(movie, MoviePayload))
        listed = (page.unknown_fields for _, page in pages)
        return replace(
            self._save(page_step(pages, details, asked_at)),
            pages=tuple(report_page(wanted, page) for wanted, page in pages),
            joined=len(details),
            # The list names them, so these denials are contradictions.
            contradicted=frozenset(id_ for id_, result in details.items() if result is None),
            unknown_fields=reduce(add_counts, listed, count_unknown(given)),
        )

    def _run_movies(self, batch: MovieBatch, asked_at: datetime) -> BatchReport:
        known = set() if batch.is_known else self._known(batch)
        wanted = [id_ for id_ in batch.ids if id_ not in known]
        report = BatchReport()
        if known:
            skipped = Step(skipped=len(known), counters={"details_read": len(known)})
            report += self._save(skipped)
        with closing(self._fetcher.fetch_movies(wanted)) as chunks:
            for chunk in chunks:
                report += self._save_chunk(batch, chunk, asked_at)
        return report

    def _known(self, batch: MovieBatch) -> set[int]:
        return self.db.run_transaction(partial(read_known, ids=batch.ids, update=batch.update))

    def _save_chunk(
        self, batch: MovieBatch, chunk: dict[int, Fetched], asked_at: datetime
    ) -> BatchReport:
        movies = tuple(result for result in chunk.values() if isinstance(result, MoviePayload))
        step = Step(
            movies,
            detailed=frozenset(movie.id for movie in movies),
            update=batch.update,
            asked_at=asked_at,
            missing=tuple(id_ for id_, result in chunk.items() if result is None),
            denial_context=batch.denial_context,
            is_unlisted=batch.is_unlisted,
            failures=tuple(result for result in chunk.values() if isinstance(result, Failure)),
            counters={"details_read": len(chunk)},
        )
        return replace(self._save(step), unknown_fields=count_unknown(movies))

    def _run_searches(self, batch: SearchBatch, asked_at: datetime) -> BatchReport:
        codes = dict(zip(batch.ids, batch.imdb_codes, strict=True))
        report = BatchReport()
        with closing(self._fetcher.search_movies(codes)) as chunks:
            for chunk in chunks:
                report += self._save_searches(batch, chunk, asked_at)
        return report

    def _save_searches(
        self, batch: SearchBatch, chunk: dict[int, Fetched], asked_at: datetime
    ) -> BatchReport:
        movies = tuple(result for result in chunk.values() if isinstance(result, MoviePayload))
        not_found = tuple(id_ for id_, result in chunk.items() if result is None)
        delisted = not_found if batch.is_denied else ()
        step = Step(
            movies,
            update=True,
            asked_at=asked_at,
            missing=delisted,
            denial_context=batch.denial_context,
            searched=tuple(id_ for id_, result in chunk.items() if not isinstance(result, Failure)),
            delisted=delisted,
            # The search is repeated in a later run, unless it was made because of a denial.
            failures=tuple(
                result
                for result in chunk.values()
                if batch.is_denied and isinstance(result, Failure)
            ),
            counters={"details_read": len(chunk)},
        )
        movie_ids = frozenset(movie.id for movie in movies) if batch.is_denied else frozenset()
        return replace(self._save(step), contradicted=movie_ids)

    def _count_requests(self) -> BatchReport:
        """Add requests that are not part of a saved step to the counters of the run."""
        is_current = self._requests_counted == self.client.requests_made
        return BatchReport() if is_current else self._save(Step())

    def _save(self, step: Step) -> BatchReport:
        requests = self.client.requests_made - self._requests_counted
        self._requests_counted += requests
        counters = {**step.counters, "requests": requests}
        result = save_step(self.db, self._run_id, replace(step, counters=counters))
        return BatchReport(
            Counts.of(result.outcomes),
            requests,
            result.failures,
            result.contradicted,
            result.doubtful,
        )

    def close(self) -> None:
        """Close all connections."""
        self._fetcher.close()
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
        """Count the last requests, and close everything."""
        try:
            if error is None:
                self._count_requests()
            elif not isinstance(error, DatabaseNotReady):
                with suppress(DatabaseNotReady, RunTakenOver, Stopped):  # The error counts.
                    self._count_requests()
        finally:
            self.close()


# The functions below run in a process of the pool.

_worker: Worker | None = None
_hearing = ExitStack()


def start_worker(settings: RunSettings, api_url: str, run_id: int | None) -> None:
    """Prepare this process of the pool; only its parent can ask it to stop."""
    global _worker  # noqa: PLW0603 -- one worker a process, made by the pool's initializer
    stop = StopRequest()
    for number in GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _hearing.enter_context(hear_signals(lambda _number: stop.set(), numbers=[STOP_SIGNAL]))
    _hearing.enter_context(statements_bound_by(stop))
    _worker = Worker(settings, api_url, run_id, stop)
    _hearing.enter_context(report_waits(_worker.note_wait))


def run_batch(batch: Batch) -> BatchReport:
    """Run *batch* on the worker of this process."""
    if _worker is None:
        raise RuntimeError("start_worker comes first")
    return _worker.run_batch(batch)
