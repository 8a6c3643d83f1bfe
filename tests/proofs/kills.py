"""`prove_kills`: after random kills, the same command again ends with the same tables."""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import requests

from database.embedded.server import open_embedded
from database.errors import DatabaseNotReady
from tests.proofs.stage import Stage, compare, half_movies, open_stage, say
from tests.support.processes.running import workers_of

#: Slow enough to be killed while it works.
COMMAND = ("--workers", "3", "--threads", "2", "--batch-size", "5")
#: With a limit the whole list comes first, without one details come with the list pages.
RATES = ("40", "0")
CALM = ("--rate", "0", "--workers", "1", "--threads", "8")
WEIGHTS = {"worker": 5, "fork server": 1, "main process": 3, "postgresql": 2, "network": 2}
#: Share of the runs that can be killed before their first request.
EARLY_SHARE = 0.2
#: Movies that are added each time when the mirror is complete.
NEW_MOVIES = 60
ROUNDS_TO_END = 8


def prove_kills(kills: int, movies: int, seed: int, check_every: int) -> bool:
    """Kill *kills* processes, and compare after each *check_every*; return whether all is equal."""
    started, rng, victims = time.monotonic(), random.Random(seed), Counter[str]()
    faults: list[str] = []
    say(f"{kills} kills, {movies} movies, seed {seed}")
    with open_stage(movies, "--latency", "0.02") as stage:
        killer = Killer(stage, rng, victims)
        for goal in [*range(check_every, kills, check_every), kills]:
            while victims.total() < goal:
                killer.disturb_one_run(goal)
            faults += settle(stage, is_last=goal == kills)
            if faults:
                break
        leftovers = stage.processes_left()
        faults += [f"process {pid} was left behind" for pid in leftovers] + stage.odd
    for fault in faults:
        say(f"FAULT  {fault}")
    say(
        f"{victims.total()} kills ({', '.join(f'{n} {name}' for name, n in victims.items())}), "
        f"{stage.exit_codes.total()} runs (exit codes {dict(stage.exit_codes)}), "
        f"{stage.sandbox.movies:,} movies, {time.monotonic() - started:.0f} s: "
        f"{'NOT PROVEN' if faults else 'equal tables'}"
    )
    return not faults


class Killer:
    """Kills random processes at random times."""

    def __init__(self, stage: Stage, rng: random.Random, victims: Counter[str]) -> None:
        """Kill nothing yet."""
        self._stage, self._rng, self._victims = stage, rng, victims

    def disturb_one_run(self, goal: int) -> None:
        """Start the command and kill until it ends, or *goal* is reached."""
        process = self._stage.start_fetch(*COMMAND, "--rate", self._rng.choice(RATES))
        if self._rng.random() > EARLY_SHARE:
            self._wait_for_work(process)
        while not self._has_ended(process) and self._victims.total() < goal:
            self._kill_one(process)
        if process.poll() is None:
            process.kill()
        if self._stage.take_exit(process) == 0:
            self._stage.sandbox.add(NEW_MOVIES)

    def _wait_for_work(self, process: Any) -> None:
        """Wait until the command has made a request, or has ended."""
        before = self._requests()
        while process.poll() is None and self._requests() <= before:
            time.sleep(0.05)

    def _requests(self) -> int:
        requests_made: int = self._stage.sandbox.request("GET", "stats")["requests"]
        return requests_made

    def _has_ended(self, process: Any) -> bool:
        try:
            process.wait(self._rng.uniform(0.1, 1.8))
        except Exception:  # noqa: BLE001 -- it is still running
            return False
        return True

    def _kill_one(self, process: Any) -> None:
        name = self._rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        workers, postmaster = workers_of(process.pid), postmaster_of(self._stage.home)
        if name == "worker" and workers:
            self._kill(name, self._rng.choice(workers))
        elif name == "fork server" and workers:
            self._kill(name, psutil.Process(workers[0]).ppid())
        elif name == "postgresql" and postmaster:
            self._kill(name, postmaster)
            time.sleep(self._rng.uniform(0.0, 0.5))
            with contextlib.suppress(DatabaseNotReady):  # The next command starts it then.
                open_embedded(self._stage.home).close()
        elif name == "network":
            self._kill(name, self._stage.sandbox.process.pid)
            self._stage.sandbox.process.communicate()
            time.sleep(self._rng.uniform(0.0, 0.5))
            self._stage.sandbox.start()
        elif name == "main process":
            self._kill(name, process.pid)
            process.wait()

    def _kill(self, name: str, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self._victims[name] += 1
            say(f"{self._victims.total():4}  killed {name} {pid}; {self._progress()}")

    def _progress(self) -> str:
        with contextlib.suppress(requests.RequestException):
            return f"after {self._requests()} requests, {self._stage.sandbox.movies} movies"
        return "the source is down"


def settle(stage: Stage, *, is_last: bool) -> list[str]:
    """Run the same command undisturbed until no failure is left, and compare the tables."""
    for _ in range(ROUNDS_TO_END):
        code = stage.run_fetch(*COMMAND, "--rate", RATES[0])
        with stage.open_database() as db:
            failures = stage.make_all_due(db)
            if code == 0 and not failures:
                faults = compare(stage, db, *CALM)
                return faults + (half_movies(stage, db) if is_last else [])
        say(f"   undisturbed run: exit code {code}, {failures} failures in the ledger")
        stage.run_fetch(*COMMAND, "--rate", RATES[0], "--retry-failed")
    return ["the same command, undisturbed, does not finish the work"]


def postmaster_of(home: Path) -> int | None:
    """Return the pid of the server of *home*, if it runs."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int((home / "data" / "postmaster.pid").read_text().split()[0])
        if Path(f"/proc/{pid}/comm").read_text() == "postgres\n":
            return pid
    return None
