"""`Run`: one fetch run; sends batches to the pool, records reports, keeps its row current."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy.orm import Session

from database.bookkeeping.failures import Failure
from database.bookkeeping.missing import DenialContext, read_imdb_codes
from database.bookkeeping.owed import Owed, read_owed
from database.bookkeeping.rows import RunRow
from database.bookkeeping.runs import (
    change_run,
    close_run,
    fenced,
    read_run,
    start_run,
)
from database.bookkeeping.sweep_state import begin_sweep, read_state
from database.connection.retry import Result, Work
from database.db import DatabaseManager
from database.errors import DatabaseAway, DatabaseNotReady, RunTakenOver
from database.step import Step, save_step
from database.writing.movies import read_clock
from ingest.error_limit import believed_loss
from ingest.exit_codes import ExitCode
from ingest.plan import Batch, PageBatch, SearchBatch, plan_search_batches
from ingest.pool import HEARTBEAT_SECONDS, BatchPool, LostBatch
from ingest.report import BatchReport, Counts, RunReport
from ingest.settings import RunSettings
from ingest.stop import StopReason, StopRequest
from ingest.worker.worker import Worker
from yts.unknown_fields import add_counts

#: Failures kept for the summary.
FAILURES_SHOWN = 20

ReportHandler = Callable[[BatchReport], None]


def ignore_report(_report: BatchReport) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Callbacks for the progress of a run; all are called from the main thread."""

    #: Called with the columns of the run's row, about twice a second.
    progress: Callable[[dict[str, Any]], None]
    #: Called with messages of minor importance.
    note: Callable[[str], None]
    #: Called with each failure after it was recorded.
    failure: Callable[[Failure], None]
    #: Called with messages that the user should see in any case.
    notice: Callable[[str], None] = lambda _message: None


@dataclass(frozen=True, slots=True)
class RunStart:
    """The row of a run that begins, and what the tables say at that time."""

    run_id: int
    #: By the clock of the database.
    began_at: datetime
    #: Number of the first reading of the list in this run.
    first_reading: int


def open_run(session: Session, command: str) -> RunStart:
    """Insert the row of a run; runs that did not close their row are closed as killed."""
    run_id = start_run(session, command)
    return RunStart(run_id, read_clock(session), read_state(session).reading + 1)


