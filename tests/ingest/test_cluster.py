"""Runs on a Dask cluster of real processes, some of which are killed or not fit for work."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from database.db import DatabaseManager
from ingest.backends.base import ClusterAway, ClusterRefused
from ingest.settings import ClusterSettings
from ingest.stop import StopRequest
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.cluster.clusters import LocalCluster
from tests.support.databases import run_sql, table_contents
from tests.support.runs import counted, fetch, read_sql
from tests.support.waiting import SOON_SECONDS, soon, wait_until

#: Enough for several batches for each worker.
MOVIES = 110

# Imported by the tests only: it takes a third of a second in each process that collects them.
pytestmark = pytest.mark.skipif(not find_spec("distributed"), reason="distributed is not installed")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Start two workers; some tests kill one, or start another."""
    cluster = LocalCluster(tmp_path_factory.mktemp("cluster"))
    try:
        for number in range(2):
            cluster.start_worker(f"w{number}")
        cluster.wait_for_workers()
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Start another scheduler, which one test leaves without workers and another one kills."""
    cluster = LocalCluster(tmp_path_factory.mktemp("scheduler"))
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def slow_sandbox() -> Iterator[Sandbox]:
    """Serve movies slowly, so that there is time for something to happen during a run."""
    with open_sandbox(SandboxSettings(movies=MOVIES, latency_seconds=0.05)) as running:
        yield running


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve the same movies without latency."""
    with open_sandbox(SandboxSettings(movies=MOVIES)) as running:
        yield running


def fetch_on(cluster: LocalCluster, db: DatabaseManager, api_url: str, **options: Any) -> Any:
    """Run a fetch on *cluster* with *options*."""
    options = {"batch_size": 10, **options}
    return fetch(db, api_url, cluster=ClusterSettings(cluster.address), **options)


def read_value(db: DatabaseManager, query: str) -> Any:
    """Return the single value of *query*."""
    (value,) = read_sql(db, query)
    return value


def once(action: Callable[[], object], after: int = 30) -> Callable[[dict[str, Any]], None]:
    """Return a listener of progress that calls *action* once, after *after* movies."""
    actions = [action]

    def read(row: dict[str, Any]) -> None:
        if row["details_read"] >= after and actions:
            actions.pop()()

    return read


def test_a_run_on_a_cluster_ends_like_one_on_this_machine(
    cluster: LocalCluster, db: DatabaseManager, sandbox: Sandbox, new_database
):
    """
    The tables, the counts and the requests are the same, and no connection stays open.
    """
    report = fetch_on(cluster, db, sandbox.url)
    with DatabaseManager(new_database()) as here:
        local = fetch(here, sandbox.url)
        assert table_contents(db) == table_contents(here)

    assert (report.exit_code, report.counts, report.requests) == (0, local.counts, local.requests)
    wait_until(
        lambda: not read_value(db, "SELECT count(*) FROM pg_stat_activity "
                            "WHERE application_name LIKE 'yts-mirror worker %%' "
                            "AND datname = current_database()"),
        "a connection is left",
    )  # fmt: skip


def test_all_machines_share_one_budget(cluster: LocalCluster, db: DatabaseManager):
    """
    Two workers with four threads each together keep the rate that the server counts.
    """
    with open_sandbox(SandboxSettings(movies=60)) as api:
        report = fetch_on(cluster, db, api.url, rate=20.0, batch_size=5)
        seen = counted(api)

    assert report.counts.saved == 60
    assert seen["requests"] == report.requests
    # One at either end of a second, and what a busy machine sends late; two budgets give 40.
    assert seen["max_in_one_second"] <= 27


def test_a_worker_that_dies_costs_its_batches_only(
    cluster: LocalCluster, db: DatabaseManager, slow_sandbox: Sandbox
):
    """
    No movie is lost or stored twice, and only movies in flight are requested again.
    """
    before = counted(slow_sandbox)["requests"]
    report = fetch_on(cluster, db, slow_sandbox.url, progress=once(cluster.workers["w0"].kill))
    requests = counted(slow_sandbox)["requests"] - before

    assert report.exit_code == 0
    assert cluster.workers.pop("w0").wait() == -9
    assert read_value(db, "SELECT count(*) FROM movies WHERE details_fetched_at IS NULL") == 0
    assert read_value(db, "SELECT count(*) FROM movies") == MOVIES
    assert requests <= MOVIES + 2 * MOVIES // 50 + 2 * 10


