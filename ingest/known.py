"""`read_known`: ids that `--ids` can skip, because they are stored with their details."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from database.write import existing_ids


def read_known(session: Session, ids: Iterable[int], *, update: bool) -> set[int]:
    """Return which of *ids* are stored with their details; with *update*, none is skipped."""
    return set() if update else existing_ids(session, list(ids), with_details=True)
