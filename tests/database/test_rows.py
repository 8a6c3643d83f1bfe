"""`RunRow`, `FailureRow`, `SyncStateRow`: they have all columns of their tables."""

from dataclasses import fields

import pytest

from database.bookkeeping.models import FetchFailure, FetchRun, SyncState
from database.bookkeeping.rows import FailureRow, RunRow, SyncStateRow
from database.models import Base


@pytest.mark.parametrize(
    ("row", "model"), [(RunRow, FetchRun), (FailureRow, FetchFailure), (SyncStateRow, SyncState)]
)
def test_a_row_has_the_columns_of_its_table(row: type, model: type[Base]) -> None:
    """
    The fields have the order of the columns, which is also that of the JSON of the monitor.
    """
    assert [field.name for field in fields(row)] == [
        column.name for column in model.__table__.columns
    ]
