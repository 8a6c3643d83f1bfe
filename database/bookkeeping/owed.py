"""`Owed`: what keeps the mirror from being complete, read from the tables at the end of a run."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from database.bookkeeping.due import count_lacking_details
from database.bookkeeping.failures import count_failures, count_lost
from database.bookkeeping.missing import count_never_asked, read_unlisted, read_unsearched
from database.bookkeeping.sweep_state import read_state


@dataclass(frozen=True, slots=True)
class Owed:
    """Work that is left after a run has read the list to its end."""

    #: Rows moved while the list was read, so that a part has to be read again.
    is_recheck: bool = False
    #: Stored movies that the list no longer names and that were not requested yet.
    vanished: int = 0
    #: Stored movies without details and without a record that explains it.
    details: int = 0
    #: Ids that the list does not name and that were never requested.
    unaudited: int = 0
    #: Movies found by their ids that lack the texts that only the list has.
    unsearched: int = 0
    #: Failed pages, and failed movies that are not stored.
    lost: int = 0
    #: All failures on record. Those of stored movies do not keep the mirror from being complete.
    failures: int = 0

    @property
    def is_work_left(self) -> bool:
        """Return whether work other than recorded failures is left for the next run."""
        return bool(
            self.is_recheck or self.vanished or self.details or self.unaudited or self.unsearched
        )

    @property
    def is_incomplete(self) -> bool:
        """Return whether a movie that YTS has may not be stored."""
        return self.is_work_left or bool(self.lost)

    def __bool__(self) -> bool:
        """Return whether anything is left, including failures to try again."""
        return self.is_work_left or bool(self.failures)

    @property
    def message(self) -> str | None:
        """Return the work that is left, as text for the user; None if there is none."""
        parts = {
            "the list kept changing while it was read": self.is_recheck,
            f"{self.vanished:,} movies that the list does not name any more are not confirmed as "
            "gone": self.vanished,
            f"{self.details:,} movies have no details yet": self.details,
            f"{self.unaudited:,} ids that the list does not name were not requested yet "
            "(see --audit)": self.unaudited,
            f"{self.unsearched:,} movies lack texts that only the list has": self.unsearched,
            f"failures on record, to be tried again: {self.failures:,} "
            "(see monitor_progress.py --failures)": self.failures,
        }
        left = "; ".join(part for part, is_left in parts.items() if is_left)
        return f"work is left for the next run: {left}" if left else None


def read_owed(session: Session, *, with_details: bool, with_audit: bool) -> Owed:
    """Return the work that is left; movies without details and unknown ids only on request."""
    state = read_state(session)
    return Owed(
        is_recheck=state.recheck_page is not None,
        vanished=len(read_unlisted(session)) if state.is_gone_check_due else 0,
        details=count_lacking_details(session) if with_details else 0,
        unaudited=count_never_asked(session) if with_audit else 0,
        unsearched=len(read_unsearched(session)) if with_audit else 0,
        lost=count_lost(session),
        failures=count_failures(session),
    )
