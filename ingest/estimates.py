"""`DetailsLeft`: details requests that a run has left, from the tables and `movie_count`."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from database.bookkeeping.due import count_due_for_details, count_stale
from database.bookkeeping.missing import read_ids_to_audit
from database.counts import read_movie_count
from ingest.settings import RunSettings
from yts.settings import MOVIES_PER_PAGE

#: The largest number that the columns of the run's row can hold; YTS may send a larger count.
MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class DetailsLeft:
    """How many ids a run would ask for if the list brought nothing new."""

    #: Movies without details, movies whose details are too old, and ids of the audit.
    lacking: int = 0
    stale: int = 0
    audited: int = 0

    @property
    def total(self) -> int:
        """Return how many ids there are, as far as the columns of the run's row can hold it."""
        return min(MOST, self.lacking + self.stale + self.audited)


def read_details_left(session: Session, settings: RunSettings, now: datetime) -> DetailsLeft:
    """Return how many ids a run with *settings* that began at *now* would ask for."""
    if not settings.details:
        return DetailsLeft()
    age = settings.stale_after
    return DetailsLeft(
        count_due_for_details(session),
        count_stale(session, now - age) if age is not None else 0,
        len(read_ids_to_audit(session, settings.audit)) if settings.audit else 0,
    )


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
    new = estimate_new(settings, movie_count, read_movie_count(session))
    return min(MOST, read_details_left(session, settings, now).total + new)
