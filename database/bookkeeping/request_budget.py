"""
`take_slot`: the request budget that all workers on a database share, as slots in time.

One `UPDATE ... RETURNING` of one row hands out each slot once, in order, also if workers die.
Each call commits at once, so that no worker waits while another sleeps until its slot.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Engine,
    Float,
    Integer,
    Interval,
    bindparam,
    case,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from database.bookkeeping.models import RequestBudget
from database.sql import interval_of, table_of

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

_table = table_of(RequestBudget)
_budget = _table.c
_now = func.clock_timestamp()
_rate = bindparam("rate", type_=Float)
_lead = bindparam("lead", type_=Interval)


def _next_slot(begins: ColumnElement[datetime]) -> ReturningUpdate[float, datetime | None]:
    """Return the statement that takes the next slot."""
    return (
        update(_table)
        .values(last_slot_at=begins)
        .returning(func.extract("epoch", _budget.last_slot_at - _now), _budget.slowed_at)
    )


_next_at = func.greatest(_budget.last_slot_at + interval_of(literal(SPACING) / _budget.pace), _now)
_RENEW_LATE = _next_slot(_next_at)
_RENEW = _RENEW_LATE.where(
    _budget.slowed_at.is_distinct_from(bindparam("slowed_before", type_=DateTime(timezone=True)))
)
# A slot that is further ahead than `lead` becomes now.
_TAKE = _next_slot(case((_budget.last_slot_at > _now + _lead, _now), else_=_next_at)).values(
    pace=func.least(_rate, _budget.pace + _rate * RECOVERY_SHARE)
)
_TAKE_LIMITED = _TAKE.values(requests_left=_budget.requests_left - 1).where(
    _budget.requests_left > 0
)
# Other workers notice a missing row too, and one may have created and changed it by now.
_PUT_BACK = insert(_table).values(id=1, pace=_rate).on_conflict_do_nothing()

_AHEAD = select(func.extract("epoch", _budget.last_slot_at - _now)).where(
    _budget.last_slot_at > _now + literal(LONGEST_LEAD)
)
_DISCARD_SLOTS = update(_table).values(last_slot_at=_now)
_reset = insert(_table).values(
    id=1, pace=_rate, slowed_at=None, requests_left=bindparam("limit", type_=Integer)
)
_RESET = _reset.on_conflict_do_update(
    index_elements=["id"],
    set_={name: _reset.excluded[name] for name in ("pace", "slowed_at", "requests_left")},
)

_wish = bindparam("wish", type_=Interval)
# Of several 429s at once only the first one counts, unless another one asks for a longer pause.
_is_first = (
    _budget.slowed_at.is_(None)
    | (_budget.slowed_at < _now - literal(HALVING_PAUSE))
    | (_budget.slowed_at > _now)  # The clock was wrong.
)
_is_more = (_wish > literal(timedelta())) & (_budget.last_slot_at < _now + _wish)
_halved = func.greatest(_budget.pace / 2, _rate * LOWEST_SHARE)
_SLOW_DOWN = (
    update(_table)
    .values(
        pace=case((_is_first, _halved), else_=_budget.pace),
        slowed_at=case((_is_first | _is_more, _now), else_=_budget.slowed_at),
        last_slot_at=func.greatest(_budget.last_slot_at, _now + _wish),
    )
    .returning(_budget.id)
)


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
    with engine.begin() as connection:
        seconds = connection.scalar(_AHEAD)
        if seconds is not None:
            connection.execute(_DISCARD_SLOTS)
        connection.execute(_RESET, {"rate": rate, "limit": limit})
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
    lead = LONGEST_LEAD + timedelta(seconds=takers * SPACING / (rate * LOWEST_SHARE))
    slot = _run(engine, _TAKE_LIMITED if is_limited else _TAKE, rate=rate, lead=lead)
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
    if is_late:
        return _run(engine, _RENEW_LATE)
    return _run(engine, _RENEW, slowed_before=slot.slowed_at)


def _run(
    engine: Engine, statement: ReturningUpdate[float, datetime | None], **parameters: object
) -> Slot | None:
    with engine.begin() as connection:
        row = connection.execute(statement, parameters).one_or_none()
    return None if row is None else Slot(max(0.0, float(row[0])), row[1])


def _put_back(engine: Engine, rate: float) -> None:
    """Create the row again: the table is unlogged, and a crash of the server has emptied it."""
    with engine.begin() as connection:
        connection.execute(_PUT_BACK, {"rate": rate})


def slow_down(engine: Engine, rate: float, retry_after_seconds: float | None) -> None:
    """
    Halve the pace for all workers, and delay the next slot as long as the server asks for.

    Slots that were taken before are no longer valid: see `renew_slot`.
    """
    wish = timedelta(seconds=retry_after_seconds or 0.0)
    with engine.begin() as connection:
        is_done = connection.scalar(_SLOW_DOWN, {"rate": rate, "wish": wish})
    if not is_done:
        _put_back(engine, rate)
        slow_down(engine, rate, retry_after_seconds)


def read_pace(session: Session) -> float | None:
    """Return the current pace in requests a second, or None if no run has set one."""
    return session.scalar(select(_budget.pace))