class Run:
    """The settings of one run, and its results so far."""

    def __init__(
        self,
        settings: RunSettings,
        db: DatabaseManager,
        start: RunStart,
        listener: Listener,
        *,
        stop: StopRequest,
        reacquire_lock: Callable[[], None],
    ) -> None:
        """Start the clock. *reacquire_lock* takes the fetch lock again if it was lost."""
        #: By the clock of the database.
        self.began_at = start.began_at
        self._reacquire_lock = reacquire_lock
        self.settings = settings
        self.db = db
        self.run_id = start.run_id
        self.listener = listener
        self.stop = stop
        #: Why no more requests are made to the source; None while it works.
        self.stop_reason: StopReason | None = None
        self._started = monotonic()
        self._heartbeat_due = self._started + HEARTBEAT_SECONDS
        self._failures: list[Failure] = []
        self._unknown_fields: Counter[str] = Counter()
        self._counts = Counts()
        #: The base URL that is read, without secrets; *origin* is `sandbox` for practice data.
        self.api_url = self.origin = ""
        self._first_reading = start.first_reading
        #: Movies that the list names and YTS denies.
        self.contradicted: set[int] = set()
        #: Movies that YTS denies and that the list named in an earlier run.
        self.doubtful: set[int] = set()
        #: Whether YTS has given details of a movie in this run.
        self.has_details = False
        #: Movies that the list does not name and that were found by their ids.
        self.found_by_audit = 0
        #: Details requested so far or planned, and an estimate of this number at the end.
        self._details_expected = self.details_foreseen = 0

    @property
    def exit_code(self) -> int:
        """Return the exit code of a run that ends now."""
        if self.stop.is_set():
            return self.stop.reason.exit_code
        if self.stop_reason:
            return self.stop_reason.exit_code
        return ExitCode.SOME_FAILED if self._failures else ExitCode.DONE

    @property
    def should_continue(self) -> bool:
        """Return whether more requests should be made."""
        return self.stop_reason is None and not self.stop.is_set()

    def run_on_pool(
        self, pool: BatchPool, batches: Iterable[Batch], handle: ReportHandler = ignore_report
    ) -> None:
        """Run *batches* on *pool*, record their reports, and pass each to *handle*."""
        for result in pool.run_batches(self._while_continuing(batches)):
            report = self._record_lost(result.batch) if isinstance(result, LostBatch) else result
            self.record(report)
            handle(report)

    def run_inline(
        self, worker: Worker, batches: Iterable[Batch], handle: ReportHandler = ignore_report
    ) -> None:
        """Run *batches* in this process: for a few, starting workers would take longer."""
        for batch in self._while_continuing(batches):
            report = worker.run_batch(batch)
            self.record(report)
            if monotonic() >= self._heartbeat_due:
                self.heartbeat()
            handle(report)

    def _while_continuing(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            if not self.should_continue:
                return
            yield batch

    def record(self, report: BatchReport) -> None:
        """Add a report to the results of the run."""
        for failure in report.failures:
            self.listener.failure(failure)
        self._failures += report.failures[: FAILURES_SHOWN - len(self._failures)]
        self._unknown_fields = add_counts(self._unknown_fields, report.unknown_fields)
        self._counts += report.counts
        self.contradicted |= report.contradicted
        self.doubtful |= report.doubtful
        came = report.counts.saved + report.counts.updated + report.counts.unchanged
        self.has_details |= came > 0 and not report.pages
        self._details_expected += report.joined
        self.stop_reason = (
            self.stop_reason
            or report.stop_reason
            or self._too_many_contradictions()
            or self._too_many_errors()
        )

    def foresee_details(self, movies: int) -> None:
        """Expect that the run requests details of about *movies* more movies until its end."""
        self.details_foreseen = self._details_expected + movies

    def expect_details(self, movies: int, phase: str = "details") -> None:
        """Add about *movies* movies to the expected number of details."""
        self._details_expected += movies
        expected = max(self._details_expected, self.details_foreseen)
        self.change(phase=phase, details_expected=expected)

    def _too_many_contradictions(self) -> StopReason | None:
        count = len(self.contradicted | self.doubtful)
        if count <= believed_loss(max(self._details_expected, self.details_foreseen)):
            return None
        return StopReason(
            f"YTS says of {count:,} movies that it has no such movie, but the list named them "
            f"{'earlier' if self.doubtful else 'in this run'}. That is not believed; nothing of "
            f"it was recorded. The next run {'reads the whole list' if self.doubtful else 'asks'} "
            "again",
            ExitCode.GUARD,
        )

    @property
    def denial_context(self) -> DenialContext:
        """Return the facts that decide whether this run believes a denial."""
        return DenialContext(self.origin, self._first_reading)

    def settle_contradictions(self, pool: BatchPool) -> None:
        """
        Record movies that the list names and YTS denies as failed, unless they are too many.

        If the list named them only in an earlier run, a search shows whether it still does. If
        there are too many of those, the list has to be read again.
        """
        if self._too_many_contradictions() is not None:
            if self.doubtful:
                state = self.db.run_transaction(read_state)
                self.write_fenced(
                    partial(begin_sweep, is_updating=state.is_updating, origin=self.origin)
                )
            return
        if self.doubtful and self.should_continue:
            movies = self.db.run_transaction(partial(read_imdb_codes, external_ids=self.doubtful))
            self.contradicted |= self.doubtful - {movie_id for movie_id, _ in movies}
            self.search(pool, movies, is_denied=True)
        if self.contradicted:
            self.record_failures(
                Failure(
                    "movie",
                    str(movie_id),
                    "fetch",
                    "ListedButDenied",
                    "YTS lists this movie, and says that it has no such movie",
                )
                for movie_id in sorted(self.contradicted)
            )

    def search(
        self, pool: BatchPool, movies: Sequence[tuple[int, str]], *, is_denied: bool = False
    ) -> None:
        """Search the list for *movies*, pairs of YTS id and IMDb code, and save the results."""
        if movies:
            self.expect_details(len(movies))
            kind = SearchBatch((), (), self.denial_context, is_denied)
            self.run_on_pool(pool, plan_search_batches(movies, self.settings.batch_size, kind))

    def record_failures(self, failures: Iterable[Failure]) -> None:
        """Record *failures* in the ledger, and count them."""
        if recorded := tuple(failures):
            result = save_step(self.db, self.run_id, Step(failures=recorded))
            self.record(BatchReport(Counts.of(result.outcomes), failures=result.failures))

    def _too_many_errors(self) -> StopReason | None:
        limit, counts = self.settings.max_errors, self._counts
        if limit is None or not limit.is_passed(counts.failed, counts.planned):
            return None
        return StopReason(
            f"{counts.failed} failed, more than --max-errors allows", ExitCode.SOME_FAILED
        )

    def _record_lost(self, batch: Batch) -> BatchReport:
        """Record a page or movie that has killed its worker repeatedly; the others continue."""
        reason = "it has killed its worker process repeatedly"
        kind_and_keys = (
            [("page", page.key) for page in batch.pages]
            if isinstance(batch, PageBatch)
            else [("movie", str(movie_id)) for movie_id in batch.ids]
        )
        failures = tuple(
            Failure(kind, key, "fetch", "WorkerDied", reason)  # type: ignore[arg-type]
            for kind, key in kind_and_keys
        )
        result = save_step(self.db, self.run_id, Step(failures=failures))
        return BatchReport(Counts.of(result.outcomes), failures=result.failures)

    def heartbeat(self) -> None:
        """
        Pass the row of the run to the listener, if the database can be read.

        Raises:
            FetchLockHeld: the lock was lost with its connection, and another run has it now.
        """
        with suppress(DatabaseAway):
            self._reacquire_lock()
            read = partial(read_run, run_id=self.run_id)
            row: RunRow = self.db.run_transaction(read, patience_seconds=0)
            self.listener.progress(asdict(row))
        self._heartbeat_due = monotonic() + HEARTBEAT_SECONDS

    def write_fenced(self, step: Work[Result], **values: object) -> Result:
        """
        Run *step* in a transaction, unless another run has taken over this database.

        The same transaction sets columns of the run's row to *values*. Raises:
            RunTakenOver: another run has taken over; nothing is written.
        """
        return self.db.run_transaction(fenced(step, self.run_id, **values))

    def change(self, **values: object) -> None:
        """Set columns of the run's row."""
        self.db.run_transaction(lambda session: change_run(session, self.run_id, **values))

    def abandon(self, exit_code: int) -> None:
        """Close the row of a run that an error ends, if the database can be used."""
        with suppress(DatabaseNotReady, RunTakenOver):
            self.db.run_transaction(
                lambda session: self._close(session, exit_code), patience_seconds=0
            )

    def _close(self, session: Session, exit_code: int, *, is_complete: bool = False) -> RunRow:
        """Close the row, and replace its estimates; return it."""
        close_run(
            session,
            self.run_id,
            exit_code,
            is_complete=is_complete,
            details_expected=self._details_expected,
        )
        return read_run(session, self.run_id)

    def _read_owed(self, session: Session) -> Owed | None:
        settings = self.settings
        if not (settings.reads_list and self.should_continue):
            return None
        with_audit = settings.details and settings.audit > 0
        return read_owed(session, with_details=settings.details, with_audit=with_audit)

    def finish(self, *, is_sweep_complete: bool, exit_code: int | None = None) -> RunReport:
        """
        Close the run's row and return the report; *exit_code* replaces the computed one.

        A run that read the list is complete if the tables show that nothing is owed. A run that
        ends without an error and is not complete gets the exit code for work that is left.
        """
        reason = self.stop.reason if self.stop.is_set() else self.stop_reason
        end = self.db.run_transaction(
            partial(
                self._end,
                is_sweep_complete=is_sweep_complete,
                exit_code=self.exit_code if exit_code is None else exit_code,
            )
        )
        row = asdict(end.row)
        self.listener.progress(row)
        return RunReport(
            exit_code=end.exit_code,
            ended_early=reason.reason if reason else None,
            counts=Counts(**{outcome.name: row[outcome.name] for outcome in fields(Counts)}),
            requests=row["requests"],
            pages_read=row["pages_read"],
            seconds=monotonic() - self._started,
            failures=tuple(self._failures),
            unknown_fields=self._unknown_fields,
            is_sweep_complete=is_sweep_complete,
            is_complete=end.row.is_complete,
            work_left=end.work_left,
            found_by_audit=self.found_by_audit,
        )

    def _end(self, session: Session, *, is_sweep_complete: bool, exit_code: int) -> "_RunEnd":
        """Read what is owed, and close the run's row."""
        owed, work_left = self._read_owed(session), None
        is_complete = is_sweep_complete and owed is not None and not owed.is_incomplete
        is_to_the_end = is_sweep_complete or not self.settings.max_pages
        if owed and exit_code == ExitCode.DONE and is_to_the_end:
            exit_code = ExitCode.LIMIT if owed.is_work_left else ExitCode.SOME_FAILED
            work_left = owed.message
        row = self._close(session, exit_code, is_complete=is_complete)
        return _RunEnd(row, exit_code, work_left)


@dataclass(frozen=True, slots=True)
class _RunEnd:
    """The closed row of a run, its exit code, and the work that is left as text for the user."""

    row: RunRow
    exit_code: int
    work_left: str | None
