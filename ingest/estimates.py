"""`estimate_details`: details requests that a run has left, from the tables and `movie_count`."""

from datetime import datetime

from sqlalchemy.orm import Session

from database.bookkeeping.due import count_due_for_details, count_stale
from database.bookkeeping.missing import read_ids_to_audit
from database.counts import read_counts
from ingest.settings import RunSettings
from yts.settings import MOVIES_PER_PAGE

#: The largest number that the columns of the run's row can hold; YTS may send a larger count.
MOST = 2**31 - 1


def count_details(session: Session, settings: RunSettings, now: datetime) -> int:
    """Return how many ids a run with *settings* would ask for if the list brought nothing new."""
    if not settings.details:
        return 0
    details = count_due_for_details(session) + len(read_ids_to_audit(session, settings.audit))
    if settings.stale_after is not None:
        details += count_stale(session, now - settings.stale_after)
    return details


def estimate_new(settings: RunSettings, movie_count: int, stored: int) -> int:
    """Return how many new movies the list would have if YTS counts *movie_count*."""
    new = max(0, movie_count - stored)
    return new if settings.max_pages is None else min(new, settings.max_pages * MOVIES_PER_PAGE)


def estimate_details(
    session: Session, settings: RunSettings, now: datetime, movie_count: int
) -> int:
    """Return how many ids a run with *settings* would ask for after it has read the list."""
    if not settings.details:
        return 0
    new = estimate_new(settings, movie_count, read_counts(session).movies)
    return min(MOST, count_details(session, settings, now) + new)