def test_a_worker_that_joins_later_takes_work(
    cluster: LocalCluster, db: DatabaseManager, slow_sandbox: Sandbox
):
    """
    A host that joins in the middle of a run gets batches; no batch waits at a busy worker,
    which may die.
    """
    from distributed import Client

    held: list[int] = []

    def let_join() -> None:
        cluster.start_worker("late")
        cluster.wait_for_workers()

    def look(row: dict[str, Any]) -> None:
        join(row)
        if row["details_read"] > 50:
            held.extend(len(keys) for keys in client.processing().values())

    join = once(let_join, after=10)
    with Client(cluster.address, set_as_default=False) as client:
        report = fetch_on(cluster, db, slow_sandbox.url, progress=look, threads=1, batch_size=2)
    late = cluster.workers["late"]

    assert report.counts.saved == MOVIES
    assert (
        read_value(db, f"SELECT count(*) FROM fetch_workers WHERE name LIKE '%% {late.pid}'") == 1
    )
    assert len(held) > 3
    assert max(held) == 1


def test_a_stop_saves_what_is_under_way(
    cluster: LocalCluster, db: DatabaseManager, slow_sandbox: Sandbox
):
    """
    The stop reaches the workers: the run ends in seconds, and the next one continues.
    """
    stop = StopRequest()
    report = fetch_on(
        cluster, db, slow_sandbox.url, stop=stop, progress=once(stop.set), batch_size=100, threads=1
    )
    saved = read_value(db, "SELECT count(*) FROM movies WHERE details_fetched_at IS NOT NULL")
    rest = fetch_on(cluster, db, slow_sandbox.url)

    assert report.exit_code == 130
    assert report.seconds < SOON_SECONDS
    assert 30 <= saved < MOVIES
    assert (rest.exit_code, rest.counts.updated) == (0, MOVIES - saved)


def test_a_database_error_of_a_worker_is_raised_in_the_main_process(
    cluster: LocalCluster, db: DatabaseManager, slow_sandbox: Sandbox
):
    """
    As with processes of this machine, an error that no batch has caused ends the run; no
    worker's log has a password.
    """
    api_url = slow_sandbox.url.replace("//", "//zq1z:zq2z@")
    lose_table = once(lambda: run_sql(db.url, "ALTER TABLE movie_casts RENAME TO lost"))

    with pytest.raises(Exception, match="does not have the tables") as raised:
        fetch_on(cluster, db, api_url, progress=lose_table)
    run_sql(db.url, "ALTER TABLE lost RENAME TO movie_casts")

    assert type(raised.value).__name__ == "DatabaseNotReady"
    logs = [cluster.log(name) for name in cluster.workers]
    assert any("Compute Failed" in log for log in logs)
    assert not any("zq2z" in log for log in logs)
    assert read_value(db, "SELECT exit_code FROM fetch_runs ORDER BY id DESC LIMIT 1") == 5


