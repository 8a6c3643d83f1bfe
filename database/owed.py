"""`Owed`: what keeps the mirror from being complete, read from the tables at the end of a run."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from database.ledger import count_lacking_details
from database.missing import count_never_asked, read_unlisted
from database.sync import read_state


@dataclass(frozen=True, slots=True)
class Owed:
    """Work that is left though a run has read the list to its end."""

    #: Rows moved while the list was read, so that a part has to be read again.
    is_recheck: bool = False
    #: Stored movies that the list does not name any more and that were not asked for yet.
    vanished: int = 0
    #: Stored movies without details, with nothing on record that explains it.
    details: int = 0
    #: Ids that the list does not name and that were never asked for.
    unaudited: int = 0

    def __bool__(self) -> bool:
        """Return whether anything is left."""
        return bool(self.is_recheck or self.vanished or self.details or self.unaudited)

    @property
    def message(self) -> str:
        """Return what is left, for a person."""
        parts = {
            "the list kept changing while it was read": self.is_recheck,
            f"{self.vanished:,} movies that the list does not name any more are not confirmed as "
            "gone": self.vanished,
            f"{self.details:,} movies have no details yet": self.details,
            f"{self.unaudited:,} ids that the list does not name were not asked for yet "
            "(see --audit)": self.unaudited,
        }
        left = "; ".join(part for part, is_left in parts.items() if is_left)
        return f"work is left for the next run: {left}"


def read_owed(session: Session, *, with_details: bool, with_audit: bool) -> Owed:
    """Return what is left; movies without details and unknown ids only where they are wanted."""
    state = read_state(session)
    return Owed(
        is_recheck=state.recheck_page is not None,
        vanished=len(read_unlisted(session)) if state.is_gone_check_due else 0,
        details=count_lacking_details(session) if with_details else 0,
        unaudited=count_never_asked(session) if with_audit else 0,
    )
