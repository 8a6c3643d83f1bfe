"""The request rate of runs, as the server counts it."""

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from database.bookkeeping.source import claim_source
from database.db import DatabaseManager
from ingest.plan import MovieBatch
from ingest.settings import RunSettings
from ingest.stop import StopRequest
from ingest.worker.budget import BudgetClient
from ingest.worker.worker import Worker
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql
from tests.support.processes.takers import read_pace
from tests.support.runs import counted, fetch, impatient_client, read_sql, set_faults
from tests.support.waiting import wait_until

RATE = 10.0
#: Requests that may come within one second of the server: one at either end of it, and those that
#: a busy machine sends a third of a second late. Two separate budgets would give twice the rate.
MOST_IN_ONE_SECOND = RATE + 1 + RATE // 3


def test_no_second_has_more_requests_than_one_budget_allows(db: DatabaseManager, sandbox: Sandbox):
    """Three processes with four threads each keep one rate, also if one of them is killed."""
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(_kill_a_worker, sandbox)
        fetch(db, sandbox.url, workers=3, rate=RATE, max_requests=50)
        killed.result()

    stats = counted(sandbox)
    assert stats["max_in_one_second"] <= MOST_IN_ONE_SECOND
    # A slot that was taken for a request is lost with its process, and so are its neighbours'.
    assert 50 - 3 * 4 <= stats["requests"] <= 50


def _kill_a_worker(sandbox: Sandbox) -> None:
    wait_until(lambda: counted(sandbox)["requests"] > 15, "requests of the workers")
    # Of this process alone: the commands of all tests are children of one fork server.
    multiprocessing.active_children()[0].kill()


def test_a_run_and_another_worker_share_one_rate(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """A run and another worker share the rate, and their retries are within it too."""
    impatient_client(monkeypatch, attempts=3, backoff_seconds=0.01)
    set_faults(sandbox, _503=0.3)
    settings = RunSettings((sandbox.url,), db.url, rate=RATE)
    with db.get_session() as session:
        claim_source(session, "sandbox")  # The worker may save a movie before the run begins.
    with ThreadPoolExecutor(1) as pool, Worker(settings, sandbox.url, None, StopRequest()) as other:
        beside = pool.submit(other.run_batch, MovieBatch(tuple(range(150, 160))))
        fetch(db, sandbox.url, rate=RATE, ids=(range(1, 11),))
        beside.result()

    stats = counted(sandbox)
    assert stats["max_in_one_second"] <= MOST_IN_ONE_SECOND
    assert stats["requests"] > 1 + 20, "some were requested again"


class LateStop(StopRequest):
    """A stop whose sleeps end late, as on a busy machine."""

    def sleep(self, seconds: float) -> None:
        """Sleep a third of a second longer."""
        super().sleep(seconds and seconds + 0.3)


def test_a_thread_that_wakes_late_takes_a_later_slot(db: DatabaseManager):
    """A late request would come together with the next ones, and the server counts them all."""
    budget = BudgetClient(db.engine, RATE, LateStop())
    budget.reset()
    budget.take_slot()
    # The next slot is in the future, however slow this process is, so it has to wait.
    run_sql(db.url, "UPDATE request_budget SET last_slot_at = clock_timestamp() + interval '1 s'")
    before = read_sql(db, "SELECT last_slot_at FROM request_budget")[0]

    budget.take_slot()

    slots_later = read_sql(db, "SELECT last_slot_at FROM request_budget")[0] - before
    assert slots_later.total_seconds() > 0.3


def test_slots_already_taken_are_delayed_after_a_429(db: DatabaseManager):
    """
    Two processes hold sixteen slots, seconds ahead. Once the first 429 is recorded, none of them is
    used. Until then some are, the more the busier the machine is.
    """
    workers, threads = 2, 8
    stop = StopRequest()
    with open_sandbox(SandboxSettings(movies=100, retry_after_seconds=60)) as sandbox:

        def refuse() -> int:
            refuse_from(sandbox, 10)
            time.sleep(1.5)
            stop.set()
            return counted(sandbox)["faults"]["429"]

        with ThreadPoolExecutor(1) as pool:
            refused = pool.submit(refuse)
            fetch(db, sandbox.url, rate=RATE, workers=workers, threads=threads, stop=stop)

    assert refused.result() < workers * threads / 2


def test_the_full_rate_returns_by_itself(db: DatabaseManager, monkeypatch: pytest.MonkeyPatch):
    """After a few responses 429 the full rate returns before the run ends."""
    impatient_client(monkeypatch, backoff_seconds=0.1)
    with open_sandbox(SandboxSettings(movies=150)) as sandbox:

        def refuse_for_a_moment() -> None:
            refuse_from(sandbox, 20)
            set_faults(sandbox)

        with ThreadPoolExecutor(1) as pool:
            refused = pool.submit(refuse_for_a_moment)
            report = fetch(db, sandbox.url, rate=100.0)
            refused.result()

    assert report.counts.failed == 0
    assert read_sql(db, "SELECT slowed_at FROM request_budget")[0], "the pace was halved"
    assert read_pace(db.engine) == 100


def refuse_from(sandbox: Sandbox, requests: int) -> None:
    """Respond with 429 after *requests* requests, and return after the first such response."""
    wait_until(lambda: counted(sandbox)["requests"] > requests, "requests")
    set_faults(sandbox, _429=1.0)
    wait_until(lambda: counted(sandbox)["faults"], "a refused request")


def test_all_workers_slow_down_after_a_429(db: DatabaseManager):
    """Above the limit of the server 429s come; the rate is halved for all, and all is fetched."""
    paces: list[float | None] = []
    with open_sandbox(SandboxSettings(movies=60, rate_limit=20)) as strict:
        report = fetch(
            db,
            strict.url,
            workers=2,
            rate=40.0,
            progress=lambda _row: paces.append(read_pace(db.engine)),
        )
        responses = counted(strict)["responses"]

    refused = sum(codes.get("429", 0) for codes in responses.values())
    assert 0 < refused < 60
    assert report.counts.failed == 0
    assert db.get_stats()["movies_with_details"] == 60
    assert min(pace for pace in paces if pace) < 40
