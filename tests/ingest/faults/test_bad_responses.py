"""Malformed movies and responses: other movies are stored, and the ledger has the reasons."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import requests

from database.db import DatabaseManager
from ingest.ids import parse_ids
from ingest.stop import StopRequest
from sandbox.api.sandbox_server import Sandbox
from sandbox.catalogue.corruptions import CORRUPTIONS, INTACT
from tests.support.data.movies import read
from tests.support.databases import table_contents
from tests.support.first_runs import fetch_first
from tests.support.runs import FEW_MOVIES, counted, fetch, impatient_client

#: A movie on the second page.
BAD = 16
#: Corruptions with which a movie is still stored.
STORABLE = {"nul", "surrogates", "null-title", "many-torrents"}
#: Faults that come with HTTP 200 and without a response of YTS.
NOT_YTS = ["cloudflare-200", "truncated", "bad-json", "wrong-shape", "status-error"]
HOW = sorted(CORRUPTIONS.keys() - {INTACT})
LEDGER = "SELECT kind, key, stage, error_class FROM fetch_failures ORDER BY 1, 2"


def mostly_long(names: Iterable[str], kept: set[str]) -> list[Any]:
    """Return *names* as parameters of a test; those that are not *kept* are for `-m long`."""
    return [pytest.param(name, marks=[] if name in kept else [pytest.mark.long]) for name in names]


def order(sandbox: Sandbox, command: str, **request: Any) -> None:
    """Send a command to the control interface of the sandbox."""
    url = f"{sandbox.root}/sandbox/{command}"
    requests.post(url, timeout=30, **request).raise_for_status()


@pytest.mark.parametrize("how", mostly_long(HOW, {"huge", "surrogates", "wrong-types"}))
def test_one_bad_movie_costs_no_other(db: DatabaseManager, short_sandbox: Sandbox, how: str):
    """
    A bad movie on a list page is stored, or recorded in the ledger; the sweep is complete and
    all other movies have their details. Once it is intact again, the next runs fetch it.
    """
    order(short_sandbox, "corrupt", params={"ids": BAD, "how": how})
    report = fetch(db, short_sandbox.url)

    is_storable = how in STORABLE
    ids = read(db, "SELECT external_id FROM movies WHERE details_fetched_at IS NOT NULL")
    assert len(ids) == FEW_MOVIES - (not is_storable)
    assert (BAD in ids) == is_storable
    assert report.exit_code == (0 if is_storable else 3)
    if not is_storable:
        # A movie that could not be read at all has no id, only a position.
        is_read = how != "huge"
        (failure,) = read(db, LEDGER)
        assert failure[:2] == (("movie", str(BAD)) if is_read else ("page", "2"))
        assert failure[2:] == ("parse", "MalformedMovie" if is_read else "ResponseTooLarge")

    order(short_sandbox, "corrupt", params={"ids": BAD, "how": "intact"})
    assert fetch(db, short_sandbox.url, full=True, update=True).exit_code == 0
    assert fetch(db, short_sandbox.url).exit_code == 0
    assert db.get_stats()["movies_with_details"] == FEW_MOVIES
    assert read(db, LEDGER) == []


@pytest.mark.parametrize("how", mostly_long(HOW, {"surrogates", "wrong-types"}))
def test_one_bad_details_response_costs_no_other(
    db: DatabaseManager, short_sandbox: Sandbox, how: str
):
    """The movie keeps what the list gave; it is not missing, and not requested again at once."""
    fetch_first(db, short_sandbox, details=False)
    listed = table_contents(db)["movies"]
    order(short_sandbox, "corrupt", params={"ids": BAD, "how": how})
    report = fetch(db, short_sandbox.url, ids=parse_ids("12-24"))

    is_storable = how in STORABLE
    failed = [] if is_storable else [("movie", str(BAD), "parse")]
    assert [row[:3] for row in read(db, LEDGER)] == failed
    assert report.counts.failed == len(failed)
    assert str(BAD) not in read(db, "SELECT external_id::text FROM missing_movies")
    if not is_storable:
        kept = [row for row in listed if row[0] == BAD]
        assert [row for row in table_contents(db)["movies"] if row[0] == BAD] == kept
    requests_made = fetch(db, short_sandbox.url).requests
    assert requests_made <= FEW_MOVIES - 10 + 2


def spoil_stage(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, stage: str, fault: str) -> None:
    """Switch *fault* on for all responses when the run begins *stage*, a function of `fetch`."""
    module = __import__("ingest.fetch", fromlist=[stage])
    begin: Callable[..., Any] = getattr(module, stage)

    def begin_badly(*arguments: Any) -> Any:
        order(sandbox, "faults", json={fault: 1.0})
        return begin(*arguments)

    monkeypatch.setattr(module, stage, begin_badly)


PAGE_FAULTS = [(fault, full) for fault in [*NOT_YTS, "no-movies"] for full in (False, True)]
QUICK_PAGE_FAULTS = {
    ("bad-json", False), ("no-movies", False), ("status-error", True),
}  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "full"),
    [
        pytest.param(*case, marks=[] if case in QUICK_PAGE_FAULTS else [pytest.mark.long])
        for case in PAGE_FAULTS
    ],
)
def test_pages_that_are_not_responses_of_yts_leave_no_trace(
    db: DatabaseManager,
    short_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    full: bool,
):
    """
    Nothing of the pages is stored, no movie is missing, and the watermark stays where it was;
    the ledger has each page and its reason. The next run without faults stores all.
    """
    impatient_client(monkeypatch, attempts=2, backoff_seconds=0.01)
    fetch_first(db, short_sandbox, details=False)
    before = table_contents(db)
    state = "SELECT watermark_movie_id FROM sync_state"
    (watermark,) = read(db, state)
    order(short_sandbox, "add", params={"count": 30})
    with monkeypatch.context() as patch:
        spoil_stage(patch, short_sandbox, "read_list", fault)
        report = fetch(db, short_sandbox.url, details=False, full=full)

    assert report.exit_code in {3, 4}
    assert not report.is_sweep_complete
    assert report.counts.saved == 0
    assert table_contents(db)["movies"][:FEW_MOVIES] == before["movies"]
    assert read(db, state) == [watermark]
    assert read(db, "SELECT count(*) FROM missing_movies") == [0]
    failures = read(db, LEDGER)
    assert failures
    assert {(kind, stage) for kind, _, stage, _ in failures} == {("page", "fetch")}
    assert {error for *_, error in failures} <= {"YtsUnavailable", "NotYts", "ShortPage"}
    assert all(read(db, "SELECT length(message) > 10 FROM fetch_failures"))

    order(short_sandbox, "faults", json={})
    assert fetch(db, short_sandbox.url, details=False).is_sweep_complete
    assert db.get_stats()["total_movies"] == FEW_MOVIES + 30
    assert read(db, LEDGER) == []


@pytest.mark.parametrize(
    "fault", mostly_long([*NOT_YTS, "other-movie"], {"cloudflare-200", "truncated", "other-movie"})
)
def test_details_that_are_not_responses_of_yts_leave_no_trace(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: str
):
    """What the list gave stays as it is, no movie is missing, and the run ends soon."""
    impatient_client(monkeypatch, attempts=2, backoff_seconds=0.01)
    fetch_first(db, short_sandbox, details=False)
    before = table_contents(db)
    (watermark,) = read(db, "SELECT watermark_movie_id FROM sync_state")
    with monkeypatch.context() as patch:
        spoil_stage(patch, short_sandbox, "read_details", fault)
        report = fetch(db, short_sandbox.url)

    assert report.exit_code == 4
    assert table_contents(db) == before
    assert before["missing"] == []
    assert read(db, "SELECT watermark_movie_id FROM sync_state") == [watermark]
    failures = read(db, LEDGER)
    assert 5 <= len(failures) == report.counts.failed < 20
    assert {(kind, stage) for kind, _, stage, _ in failures} == {("movie", "fetch")}
    assert {error for *_, error in failures} <= {"YtsUnavailable", "NotYts"}


@pytest.mark.parametrize("workers", [1, 2])
def test_requests_whose_responses_come_too_late_are_counted(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, workers: int
):
    """The run also counts requests whose responses come after its end, and its first request."""
    stop = StopRequest()

    def stop_soon(_row: dict[str, Any]) -> None:
        if counted(short_sandbox)["faults"]:
            stop.set()

    spoil_stage(monkeypatch, short_sandbox, "read_ids", "500")
    report = fetch(
        db, short_sandbox.url, ids=parse_ids("1-60"), workers=workers, stop=stop, progress=stop_soon
    )

    assert report.exit_code == 130
    assert report.requests == counted(short_sandbox)["requests"] > 1
