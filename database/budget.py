"""
The one request budget of everybody who shares a database: slots in time, from one row.

`UPDATE ... RETURNING` hands out each slot once, in order, whoever dies. Each call
commits at once, so that nobody waits while another sleeps until its slot.
"""

from datetime import timedelta

from sqlalchemy import Engine, case, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from database.bookkeeping import RequestBudget
from database.intervals import interval_of

#: After the server said "slower", the pace is halved at most once in this time ...
HALVING_PAUSE = timedelta(seconds=5)
#: ... never below this share of the wanted rate ...
LOWEST_SHARE = 1 / 32
#: ... and comes back by this share of the wanted rate with each slot that is taken.
RECOVERY_SHARE = 1 / 64

_budget = RequestBudget.__table__.c
_now = func.clock_timestamp()


def reset_budget(engine: Engine, rate: float, limit: int | None = None) -> None:
    """
    Set the pace to *rate* requests a second, at the start of a run; taken slots stay taken.

    No more than *limit* slots are given from now on, if it is not None.
    """
    values = {"pace": rate, "slowed_at": None, "requests_left": limit}
    with engine.begin() as connection:
        connection.execute(
            insert(RequestBudget)
            .values(id=1, **values)
            .on_conflict_do_update(index_elements=["id"], set_=values)
        )


def take_slot(engine: Engine, rate: float, limit: int | None = None) -> float | None:
    """
    Take the next free slot and return the seconds until it begins; None: none is left.

    *rate* is the wanted pace in requests a second, over 0; the shared pace is
    slower for a while after `slow_down`.
    """
    interval = interval_of(literal(1.0) / _budget.pace)
    is_left = _budget.requests_left.is_(None) | (_budget.requests_left > 0)
    taken = (
        update(RequestBudget)
        .where(is_left)
        .values(
            last_slot_at=func.greatest(_budget.last_slot_at + interval, _now),
            pace=func.least(rate, _budget.pace + rate * RECOVERY_SHARE),
            requests_left=_budget.requests_left - 1,
        )
        .returning(func.extract("epoch", _budget.last_slot_at - _now))
    )
    with engine.begin() as connection:
        seconds = connection.scalar(taken)
        if seconds is not None:
            return max(0.0, float(seconds))
        if connection.scalar(select(_budget.id).where(~is_left)) is not None:
            return None
    # The table is unlogged: a crash of the server has emptied it. Others may notice, too.
    reset_budget(engine, rate, limit)
    return take_slot(engine, rate, limit)


def slow_down(engine: Engine, rate: float, retry_after_seconds: float | None) -> None:
    """Halve the pace for everybody, and give no slot before the server's own wish."""
    is_first = _budget.slowed_at.is_(None) | (_budget.slowed_at < _now - literal(HALVING_PAUSE))
    halved = func.greatest(_budget.pace / 2, rate * LOWEST_SHARE)
    wish = literal(timedelta(seconds=retry_after_seconds or 0.0))
    slower = (
        update(RequestBudget)
        .values(
            pace=case((is_first, halved), else_=_budget.pace),
            slowed_at=case((is_first, _now), else_=_budget.slowed_at),
            last_slot_at=func.greatest(_budget.last_slot_at, _now + wish),
        )
        .returning(_budget.id)
    )
    with engine.begin() as connection:
        is_done = connection.scalar(slower)
    if not is_done:  # As in `take_slot`.
        reset_budget(engine, rate)
        slow_down(engine, rate, retry_after_seconds)


def read_pace(engine: Engine) -> float | None:
    """Return the pace just now in requests a second, or None where no run has set one."""
    with engine.connect() as connection:
        return connection.scalar(select(_budget.pace))
