"""What a run that was told ids need not ask for."""

from collections.abc import Iterable
from functools import partial

from database.db import DatabaseManager
from database.ledger import read_missing
from database.write import existing_ids


def read_known(db: DatabaseManager, ids: Iterable[int], *, update: bool) -> set[int]:
    """
    Return which of *ids* were missing lately, or are stored with their details.

    With *update* it is of no matter what is stored.
    """
    asked = list(ids)
    known = db.run_step(partial(read_missing, external_ids=asked))
    if not update:
        known |= db.run_step(partial(existing_ids, external_ids=asked, with_details=True))
    return known
