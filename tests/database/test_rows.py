"""Rows of the bookkeeping as values: nothing of a table is left out."""

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
    In the same order, which is that of the JSON objects of the monitor.
    """
    assert [field.name for field in fields(row)] == [it.name for it in model.__table__.columns]
