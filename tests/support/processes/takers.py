"""`read_pace`, `take_slots`: use the request budget as workers do."""

import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.orm import Session

from database.bookkeeping import request_budget as budget
from database.bookkeeping.request_budget import take_slot


def read_pace(engine: Engine) -> float | None:
    """Return the current pace in requests per second."""
    with Session(engine) as session:
        return budget.read_pace(session)


def take_slots(url: URL, rate: float, threads: int, seconds: float) -> int:
    """Take slots for *seconds*, waiting for each as workers do; return the number of slots."""
    engine = create_engine(url, pool_size=threads)
    end = time.monotonic() + seconds

    def take(_: int) -> int:
        count = 0
        while time.monotonic() < end:
            slot = take_slot(engine, rate)
            assert slot is not None
            time.sleep(slot.seconds)
            count += 1
        return count

    with ThreadPoolExecutor(threads) as pool:
        total = sum(pool.map(take, range(threads)))
    engine.dispose()
    return total
