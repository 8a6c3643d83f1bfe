"""`prove_cluster`: hosts are killed, disconnected and slowed down; the tables must be the same."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url, text

from database.db import DatabaseManager
from tests.proofs.hosts import OFFICE, Host, open_hosts
from tests.proofs.stage import Stage, compare, open_stage, say
from tests.support.cluster.clusters import LocalCluster, dask_tls, make_certificate, our_tls
from tests.support.paths import REPO

SECONDS_TO_END = 600
BATCH = 10


def prove_cluster(movies: int, rate: float) -> bool:
    """Mirror *movies* on three hosts that are disturbed; return whether no fault was found."""
    began = time.monotonic()
    with (
        open_stage(movies, "--host", "0.0.0.0", "--latency", "0.05") as stage,
        open_hosts(4) as (store, *hosts),
        _database_on(store) as url,
    ):
        faults = _run(stage, hosts, url, rate)
    for fault in faults:
        say(f"FAULT  {fault}")
    say(f"{time.monotonic() - began:.0f} s: {'NOT PROVEN' if faults else 'equal tables'}")
    return not faults


@contextlib.contextmanager
def _database_on(host: Host) -> Iterator[URL]:
    command = [*host.prefix, sys.executable, "-m", "tests.proofs.database_host", host.address]
    with subprocess.Popen(
        command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = make_url(process.stdout.readline().strip())
        say(f"PostgreSQL on {host.address}")
        try:
            yield url
        finally:
            process.stdin.close()
            process.wait()


def _run(stage: Stage, hosts: list[Host], url: URL, rate: float) -> list[str]:
    folder = stage.home.parent
    files = make_certificate(folder)
    cluster = LocalCluster(folder, host=OFFICE, tls=dask_tls(files))
    try:
        for number, host in enumerate(hosts):
            _start_worker(cluster, f"w{number}", host)
        cluster.wait_for_workers()
        say(f"three hosts at {', '.join(host.address for host in hosts)}; TLS; {rate:g} requests/s")
        fetch = _start_fetch(stage, cluster, files, url, rate)
        with DatabaseManager(url) as db:
            most_at_once = _disturb(stage, cluster, hosts, db)
            fetch.wait(SECONDS_TO_END)
            say(f"the fetch ended with exit code {fetch.returncode}")
            faults = _check(stage, db)
        if most_at_once > rate + 1:
            faults.append(f"{most_at_once} requests in one second")
        if fetch.returncode != 0:
            faults.append(f"exit code {fetch.returncode}: {(folder / 'fetch.log').read_text()}")
    finally:
        cluster.close()
    return faults


def _start_worker(cluster: LocalCluster, name: str, host: Host) -> None:
    cluster.start_worker(name, "--host", host.address, prefix=host.prefix)


def _start_fetch(
    stage: Stage, cluster: LocalCluster, files: list[str], url: URL, rate: float
) -> Any:
    api_url = stage.sandbox.url.replace("127.0.0.1", OFFICE)
    options = ["--cluster", cluster.address, *our_tls(files), "--api-url", api_url, "--no-embed"]
    options += ["--rate", f"{rate:g}", "--batch-size", str(BATCH), "--log-file", "fetch.log"]
    folder: Path = stage.home.parent
    return subprocess.Popen(
        [sys.executable, str(REPO / "fetch_yts_data.py"), "-q", *options],
        cwd=folder,
        env={**cluster.environ, "DATABASE_URL": url.render_as_string(hide_password=False)},
    )


def _disturb(stage: Stage, cluster: LocalCluster, hosts: list[Host], db: DatabaseManager) -> int:
    """
    Disturb the run after each fifth of its movies.

    Return the highest number of requests in one second before a host became slow: the requests
    of a slow host arrive late, and many at once.
    """
    killed, cut_off, slow = hosts
    disturbances: list[tuple[str, Callable[[], None]]] = [
        (f"the host at {killed.address} is killed", killed.kill_all),
        (f"the host at {cut_off.address} is cut off", cut_off.cut_off),
        (
            f"the host at {killed.address} is back",
            lambda: _start_worker(cluster, "again", killed),
        ),
        (f"the host at {slow.address} becomes slow", slow.slow_down),
    ]
    for number, (description, disturb) in enumerate(disturbances, start=1):
        goal = stage.sandbox.movies * number // 5
        while (done := _count_detailed(db)) < goal:
            time.sleep(0.1)
        most_at_once: int = stage.sandbox.request("GET", "stats")["max_in_one_second"]
        disturb()
        say(
            f"   {done:,} movies: {description}; at most {most_at_once} requests in a second so far"
        )
    return most_at_once


def _count_detailed(db: DatabaseManager) -> int:
    query = text("SELECT count(details_fetched_at) FROM movies")
    try:
        with db.get_session() as session:
            return session.scalar(query) or 0
    except Exception as error:  # noqa: BLE001 -- the tables may not be there yet
        say(f"   waiting: {type(error).__name__}")
        time.sleep(1)
        return 0


def _check(stage: Stage, db: DatabaseManager) -> list[str]:
    stats = stage.sandbox.request("GET", "stats")
    with db.get_session() as session:
        run = session.execute(text("SELECT * FROM fetch_runs")).mappings().one()
        workers = session.scalars(text("SELECT DISTINCT name FROM fetch_workers")).all()
    say(
        f"   {stats['requests']:,} requests for {stage.sandbox.movies:,} movies; "
        f"{len(workers)} workers are recorded"
    )
    faults = compare(stage, db, "--rate", "0", "--no-embed")
    pages = -(-stage.sandbox.movies // 50)
    # Two hosts were lost, each with its current batch and perhaps the next one.
    most = stage.sandbox.movies + pages + 2 * 2 * BATCH + 10
    if stats["requests"] > most:
        faults.append(f"{stats['requests']} requests, expected at most {most}")
    if run["failed"]:
        faults.append(f"{run['failed']} movies failed")
    return faults
