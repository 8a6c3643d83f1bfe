"""What a run that was told ids need not ask for."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from database.ledger import read_missing
from database.write import existing_ids


def read_known(session: Session, ids: Iterable[int], *, update: bool) -> set[int]:
    """
    Return which of *ids* were missing lately, or are stored with their details.

    With *update* it is of no matter what is stored.
    """
    asked = list(ids)
    known = read_missing(session, asked)
    return known if update else known | existing_ids(session, asked, with_details=True)
