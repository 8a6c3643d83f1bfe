"""
`audit`: after a complete sweep, ask by their ids for movies that the list does not name.

Ids that are neither stored nor known to be missing show what paging has lost, for whatever
reason; stored movies that a sweep of the whole list has not seen may be gone.
"""

from functools import partial

from sqlalchemy.orm import Session

from database.missing import (
    count_present,
    finish_gone_check,
    read_ids_to_audit,
    read_unlisted,
    read_unsearched,
)
from database.probing import read_ids_to_probe
from database.sync import begin_sweep, read_state
from ingest.course import Course
from ingest.limits import believed_loss
from ingest.open_source import OpenSource
from ingest.plan import MovieBatch, plan_movie_batches
from ingest.pool import BatchPool
from ingest.stop import EXIT_GUARD, EXIT_UNAVAILABLE, Ending

#: Known movies that are asked for before a denial is believed, if this run has seen no details.
CANARIES = 3


def audit(course: Course, pool: BatchPool, source: OpenSource) -> None:
    """
    Ask for ids that were never asked for or are due again, then for movies that vanished.

    A denial counts only in a run in which YTS has given details. Vanished movies are marked
    only in one in which it has denied nothing that it lists.
    """
    count = course.settings.audit if course.settings.details else 0
    ids = course.db.run_step(partial(read_ids_to_audit, count=count)) if count else []
    vanished = course.db.run_step(_read_vanished)
    if not (ids or vanished) or not course.goes_on:
        return
    if not course.has_details and not _is_plausible(course, source):
        course.given_up = source.worker.given_up or Ending(
            'YTS does not give the details of movies that it gave before, so its answer "no such '
            'movie" counts for nothing now; nothing was recorded',
            EXIT_UNAVAILABLE,
        )
        return
    if ids:
        course.expect_details(len(ids))
        course.found_by_audit += _ask(course, pool, ids)
        for movie_id, imdb_code in course.db.run_step(partial(read_unsearched, external_ids=ids)):
            if course.goes_on:
                course.take(source.worker.complete_by_search(movie_id, imdb_code))
    if course.goes_on and vanished and not course.contradicted:
        _ask_for_vanished(course, pool, vanished)


def _read_vanished(session: Session) -> list[int]:
    return read_unlisted(session) if read_state(session).is_gone_check_due else []


def _is_plausible(course: Course, source: OpenSource) -> bool:
    """Return whether YTS gives a movie that it gave before; without one, nothing speaks against."""
    ids = course.db.run_step(partial(read_ids_to_probe, count=CANARIES))
    answers = (source.worker.is_denied(id_) for id_ in ids)
    return not ids or any(is_denied is False for is_denied in answers)


def _ask(course: Course, pool: BatchPool, ids: list[int]) -> int:
    """Ask for movies that the list does not name; return how many YTS has."""
    kind = MovieBatch((), update=True, is_known=True, is_unlisted=True)
    found = 0
    for report in course.run_on(pool, plan_movie_batches(ids, course.settings.batch_size, kind)):
        found += report.counts.saved + report.counts.updated + report.counts.unchanged
    return found


def _ask_for_vanished(course: Course, pool: BatchPool, ids: list[int]) -> None:
    """
    Ask for every stored movie that the sweep has not seen, and mark those that YTS denies.

    With too many of them at once the sweep is not believed: nothing is asked, nothing is
    marked, and the next run begins it again.
    """
    present = course.db.run_step(count_present)
    if len(ids) > believed_loss(present):
        course.write(partial(begin_sweep, is_updating=False))
        course.given_up = Ending(
            f"{len(ids):,} of {present:,} stored movies are not on the list any more, which "
            "is too many to believe; none was marked. The next run reads the whole list again. "
            "If YTS really removed them, remove the rows",
            EXIT_GUARD,
        )
        return
    course.expect_details(len(ids))
    _ask(course, pool, ids)
    course.write(finish_gone_check)
