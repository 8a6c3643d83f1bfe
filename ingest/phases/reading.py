"""`Reading`: one reading of the list; plans its pages, saves them, and stores the progress."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from time import monotonic

from database.bookkeeping.due import read_due_for_details
from database.bookkeeping.failures import Failure
from database.bookkeeping.sweep_state import remember_progress
from ingest.exit_codes import ExitCode
from ingest.phases.open_source import OpenSource
from ingest.phases.sweep import Sweep, convert_page
from ingest.plan import (
    SECONDS_PER_PAGE_BATCH,
    ListPage,
    MovieBatch,
    PageBatch,
    choose_batch_sizes,
    plan_movie_batches,
    plan_page_batches,
)
from ingest.pool import BatchPool
from ingest.report import BatchReport, PageReport
from ingest.run import Run
from ingest.stop import StopReason
from yts.settings import MOVIES_PER_PAGE

#: At most this many pages are read by this process: starting workers would take longer.
FEW_PAGES = 4
#: Pages in a batch with details, for each thread. At the end of a batch its threads wait until all
#: is saved, so batches should be few.
PAGES_PER_THREAD = 4
#: Pages between two stores of the progress; a killed run reads them again.
SECONDS_BETWEEN_NOTES = 1.0


class Reading:
    """Reads pages from *first* on, in the order that *sweep* plans."""

    def __init__(
        self, run: Run, pool: BatchPool, source: OpenSource, sweep: Sweep, first: ListPage
    ) -> None:
        """Prepare the reading; all pages are read with the settings of *first*."""
        self._run = run
        self._pool = pool
        self._worker = source.worker
        self._asked_at = source.asked_at
        self._sweep = sweep
        self._first = first
        self._noted: tuple[int, int, int | None] | None = None
        self._noted_at = monotonic()

    def read(self, source: OpenSource) -> None:
        """Save the first page, fetched before, and read on to the end of the list."""
        report = self._worker.save_pages([(self._first, source.page)], self._asked_at)
        self._run.record(report)
        self._follow(report)
        self._note_progress(pages_expected=self._sweep.pages_expected)
        details = self._plan_details(movie.id for movie in source.page.movies)
        while self._run.should_continue:
            is_short = self._sweep.pages_ahead <= FEW_PAGES
            pages = self._sweep.plan()
            if (next_page := next(pages, None)) is None:
                break
            # Pages are made as they are needed, so that each has the newest count.
            wanted = map(self._wanted, chain([next_page], pages))
            if is_short:
                self._run.run_inline(self._worker, plan_page_batches(wanted), self._follow)
            else:
                batches = plan_page_batches(
                    wanted, self._choose_sizes(), with_details=self._run.settings.joins_details
                )
                self._run.run_on_pool(self._pool, chain(details, batches), self._follow)
            self._note_progress()
        self._worker.rest()
        if self._run.should_continue:
            self.record_short(
                self._sweep.short_pages, "pages with rows follow it, or YTS counted more before"
            )

    def _plan_details(self, ids: Iterable[int]) -> Iterator[MovieBatch]:
        """Yield batches of those of *ids*, on the first page, whose details come with the list."""
        run = self._run
        if not run.settings.joins_details:
            return
        if due := run.db.run_transaction(partial(read_due_for_details, ids=ids)):
            run.expect_details(len(due), phase="pages")
            kind = MovieBatch((), is_known=True, denial_context=run.denial_context)
            yield from plan_movie_batches(due, repeat(-(-len(due) // self._pool.workers)), kind)

    def _choose_sizes(self) -> Iterator[int]:
        """Yield how many pages are in each batch."""
        settings = self._run.settings
        return choose_batch_sizes(
            settings.threads * (PAGES_PER_THREAD if settings.joins_details else 1),
            workers=self._pool.workers,
            expected=self._sweep.pages_ahead,
            rate=settings.rate,
            seconds=SECONDS_PER_PAGE_BATCH,
        )

    def _wanted(self, page: int) -> ListPage:
        return replace(self._first, page=page, movie_count=self._sweep.movie_count)

    def _follow(self, report: BatchReport) -> None:
        for page in report.pages:
            self._record(page)
        if monotonic() - self._noted_at > SECONDS_BETWEEN_NOTES:
            self._note_progress()

    def _record(self, page: PageReport) -> None:
        other = self._sweep.repeated_page(page)
        if other is None:
            self._sweep.record(page)
            return
        # Once more, because a cache between this program and YTS may have mixed up two pages.
        report = self._worker.run_batch(PageBatch((self._wanted(page.page),)))
        self._run.record(report)
        for again in report.pages:
            if self._sweep.repeated_page(again) is None:
                self._sweep.record(again)
                return
        self._run.stop_reason = self._run.stop_reason or StopReason(
            f"YTS gave the rows of page {other} for page {page.page}, too: paging does not work "
            "there",
            ExitCode.UNAVAILABLE,
        )

    def to_unit(self, page: int) -> int:
        """Return the number of *page* in pages of `MOVIES_PER_PAGE` movies."""
        return convert_page(page, self._sweep.size, MOVIES_PER_PAGE)

    def _note_progress(self, **values: int) -> None:
        """Store the progress, and set columns of the run to *values*; nothing that is stored."""
        recheck = self._sweep.recheck_page
        progress = (
            self.to_unit(self._sweep.next_page),
            self._sweep.movie_count,
            None if recheck is None else self.to_unit(recheck),
        )
        if values or progress != self._noted:
            self._run.write_fenced(lambda session: remember_progress(session, *progress), **values)
        self._noted, self._noted_at = progress, monotonic()

    def record_short(self, pages: Iterable[PageReport], reason: str) -> None:
        """Record pages as failed if they came with fewer rows than they should have."""
        self._run.record_failures(
            Failure(
                "page",
                page.key,
                "fetch",
                "ShortPage",
                f"{page.shortness}: {reason}",
            )
            for page in pages
        )
