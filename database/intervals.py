"""Spans of time that are computed inside PostgreSQL."""

from sqlalchemy import ColumnElement, Interval, func


def interval_of(seconds: ColumnElement[float] | float) -> ColumnElement[object]:
    """Return so many seconds as an interval."""
    return func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=Interval)
