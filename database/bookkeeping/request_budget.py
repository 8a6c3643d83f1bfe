"""
`take_slot`: the request budget that all workers on a database share, as slots in time.

One `UPDATE ... RETURNING` of one row hands out each slot once, in order, also if workers die.
Each call commits at once, so that no worker waits while another sleeps until its slot.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, case, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from database.bookkeeping.models import RequestBudget
from database.sql import interval_of

#: Slots lie this much further apart than the rate asks for. A server counts the requests of the
#: last second; a request that is sent 20 ms late must not exceed the limit together with the next
#: one.
SPACING = 1.02
#: After a 429 or Retry-After, the pace is halved at most once in this time ...
HALVING_PAUSE = timedelta(seconds=5)
#: ... never below this share of the wanted rate ...
LOWEST_SHARE = 1 / 32
#: ... and rises by this share of the wanted rate with each slot that is taken.
RECOVERY_SHARE = 1 / 64

#: How far ahead the last slot may be at the start of a run: longer than any accepted Retry-After.
LONGEST_LEAD = timedelta(minutes=3)

_budget = RequestBudget.__table__.c
_now = func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to make one request, unless the server asks for a lower rate before it begins."""

    #: Seconds from taking the slot until it begins.
    seconds: float
    #: When the server last asked for a lower rate.
    slowed_at: datetime | None


def reset_budget(engine: Engine, rate: float, limit: int | None = None) -> float:
    """
    Set the pace to *rate* requests a second, at the start of a run; taken slots stay taken.

    With *limit*, all workers together get that many slots from now on. Slots further ahead than
    `LONGEST_LEAD` come from a clock that was wrong, and are discarded. Return how many seconds
    ahead they were, 0 if there were none.
    """
    values = {"pace": rate, "slowed_at": None, "requests_left": limit}
    ahead = select(func.extract("epoch", _budget.last_slot_at - _now)).where(
        _budget.last_slot_at > _now + literal(LONGEST_LEAD)
    )
    with engine.begin() as connection:
        seconds = connection.scalar(ahead)
        if seconds is not None:
            connection.execute(update(RequestBudget).values(last_slot_at=_now))
        connection.execute(
            insert(RequestBudget)
            .values(id=1, **values)
            .on_conflict_do_update(index_elements=["id"], set_=values)
        )
    return float(seconds or 0.0)


def take_slot(
    engine: Engine, rate: float, *, is_limited: bool = False, takers: int = 1
) -> Slot | None:
    """
    Take the next free slot; None if the limit of the run is used up.

    *rate* is the wanted pace in requests a second, over 0; the shared pace is slower for a while
    after `slow_down`. Each of *takers* threads waits for at most one slot, so a slot further ahead
    comes from a clock that was wrong.
    """
    values: dict[str, Any] = {"pace": func.least(rate, _budget.pace + rate * RECOVERY_SHARE)}
    lead = LONGEST_LEAD + timedelta(seconds=takers * SPACING / (rate * LOWEST_SHARE))
    taken = _next_slot(lead)
    if is_limited:
        values["requests_left"] = _budget.requests_left - 1
        taken = taken.where(_budget.requests_left > 0)
    slot = _run(engine, taken.values(values))
    # A crash empties the table: the count is lost, and is taken as used up.
    if slot is not None or is_limited:
        return slot
    _put_back(engine, rate)
    return take_slot(engine, rate, takers=takers)


def renew_slot(engine: Engine, slot: Slot, *, is_late: bool = False) -> Slot | None:
    """
    Exchange a slot that has begun for a later one, if the server has asked for a lower rate.

    A slot that *is_late* is always exchanged. None means that the request may be sent.
    """
    later = _next_slot()
    if not is_late:
        later = later.where(_budget.slowed_at.is_distinct_from(slot.slowed_at))
    return _run(engine, later)


def _next_slot(lead: timedelta | None = None) -> ReturningUpdate[float, datetime | None]:
    """Return the statement that takes the next slot; one more than *lead* ahead becomes now."""
    next_at = _budget.last_slot_at + interval_of(literal(SPACING) / _budget.pace)
    begins: ColumnElement[datetime] = func.greatest(next_at, _now)
    if lead is not None:
        begins = case((_budget.last_slot_at > _now + literal(lead), _now), else_=begins)
    return (
        update(RequestBudget)
        .values(last_slot_at=begins)
        .returning(func.extract("epoch", _budget.last_slot_at - _now), _budget.slowed_at)
    )


def _run(engine: Engine, statement: ReturningUpdate[float, datetime | None]) -> Slot | None:
    with engine.begin() as connection:
        row = connection.execute(statement).one_or_none()
    return None if row is None else Slot(max(0.0, float(row[0])), row[1])


def _put_back(engine: Engine, rate: float) -> None:
    """Create the row again: the table is unlogged, and a crash of the server has emptied it."""
    with engine.begin() as connection:
        connection.execute(
            # Other workers notice this too, and one may have created and changed the row by now.
            insert(RequestBudget).values(id=1, pace=rate).on_conflict_do_nothing()
        )


def slow_down(engine: Engine, rate: float, retry_after_seconds: float | None) -> None:
    """
    Halve the pace for all workers, and delay the next slot as long as the server asks for.

    Slots that were taken before are no longer valid: see `renew_slot`.
    """
    wish = literal(timedelta(seconds=retry_after_seconds or 0.0))
    # Of several 429s at once only the first one counts, unless another one asks for a longer pause.
    is_first = (
        _budget.slowed_at.is_(None)
        | (_budget.slowed_at < _now - literal(HALVING_PAUSE))
        | (_budget.slowed_at > _now)  # The clock was wrong.
    )
    is_more = literal(bool(retry_after_seconds)) & (_budget.last_slot_at < _now + wish)
    halved = func.greatest(_budget.pace / 2, rate * LOWEST_SHARE)
    slower = (
        update(RequestBudget)
        .values(
            pace=case((is_first, halved), else_=_budget.pace),
            slowed_at=case((is_first | is_more, _now), else_=_budget.slowed_at),
            last_slot_at=func.greatest(_budget.last_slot_at, _now + wish),
        )
        .returning(_budget.id)
    )
    with engine.begin() as connection:
        is_done = connection.scalar(slower)
    if not is_done:
        _put_back(engine, rate)
        slow_down(engine, rate, retry_after_seconds)


def read_pace(session: Session) -> float | None:
    """Return the current pace in requests a second, or None if no run has set one."""
    return session.scalar(select(_budget.pace))