def test_without_workers_there_is_no_run(
    scheduler: LocalCluster, db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    The run waits a short time for workers, and requests nothing from the source.
    """
    monkeypatch.setattr("ingest.backends.dask_cluster.CONNECT_SECONDS", 1.0)
    before = counted(sandbox)["requests"]

    with pytest.raises(ClusterAway, match="has no worker"):
        fetch_on(scheduler, db, sandbox.url)
    assert counted(sandbox)["requests"] == before


def test_a_run_whose_workers_are_all_gone_waits_and_then_ends(
    scheduler: LocalCluster,
    db: DatabaseManager,
    slow_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
):
    """
    The run waits for a worker, here a second instead of a minute; saved movies stay; exit code 4.
    """
    monkeypatch.setattr("ingest.backends.dask_cluster.PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr("ingest.pool.DRAIN_SECONDS", 0.1)
    only = scheduler.start_worker("only")

    with pytest.raises(ClusterAway, match="no worker was left for 1 s"):
        fetch_on(scheduler, db, slow_sandbox.url, progress=once(only.kill))
    only.wait()

    assert read_value(db, "SELECT exit_code FROM fetch_runs") == 4
    assert read_value(db, "SELECT count(details_fetched_at) FROM movies") >= 30


def test_a_dead_scheduler_ends_the_run_and_a_re_run_finishes_it(
    scheduler: LocalCluster,
    cluster: LocalCluster,
    db: DatabaseManager,
    slow_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
):
    """
    Saved movies stay; the exit code is 4, as for a scheduler that does not respond.
    """
    scheduler.start_worker("w")
    with pytest.raises(ClusterAway, match="scheduler went away"):
        fetch_on(scheduler, db, slow_sandbox.url, progress=once(scheduler.scheduler.kill))
    monkeypatch.setattr("ingest.backends.dask_cluster.CONNECT_SECONDS", 1.0)
    with pytest.raises(ClusterAway, match="no scheduler answers"):
        fetch_on(scheduler, db, slow_sandbox.url)
    saved = read_value(db, "SELECT count(*) FROM movies WHERE details_fetched_at IS NOT NULL")
    report = fetch_on(cluster, db, slow_sandbox.url)

    assert (
        read_value(db, "SELECT string_agg(exit_code::text, ' ' ORDER BY id) FROM fetch_runs")
        == "4 4 0"
    )
    assert saved >= 30
    assert (report.exit_code, report.counts.failed) == (0, 0)
    assert read_value(db, "SELECT count(*) FROM movies WHERE details_fetched_at IS NULL") == 0


@pytest.mark.parametrize(
    ("options", "environ", "message"),
    [
        ([], {"PYTHONPATH": ""}, "has not this program, but yts-mirror"),
        (["--preload", "tests.support.cluster.another_version"], {}, "has yts-mirror 99.0 "),
        ([], {"DASK_CONFIG": "/nowhere"}, "profiler is on"),
    ],
    ids=["no-program", "another-version", "profiler"],
)
def test_an_unfit_worker_is_refused_in_one_line(
    options: list[str],
    environ: dict[str, str],
    message: str,
    *,
    cluster: LocalCluster,
    db: DatabaseManager,
    sandbox: Sandbox,
):
    """
    The run ends before it requests anything from the source.
    """
    if "DASK_CONFIG" in environ and sys.version_info >= (3, 11, 9):
        pytest.skip("this Python does not freeze")
    before = counted(sandbox)["requests"]
    unfit = cluster.start_worker("unfit", *options, **environ)
    cluster.wait_for_workers()
    try:
        with pytest.raises(ClusterRefused, match=message) as raised:
            fetch_on(cluster, db, sandbox.url)
    finally:
        unfit.kill()
        unfit.wait()
        (cluster.folder / "unfit.log").unlink()
        del cluster.workers["unfit"]

    assert "\n" not in str(raised.value)
    assert counted(sandbox)["requests"] == before
    assert read_value(db, "SELECT exit_code FROM fetch_runs") == 2


@pytest.mark.parametrize("since", ["start", "later"])
def test_a_worker_that_cannot_reach_the_database_costs_only_itself(
    since: str, cluster: LocalCluster, db: DatabaseManager, slow_sandbox: Sandbox
):
    """
    The run names the worker and does without it, whether that is seen at the start or with its
    first batch, which goes to another worker.
    """
    notices: list[str] = []
    preload = ("--preload", "tests.support.cluster.out_of_reach")
    worker = cluster.start_worker("far", *preload, OUT_OF_REACH=since)
    cluster.wait_for_workers()
    try:
        report = fetch_on(cluster, db, slow_sandbox.url, notice=notices.append)
    finally:
        worker.kill()
        worker.wait()
        (cluster.folder / "far.log").unlink()
        del cluster.workers["far"]

    assert (report.exit_code, report.counts.failed) == (0, 0)
    assert db.get_stats()["movies_with_details"] == MOVIES
    (notice,) = notices
    assert "worker at tcp://" in notice
    assert "pg_hba.conf" in notice


def test_a_stop_ends_the_wait_for_a_scheduler(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    A scheduler that accepts connections and sends nothing does not delay a stop.
    """
    monkeypatch.setattr("ingest.backends.dask_cluster.CONNECT_SECONDS", 60.0)
    stop = StopRequest()
    with socket.create_server(("127.0.0.1", 0)) as silent, soon():
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        threading.Timer(0.5, stop.set).start()
        report = fetch(db, sandbox.url, cluster=ClusterSettings(address), stop=stop)

    assert report.exit_code == 130


@pytest.mark.long
def test_a_movie_that_always_kills_is_given_up_and_the_others_are_not(
    tmp_path: Path, db: DatabaseManager, sandbox: Sandbox
):
    """
    On a cluster too, the movie is found, and only its failure is recorded.
    """
    cluster = LocalCluster(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        for number in range(2):
            cluster.start_worker(
                f"w{number}", "--nanny", "--preload", "tests.support.cluster.poisoned"
            )
        report = fetch_on(cluster, db, sandbox.url, batch_size=20)
    finally:
        cluster.close()

    assert report.exit_code == 3
    assert [failure.key for failure in report.failures] == ["57"]
    assert read_value(db, "SELECT count(*) FROM movies WHERE details_fetched_at IS NULL") == 1
