"""`prove_nights`: a month of cron jobs, while the catalogue changes and the source has faults."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import DateTime, text

from database.bookkeeping.models import FetchRun
from database.db import DatabaseManager
from database.models import Base
from database.schema import ensure_schema
from database.writing.slugs import unique_slugs
from tests.proofs.restless_source import RestlessSource
from tests.proofs.stage import SECONDS_TO_END, Commands, compare, make_home, say
from tests.support.paths import REPO
from tests.support.processes.commands import environment
from tests.support.processes.running import workers_of
from tests.support.servers.scripted_source import open_scripted_source

#: As fast as the machine allows; a stalled response takes longer than the timeout.
OPTIONS = ("-q", "--rate", "0", "--workers", "2", "--timeout", "1s")
PLAIN: tuple[str, ...] = ()
RETRY = ("--retry-failed",)
UPDATE = ("--update", "--no-details", "--wait-lock", "2h")
#: Time from the end of the jobs at night to the check by the monitor, and on to the next night.
UNTIL_MORNING, UNTIL_NIGHT = timedelta(hours=5), timedelta(hours=19)
#: Average number of changes in a night.
CHANGES_PER_NIGHT = 10
#: Share of the commands that are killed.
KILLED_SHARE = 0.2
#: Highest number of movies that lose their ids between two complete readings of the list.
MOST_REMOVALS = 15
#: The longest pause to which a month of wrong denials leads.
LONGEST_PAUSE = timedelta(days=61)


class Nightly(Commands):
    """Commands on a source with all kinds of faults."""

    ends = frozenset({0, 3, 4, 6, 7, 143})


def prove_nights(nights: int, movies: int, seed: int) -> bool:
    """Simulate *nights*, with *movies* at first; return whether no fault was found."""
    began = time.monotonic()
    say(f"{nights} nights, {movies} movies, seed {seed}")
    with make_home() as home, open_scripted_source(movies) as source:
        commands = Nightly(home, source.url)
        with commands.open_database() as db:
            ensure_schema(db.engine)
            month = Month(commands, db, RestlessSource(source, random.Random(seed)), seed)
            for night in range(1, nights + 1):
                month.spend_night(night)
            month.settle()
        leftovers = [f"process {pid} was left behind" for pid in commands.processes_left()]
        faults = month.faults + commands.odd + leftovers
        changes = month.restless.changes_made
    for fault in faults:
        say(f"FAULT  {fault}")
    outcome = f"NOT PROVEN, seed {seed}" if faults else "equal tables"
    say(
        f"{nights} nights, {changes} changes, {commands.exit_codes.total()} runs (exit codes "
        f"{dict(commands.exit_codes)}), {time.monotonic() - began:.0f} s: {outcome}"
    )
    return not faults


class Month:
    """Runs the jobs of docs/operations.md, and compares their reports with the source."""

    def __init__(
        self, commands: Commands, db: DatabaseManager, restless: RestlessSource, seed: int
    ) -> None:
        """Begin with an empty mirror."""
        self.faults: list[str] = []
        self.restless = restless
        self._commands, self._db, self._source = commands, db, restless.source
        # Not the generator of the source, which requests of several threads use.
        self._rng = random.Random(f"{seed} of the nights")
        self._calm_nights = 0
        self._is_complete = False
        #: Movies that the source has denied since it last showed them.
        self._denied: set[int] = set()
        #: Movies that no page named when the last run began.
        self._hidden: set[int] = set()

    def spend_night(self, night: int) -> None:
        """Change the catalogue and the faults, run the jobs, and check the monitor afterwards."""
        rng, restless = self._rng, self.restless
        restless.removals_left = MOST_REMOVALS - len(self._present() - set(self._source.ids))
        left = max(0, night * CHANGES_PER_NIGHT - restless.changes_made)
        meanwhile = rng.randint(0, left)
        restless.change(left - meanwhile)
        descriptions = restless.spoil()
        is_calm = not descriptions
        until = None if rng.random() < 0.5 else rng.randint(2, 60)
        if until and descriptions:
            descriptions.append(f"until request {until}")
        faults = "; ".join(descriptions) or "a source without faults"
        say(f"night {night}: {left - meanwhile} changes, {faults}")
        self._is_complete = False
        jobs = [PLAIN, RETRY, *([UPDATE] if night % 7 == 0 else [])]
        for options in jobs:
            count = 0 if is_calm else rng.randint(0, meanwhile)
            restless.begin_run(count, until)
            killed = None if is_calm or rng.random() > KILLED_SHARE else rng.randint(1, 20)
            self._run(options, changes=count, killed_at=killed)
            meanwhile -= count
        restless.remove_faults()
        self._calm_nights = self._calm_nights + 1 if is_calm else 0
        if self._calm_nights > 1 and not self._is_complete:
            self._find_fault(
                "the second night in a row without faults did not make the mirror complete"
            )
        self._let_pass(UNTIL_MORNING)
        self._look()
        self._let_pass(UNTIL_NIGHT)

    def settle(self) -> None:
        """Check that two ordinary runs, with a weekly update between them, repair the mirror."""
        self._let_pass(LONGEST_PAUSE)
        say("the source has no faults from now on, and nothing changes")
        for options in (PLAIN, UPDATE, PLAIN):
            self.restless.begin_run(0, None)
            code = self._run(options)
            self._let_pass(UNTIL_MORNING)
        if code or not self._is_complete:
            self._find_fault(f"the last run ended with exit code {code}")
        if failures := self._db.get_stats()["total_failures"]:
            self._find_fault(f"{failures} failures are left")
        truth, stored = set(self._source.ids), self._ids("SELECT external_id FROM movies")
        self._compare_ids("movies that are stored and not gone", self._present(), truth)
        ghosts = set(range(1, max(stored) + 1)) - truth
        missing = self._ids("SELECT external_id FROM missing_movies")
        self._compare_ids("ids on record as missing", missing, ghosts)
        self.restless.begin_run(0, None)
        self._release_slugs()
        self.faults += compare(self._commands, self._db, *OPTIONS, without=ghosts)

    def _release_slugs(self) -> None:
        """
        Check all slugs, and give present movies the slugs that gone movies keep.

        A mirror made from scratch does not have the gone movies, which keep their slugs here.
        """
        query = "SELECT external_id, slug, yts_slug, gone_since IS NULL FROM movies"
        with self._db.get_session() as session:
            rows = session.execute(text(query)).all()
        yts_slugs = {id_: yts_slug for id_, _, yts_slug, _ in rows}
        if unique_slugs(yts_slugs) != {id_: slug for id_, slug, _, _ in rows}:
            self._find_fault("slugs do not follow from the movies")
        present = unique_slugs(
            {id_: yts_slug for id_, _, yts_slug, is_present in rows if is_present}
        )
        with self._db.get_session() as session:
            session.execute(text("UPDATE movies SET slug = NULL"))
            assign = text("UPDATE movies SET slug = :slug WHERE external_id = :id")
            session.execute(assign, [{"id": id_, "slug": slug} for id_, slug in present.items()])

    def _compare_ids(self, name: str, ours: set[int], truth: set[int]) -> None:
        if ours != truth:
            self._find_fault(
                f"{name}: {sorted(ours - truth)} too many, {sorted(truth - ours)} lack"
            )

    def _run(self, options: tuple[str, ...], changes: int = 0, killed_at: int | None = None) -> int:
        """Run a command, and compare what it reports with what the source has."""
        before, self._hidden = set(self._source.ids), set(self._source.hidden)
        waiting = self._ids("SELECT external_id FROM missing_movies WHERE ask_again_at > now()")
        process = self._commands.start_fetch(*OPTIONS, *options)
        killed = self._kill(process, killed_at)
        code = self._commands.take_exit(process)
        with self._source.lock:
            lasting = before & set(self._source.ids)
            shown, denials = set(self._source.shown), set(self._source.denials)
        self._denied = (self._denied | denials) - (shown - denials)
        is_complete = self._reports_complete()
        stored = self._ids("SELECT external_id FROM movies")
        say(
            f"   {' '.join(options[:1]) or 'plain'}: exit code {code}"
            f"{', complete' if is_complete else ''}; {len(self._source.requests)} requests, "
            f"{changes} changes meanwhile{killed}; {len(stored)} stored"
        )
        if is_complete != (code == 0) and options != RETRY and not (is_complete and code == 3):
            self._find_fault(f"exit code {code}, complete: {is_complete}")
        if is_complete:
            self._is_complete = True
            missed = lasting - stored
            if options == UPDATE:  # It requests nothing by its id.
                missed = missed if not changes else missed & shown
            if missed := {id_ for id_ in missed if not self._is_excused(id_, stored, waiting)}:
                self._find_fault(f"complete without {sorted(missed)}")
        gone = self._ids("SELECT external_id FROM movies WHERE gone_since IS NOT NULL")
        if wrong := gone & lasting - self._denied:
            self._find_fault(f"marked as gone, and never denied: {sorted(wrong)}")
        return code

    def _is_excused(self, movie_id: int, stored: set[int], waiting: set[int]) -> bool:
        """Return whether the source has hidden a movie, so that the run cannot know it."""
        source = self._source
        if movie_id in source.shown:
            return False
        if movie_id in self._denied:
            return movie_id in source.denials or movie_id in waiting
        # Ids above all known ones are not requested.
        is_above = movie_id > max(stored)
        return is_above and (movie_id in self._hidden or movie_id in self.restless.renumbered)

    def _kill(self, process: Any, at_request: int | None) -> str:
        """Wait for the end of *process*; at a certain request, kill it or one of its workers."""
        deadline, killed = time.monotonic() + SECONDS_TO_END, ""
        while process.poll() is None and time.monotonic() < deadline:
            if at_request is not None and len(self._source.requests) >= at_request and not killed:
                workers = workers_of(process.pid)
                victims = [("SIGKILL", process.pid), ("SIGTERM", process.pid)]
                victims += [("SIGKILL", pid) for pid in workers]
                name, pid = self._rng.choice(victims)
                os.kill(pid, getattr(signal, name))
                killed = f", {name} to {'it' if pid == process.pid else 'a worker'}"
            time.sleep(0.01)
        if process.poll() is None:
            self._find_fault("the run does not end")
            process.kill()
        return killed

    def _look(self) -> None:
        """Check that the monitor reports whether a run of this night was complete."""
        database = self._db.url.render_as_string(hide_password=False)
        monitor = subprocess.run(
            [sys.executable, "monitor_progress.py", "--max-age", "26h"],
            cwd=REPO,
            env=environment(DATABASE_URL=database),
            capture_output=True,
            text=True,
            check=False,
        )
        if monitor.returncode != (0 if self._is_complete else 8):
            self._find_fault(f"the monitor ended with {monitor.returncode}: {monitor.stderr}")

    def _let_pass(self, time_span: timedelta) -> None:
        """Simulate that *time_span* passes: make every time in the database older."""
        self._db.engine.dispose()
        for table in Base.metadata.sorted_tables:
            names = [
                column.name
                for column in table.c
                if isinstance(column.type, DateTime) and column.name != "date_uploaded"
            ]
            if names:
                older = ", ".join(f"{name} = {name} - :time" for name in names)
                with self._db.get_session() as session:
                    session.execute(text(f"UPDATE {table.name} SET {older}"), {"time": time_span})

    def _reports_complete(self) -> bool:
        with self._db.get_session() as session:
            run = session.query(FetchRun).order_by(FetchRun.id.desc()).first()
            return run is not None and run.is_complete

    def _present(self) -> set[int]:
        return self._ids("SELECT external_id FROM movies WHERE gone_since IS NULL")

    def _ids(self, query: str) -> set[int]:
        with self._db.get_session() as session:
            return set(session.scalars(text(query)))

    def _find_fault(self, message: str) -> None:
        say(f"   FAULT: {message}")
        self.faults.append(message)
