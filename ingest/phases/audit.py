"""
`audit`: after a complete sweep, request the details of ids that the list does not name.

Ids that are neither stored nor known to be missing may be movies that paging has lost. Stored
movies that a sweep of the whole list has not seen may be gone.
"""

from functools import partial

from sqlalchemy.orm import Session

from database.bookkeeping.missing import (
    count_vanished,
    finish_gone_check,
    read_ids_to_audit,
    read_unlisted,
    read_unsearched,
)
from database.bookkeeping.sweep_state import begin_sweep, read_state
from database.counts import count_present
from ingest.error_limit import believed_loss
from ingest.exit_codes import ExitCode
from ingest.phases.canary import require_plausible
from ingest.phases.open_source import OpenSource
from ingest.phases.read_details import fetch_movies
from ingest.plan import MovieBatch
from ingest.pool import BatchPool
from ingest.report import BatchReport
from ingest.run import Run
from ingest.stop import StopReason


def audit(run: Run, pool: BatchPool, source: OpenSource) -> None:
    """
    Request ids that are new or due again, then movies that have vanished.

    A denial counts only in a run in which YTS has given details. Vanished movies are marked only in
    a run without contradictions.
    """
    count = run.settings.audit if run.settings.details else 0
    ids, is_gone_check_due, vanished = run.db.run_transaction(partial(_read_ids, count=count))
    if (ids or vanished) and run.should_continue and not require_plausible(run, source):
        return
    if ids and run.should_continue:
        run.expect_details(len(ids))
        run.found_by_audit += _ask(run, pool, ids)
    if count and run.should_continue:
        run.search(pool, run.db.run_transaction(read_unsearched))
    if is_gone_check_due and run.should_continue and not run.contradicted:
        _ask_for_vanished(run, pool, vanished)


def _read_ids(session: Session, count: int) -> tuple[list[int], bool, list[int]]:
    """Return ids to audit, whether vanished movies are to be requested, and these movies."""
    ids = read_ids_to_audit(session, count) if count else []
    is_due = read_state(session).is_gone_check_due
    return ids, is_due, read_unlisted(session) if is_due else []


def _ask(run: Run, pool: BatchPool, ids: list[int]) -> int:
    """Request movies that the list does not name; return how many YTS has."""
    kind = MovieBatch(
        (), update=True, is_known=True, is_unlisted=True, denial_context=run.denial_context
    )
    present = 0

    def count(report: BatchReport) -> None:
        nonlocal present
        present += report.counts.saved + report.counts.updated + report.counts.unchanged

    fetch_movies(run, pool, ids, len(ids), kind, handle=count)
    return present


def _ask_for_vanished(run: Run, pool: BatchPool, ids: list[int]) -> None:
    """
    Request every stored movie that the sweep has not seen, and mark those that YTS denies.

    If too many movies that pages named before are among them, the sweep is not believed: nothing is
    requested or marked, and the next run begins the sweep again.
    """
    if ids and (reason := _doubt_vanished(run)):
        run.write_fenced(partial(begin_sweep, is_updating=False, origin=run.origin))
        run.stop_reason = reason
        return
    if ids:
        run.expect_details(len(ids))
        _ask(run, pool, ids)
    run.write_fenced(finish_gone_check)


def _doubt_vanished(run: Run) -> StopReason | None:
    """Return why the sweep is not believed; None if few movies that pages named have vanished."""
    present, vanished = run.db.run_transaction(
        lambda session: (count_present(session), count_vanished(session))
    )
    if vanished <= believed_loss(present):
        return None
    return StopReason(
        f"{vanished:,} of {present:,} stored movies are not on the list any more, which "
        "is too many to believe; none was marked. The next run reads the whole list again. "
        "If YTS really removed them, remove the rows",
        ExitCode.GUARD,
    )
