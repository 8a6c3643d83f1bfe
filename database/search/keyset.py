"""`Key`, `order_by`, `segments_of`: a sorted list in pages that begin after a given row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeGuard

from sqlalchemy import ColumnElement, and_, not_, or_, tuple_

#: A value of a column that a list is sorted by; None is sorted last.
Value = int | float | str | datetime | None
#: The values of all keys in one row.
Position = tuple[Value, ...]

#: The longest text that a list is sorted by; the rest of a longer one does not count.
LONGEST_KEY = 200
_LARGEST_NUMBER = 2**31 - 1


class BadPosition(ValueError):
    """Values that are not those of a row of this list."""


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A sort key of a list; the values of the last key are unique."""

    column: ColumnElement[Any]
    kind: Literal["number", "text", "time"] = "number"
    is_descending: bool = False
    has_nulls: bool = False

    def reversed(self) -> "Key":
        """Return the key of the opposite order; nulls stay last."""
        return replace(self, is_descending=not self.is_descending)

    @property
    def sorting(self) -> ColumnElement[Any]:
        """Return the expression for ORDER BY."""
        ordered = self.column.desc() if self.is_descending else self.column.asc()
        # Only where needed: an index in descending order has its nulls first.
        return ordered.nulls_last() if self.has_nulls and self.is_descending else ordered

    def read(self, value: object) -> Value:
        """Return *value*, from outside, as a value of this column."""
        if value is None and self.has_nulls:
            return None
        if self.kind == "time" and isinstance(value, str):
            return _read_time(value)
        if self.kind == "text" and isinstance(value, str) and is_storable(value):
            return value
        if self.kind == "number" and _is_number(value):
            return value
        raise BadPosition


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can compare *text*: it has neither NUL nor a lone surrogate."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def order_by(keys: Sequence[Key]) -> list[ColumnElement[Any]]:
    """Return what to sort by."""
    return [key.sorting for key in keys]


def rows_after(keys: Sequence[Key], position: Position) -> ColumnElement[bool]:
    """Return the condition for rows that come after *position*."""
    if not any(key.has_nulls for key in keys) and len({key.is_descending for key in keys}) == 1:
        # An index on all keys can begin at the row.
        row, last = tuple_(*(key.column for key in keys)), tuple_(*position)
        return row < last if keys[0].is_descending else row > last
    conditions: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    first, begin = keys[0], position[0]
    for key, value in zip(keys, position, strict=True):
        if value is not None:
            is_beyond = key.column < value if key.is_descending else key.column > value
            if key.has_nulls:
                is_beyond = or_(is_beyond, key.column.is_(None))
            conditions.append(and_(*equal, is_beyond))
        equal.append(key.column.is_(None) if value is None else key.column == value)
    if first.has_nulls or begin is None:
        return or_(*conditions)
    # The rest follows from this, but an index on the first key can begin at the row only with it.
    is_beside = first.column <= begin if first.is_descending else first.column >= begin
    return and_(is_beside, or_(*conditions))


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """
    Consecutive rows of a list: those that fulfil all conditions, in this order.

    The first key of the order is known in all of them, so an index on it can be read in both
    directions. With nulls, which are always last, it could be read in one direction only.
    """

    conditions: list[ColumnElement[bool]]
    order: list[ColumnElement[Any]]


def segments_of(keys: Sequence[Key], position: Position | None = None) -> Iterator[Segment]:
    """Yield the segments of a list, or of its rows after *position*, in their order."""
    unknown: list[ColumnElement[bool]] = []
    after = position
    for number, first in enumerate(keys):
        if after is None or after[0] is not None:
            rest = (replace(first, has_nulls=False), *keys[number + 1 :])
            known = [first.column.is_not(None)] if first.has_nulls else []
            begins = [] if after is None else [rows_after(rest, after)]
            yield Segment([*unknown, *known, *begins], order_by(rest))
            after = None
        else:
            after = after[1:]
        if not first.has_nulls:
            return
        unknown.append(first.column.is_(None))


def segments_before(keys: Sequence[Key], position: Position) -> Iterator[Segment]:
    """
    Yield the segments of the rows before *position*, and in each the last rows first.

    Each can be read from the index of the list in the other direction.
    """
    segments = [*segments_of(keys)]
    place = next(number for number, value in enumerate(position) if value is not None)
    rest, after = _keys_in(keys, place), position[place:]
    first, last = keys[place], keys[-1]
    # The first condition follows from the others, but an index can begin at the row only with it.
    is_beside = first.column >= after[0] if first.is_descending else first.column <= after[0]
    is_before = and_(is_beside, not_(rows_after(rest, after)), last.column != position[-1])
    for number in range(place, -1, -1):
        begins = [is_before] if number == place else []
        order = [_backward(key) for key in _keys_in(keys, number)]
        yield Segment([*segments[number].conditions, *begins], order)


def _keys_in(keys: Sequence[Key], place: int) -> list[Key]:
    """Return the keys of the segment in which *place* of them are unknown."""
    return [replace(keys[place], has_nulls=False), *keys[place + 1 :]]


def _backward(key: Key) -> ColumnElement[Any]:
    """Return the expression for the opposite order, in which unknown values are first."""
    ordered = key.column.asc() if key.is_descending else key.column.desc()
    # Only where needed: an index in descending order has its nulls first.
    return ordered.nulls_first() if key.has_nulls and key.is_descending else ordered


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST_NUMBER  # False for NaN.


def read_position(keys: Sequence[Key], values: object) -> Position:
    """
    Return the position in a list with these keys that a client has sent as *values*.

    Raises:
        BadPosition: *values* are not a position in this list.
    """
    if not isinstance(values, list) or len(values) != len(keys):
        raise BadPosition
    return tuple(key.read(value) for key, value in zip(keys, values, strict=True))


def _read_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            raise BadPosition
        return time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadPosition from error
