"""The pace, as the server counts it."""

import os
import signal
import threading

from database.budget import read_pace
from database.db import DatabaseManager
from sandbox.server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.ingest.runs import counted, fetch
from tests.processes import workers_of

#: Slots lie 50 ms apart, more than a busy machine is late in waking who waits.
RATE = 20


def test_no_second_has_more_than_one_request_too_many(db: DatabaseManager, sandbox: Sandbox):
    """
    Three processes with four threads each, one of them killed on the way, keep one pace.
    """
    killer = threading.Timer(2.5, _kill_a_worker)
    killer.start()
    fetch(db, sandbox.url, workers=3, rate=float(RATE), max_requests=120)
    killer.join()

    stats = counted(sandbox)
    assert stats["max_in_one_second"] <= RATE + 1
    # A slot that was taken for a request is lost with its process, and so are its neighbours'.
    assert 120 - 3 * 4 <= stats["requests"] <= 120


def _kill_a_worker() -> None:
    os.kill(workers_of(os.getpid())[0], signal.SIGKILL)


def test_a_server_that_says_slower_is_obeyed_by_all(db: DatabaseManager):
    """
    Above the server's limit 429s come; the pace is halved for all, and all is fetched.
    """
    paces: list[float | None] = []
    with open_sandbox(SandboxSettings(movies=100, rate_limit=20)) as strict:
        report = fetch(
            db,
            strict.url,
            workers=2,
            rate=40.0,
            progress=lambda _row: paces.append(read_pace(db.engine)),
        )
        answers = counted(strict)["answers"]

    refused = sum(codes.get("429", 0) for codes in answers.values())
    assert 0 < refused < 60
    assert report.counts.failed == 0
    assert db.get_stats()["movies_with_details"] == 100
    assert min(pace for pace in paces if pace) < 40
