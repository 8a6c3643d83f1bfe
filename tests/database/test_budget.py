"""The request budget: all processes on a database keep one rate, also if one is killed."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

import pytest
from sqlalchemy import URL, Engine, create_engine

from database.bookkeeping.request_budget import (
    LOWEST_SHARE,
    Slot,
    renew_slot,
    reset_budget,
    slow_down,
    take_slot,
)
from database.db import DatabaseManager
from tests.support.data.movies import read
from tests.support.databases import run_sql
from tests.support.paths import REPO
from tests.support.processes.fork_server import start_python
from tests.support.processes.programs import in_database
from tests.support.processes.savers import run_in_processes
from tests.support.processes.takers import read_pace, take_slots
from tests.support.waiting import soon

RATE = 50.0
#: The slots are so far apart that even a busy machine is early for the next one.
SLOW = 0.05
#: Seconds that the server asks for; even a busy machine loses less than half of them.
PAUSE = 60.0


@pytest.fixture
def engine(db: DatabaseManager) -> Iterator[Engine]:
    """Return the engine of a database with a budget of 50 requests per second."""
    reset_budget(db.engine, RATE)
    return db.engine


def _take(engine: Engine, rate: float = RATE) -> Slot:
    slot = take_slot(engine, rate)
    assert slot is not None
    return slot


def _wait(engine: Engine, rate: float = RATE) -> float:
    """Take a slot and return the seconds until it begins."""
    return _take(engine, rate).seconds


def _log_slots(url: URL) -> None:
    """Create a trigger that records the time of each slot, whichever process takes it."""
    run_sql(
        url,
        "CREATE TABLE slots (began timestamptz)",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO slots VALUES (NEW.last_slot_at); RETURN NEW; END $$",
        "CREATE TRIGGER note BEFORE UPDATE ON request_budget FOR EACH ROW EXECUTE FUNCTION note()",
    )


def _busiest_second(slots: list[datetime]) -> int:
    """Return the highest number of slots that begin within one second."""
    return max(
        sum(begin <= other < begin + timedelta(seconds=1) for other in slots) for begin in slots
    )


def test_processes_and_threads_keep_one_rate_in_any_second(
    db: DatabaseManager, engine: Engine
) -> None:
    """
    There are never more slots than the rate allows, and each follows the one before at once.

    The times are those of the slots. A busy machine leaves slots out when all threads are late,
    but those that are taken have the right distance.
    """
    _log_slots(db.url)

    taken = run_in_processes(take_slots, [(db.url, RATE, 4, 2.0)] * 3)

    slots = sorted(read(db, "SELECT began FROM slots"))
    assert len(slots) == sum(taken)
    assert min(taken) > 0
    assert _busiest_second(slots) <= RATE + 1
    gaps = [(later - slot).total_seconds() for slot, later in pairwise(slots)]
    assert median(gaps) == pytest.approx(1 / RATE, rel=0.1)


def test_slots_are_handed_out_once_and_in_order(engine: Engine) -> None:
    """Each slot begins one interval after the one before; the first begins at once."""
    reset_budget(engine, SLOW)
    began = time.monotonic()
    waits = [_wait(engine, SLOW) for _ in range(20)]

    assert waits[0] == 0
    # The tolerance is half an interval: a slot that is lost or taken twice is noticed.
    assert waits[-1] == pytest.approx(19 / SLOW - (time.monotonic() - began), abs=0.5 / SLOW)


def test_unused_slots_are_not_saved_up(db: DatabaseManager, engine: Engine) -> None:
    """After a pause, the second slot still has to wait."""
    reset_budget(engine, SLOW)
    run_sql(db.url, "UPDATE request_budget SET last_slot_at = now() - interval '1 hour'")

    assert _wait(engine, SLOW) == 0
    assert _wait(engine, SLOW) > 0


def test_the_pace_halves_when_the_server_asks_and_comes_back(engine: Engine) -> None:
    """Several refusals at once halve the pace once; after 40 good slots it is back."""
    for _ in range(10):
        slow_down(engine, RATE, None)
    assert read_pace(engine) == RATE / 2

    paces = [_pace_after_a_slot(engine) for _ in range(40)]

    assert paces == sorted(paces)
    assert RATE / 2 < paces[0] < RATE * 0.6
    assert paces[-1] == RATE


def _pace_after_a_slot(engine: Engine) -> float | None:
    take_slot(engine, RATE)
    return read_pace(engine)


def test_the_pace_has_a_lowest_value(db: DatabaseManager, engine: Engine) -> None:
    """The pace does not fall below `LOWEST_SHARE` of the rate, however often the server refuses."""
    for _ in range(12):
        slow_down(engine, RATE, None)
        run_sql(db.url, "UPDATE request_budget SET slowed_at = slowed_at - interval '1 minute'")

    assert read_pace(engine) == RATE * LOWEST_SHARE


def test_a_new_run_begins_at_full_pace_but_not_before_its_turn(engine: Engine) -> None:
    """A wait that the server has asked for also applies to the next run."""
    slow_down(engine, RATE, PAUSE)

    reset_budget(engine, RATE)

    assert read_pace(engine) == RATE
    assert _wait(engine) > PAUSE / 2


def test_retry_after_delays_all_connections(db: DatabaseManager, engine: Engine) -> None:
    """The wait that the server asks for applies at once to all that use the database."""
    take_slot(engine, RATE)
    _log_slots(db.url)

    slow_down(engine, RATE, PAUSE)

    other = create_engine(db.url)
    waits = [_wait(each) for each in (engine, other, engine)]
    other.dispose()
    asked, *slots = read(db, "SELECT began FROM slots ORDER BY ctid")
    assert all(PAUSE / 2 < wait < PAUSE + 1 for wait in waits)
    assert all(later > earlier for earlier, later in pairwise([asked, *slots]))


def test_a_shorter_wait_does_not_replace_a_longer_one(engine: Engine) -> None:
    """The last response to arrive may ask for a shorter wait than an earlier one."""
    slow_down(engine, RATE, PAUSE)
    slow_down(engine, RATE, 1)
    slow_down(engine, RATE, None)

    assert _wait(engine) > PAUSE / 2


def test_slots_taken_before_are_renewed_when_the_server_says_slower(engine: Engine) -> None:
    """Each slot in hand is moved once for each longer wait; otherwise it is kept."""
    slots = [_take(engine) for _ in range(3)]
    assert [renew_slot(engine, slot) for slot in slots] == [None] * 3

    slow_down(engine, RATE, PAUSE)
    renewed = [renew_slot(engine, slot) for slot in slots]

    assert all(slot is not None and slot.seconds > PAUSE / 2 for slot in renewed)
    slow_down(engine, RATE, 1)
    slow_down(engine, RATE, None)
    assert [renew_slot(engine, slot) for slot in renewed if slot] == [None] * 3
    slow_down(engine, RATE, 2 * PAUSE)
    assert all(slot and renew_slot(engine, slot) for slot in renewed)


def test_a_renewed_slot_is_the_same_request(db: DatabaseManager, engine: Engine) -> None:
    """A renewal does not count against the limit, and does not raise the pace."""
    reset_budget(engine, RATE, 5)
    slot = take_slot(engine, RATE, is_limited=True)
    assert slot
    slow_down(engine, RATE, None)

    assert renew_slot(engine, slot)

    assert read(db, "SELECT requests_left, pace FROM request_budget") == [(4, RATE / 2)]


def test_a_limit_applies_to_limited_requests_only(engine: Engine) -> None:
    """Limited requests get that number of slots; others share the pace, but not the limit."""
    reset_budget(engine, RATE, 2)

    taken = [
        take_slot(engine, RATE, is_limited=is_limited)
        for is_limited in (True, False, True, True, False)
    ]

    assert [slot is not None for slot in taken] == [True, True, True, False, True]


def test_a_limit_that_a_crash_has_emptied_is_used_up(db: DatabaseManager, engine: Engine) -> None:
    """It is not known how many slots were left, so limited requests get none."""
    reset_budget(engine, RATE, 5)
    run_sql(db.url, "TRUNCATE request_budget")
    assert take_slot(engine, RATE, is_limited=True) is None

    slow_down(engine, RATE, None)
    _take(engine)

    assert take_slot(engine, RATE, is_limited=True) is None


def test_a_missing_row_of_the_budget_is_created_again(db: DatabaseManager, engine: Engine) -> None:
    """A crash of the server empties it, because it is unlogged; the next slot creates the row."""
    run_sql(db.url, "TRUNCATE request_budget")
    assert read_pace(engine) is None

    waits = [_wait(engine, SLOW) for _ in range(3)]

    assert waits[0] == 0
    assert waits[2] > 0
    assert read_pace(engine) == SLOW


def test_a_requested_pause_is_kept_after_the_table_was_emptied(
    db: DatabaseManager, engine: Engine
) -> None:
    """The wait that the server asks for is kept, although the row was lost."""
    run_sql(db.url, "TRUNCATE request_budget")

    slow_down(engine, RATE, PAUSE)

    assert _wait(engine) > PAUSE / 2


def test_a_process_that_is_killed_while_it_takes_a_slot_blocks_no_other(
    db: DatabaseManager, engine: Engine
) -> None:
    """PostgreSQL notices the lost connection, and unlocks the row."""
    program = (
        "import os, sys, time, psycopg2\n"
        "from database.config import read_database_url\n"
        "url = read_database_url()\n"
        "connection = psycopg2.connect(host=url.query['host'], port=url.query['port'],\n"
        "    user=url.username, dbname=url.database)\n"
        "connection.cursor().execute('UPDATE request_budget SET pace = 1')\n"
        "print('holding', flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, **in_database(db.url)}
    with start_python(["-c", program], env=environment, cwd=REPO) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "holding\n"
        holder.kill()

    with soon():
        take_slot(engine, RATE)

    assert read_pace(engine) == RATE


def test_a_budget_that_a_crash_has_emptied_is_found_by_all(
    db: DatabaseManager, engine: Engine
) -> None:
    """
    A thread that finds the row created by another one takes its slot from that row.
    """
    threads = 8
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(12):
            run_sql(db.url, "TRUNCATE request_budget")
            began = threading.Barrier(threads)
            taken = pool.map(lambda _, at=began: at.wait() >= 0 and take_slot(engine, RATE),
                             range(threads))  # fmt: skip

            assert None not in list(taken)
