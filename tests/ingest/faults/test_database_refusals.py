"""A fetch whose database responds, but refuses statements."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers.faulty_database import Mirror

#: Deadlock, serialization failure, cancelled by a timeout or by hand, lock not available,
#: too many connections, shutting down.
PASSING = ("40P01", "40001", "57014", "55P03", "53300", "57P01")
#: Options of runs in which it does not matter where a worker runs.
ONE_WORKER = ("--workers", "1", "--threads", "4")


def refuse(mirror: Mirror, state: str, condition: str = "true", table: str = "movie_casts") -> None:
    """Have PostgreSQL raise *state* at each write to *table* that meets *condition*."""
    mirror.order(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN RAISE 'on purpose' USING ERRCODE = {state}; END IF; "
        "RETURN NULL; END $$",
        f"CREATE TRIGGER refuse AFTER INSERT ON {table} FOR EACH STATEMENT "
        "EXECUTE FUNCTION refuse()",
    )


def test_what_passes_by_itself_is_repeated(mirror: Mirror) -> None:
    """
    Each error comes twice; no failure is recorded for a movie, and none is half stored.
    """
    states = ", ".join(f"'{state}'" for state in PASSING)
    attempts = 4 * len(PASSING)  # every other one fails
    # No rollback takes the numbers of a sequence back.
    mirror.order("CREATE SEQUENCE attempts", "GRANT USAGE ON attempts TO mirror")
    state = f"(ARRAY[{states}])[1 + currval('attempts') / 2 % {len(PASSING)}]"
    refuse(mirror, state, f"nextval('attempts') <= {attempts} AND currval('attempts') % 2 = 0")

    done = mirror.run("--batch-size", "3", *ONE_WORKER)

    assert done.returncode == 0, done.stderr
    assert mirror.ask(f"SELECT last_value > {attempts} FROM attempts") == [True]
    mirror.check_whole()


@pytest.mark.long
def test_a_database_whose_disk_is_full_is_exit_5(mirror: Mirror) -> None:
    """
    The ledger stays empty, because no movie is the cause; the next run does the rest.
    """
    process = mirror.start()
    refuse(mirror, "'53100'")
    done = mirror.finish(process)
    mirror.order("DROP TRIGGER refuse ON movie_casts")

    assert done.returncode == 5, done.stderr
    assert "has no space left: its disk is full (on purpose). Free some space there" in done.stderr
    assert "run the same command again" in done.stderr
    assert mirror.ask("SELECT exit_code FROM fetch_runs WHERE id > 1") == [5]
    mirror.check_repaired()


@pytest.fixture
def small_disk(mirror: Mirror) -> Iterator[Path]:
    """Mount a disk of 1 MB for PostgreSQL."""
    (data,) = mirror.ask("SHOW data_directory")
    disk = Path(data).with_name("disk")
    disk.mkdir(exist_ok=True)
    options = f"size=1m,uid={Path(data).stat().st_uid}"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("only root may mount, and not in every container")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_disk_that_is_really_full_is_exit_5(mirror: Mirror, small_disk: Path) -> None:
    """
    The message is the one for the SQLSTATE; once there is space, the next run does the rest.
    """
    mirror.order(
        f"CREATE TABLESPACE small LOCATION '{small_disk}'",
        *(f"ALTER TABLE {table} SET TABLESPACE small" for table in ("casts", "movie_casts")),
    )
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free))
    try:
        done = mirror.run(*ONE_WORKER)
        ballast.unlink()

        assert done.returncode == 5, done.stderr
        assert "its disk is full (could not" in done.stderr
        mirror.check_repaired()
    finally:
        mirror.drop("DROP TABLESPACE small")


def test_a_database_that_turns_read_only_is_exit_5(mirror: Mirror) -> None:
    """
    The run ends at once, because waiting does not help; its row cannot be closed.
    """
    process = mirror.start(*ONE_WORKER)
    mirror.order("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    try:
        done = mirror.finish(process, within_seconds=10)
    finally:
        mirror.order("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")

    assert done.returncode == 5, done.stderr
    assert "takes no writes: it is read-only" in done.stderr
    mirror.check_repaired()


def test_a_right_that_is_taken_away_is_exit_5(mirror: Mirror) -> None:
    """
    The message names the missing right, and no traceback is shown.
    """
    process = mirror.start()
    mirror.order("REVOKE INSERT ON torrents FROM mirror")
    done = mirror.finish(process)
    mirror.order("GRANT INSERT ON torrents TO mirror")

    assert done.returncode == 5, done.stderr
    assert "refuses its user a right (permission denied for table torrents)" in done.stderr
    mirror.check_repaired()


def test_tables_that_are_dropped_in_mid_run_are_exit_5(mirror: Mirror) -> None:
    """
    Not even the run's own row is there any more.
    """
    process = mirror.start(*ONE_WORKER)
    mirror.insist("DROP SCHEMA public CASCADE")
    done = mirror.finish(process)

    assert done.returncode == 5, done.stderr
    assert "See what is wrong with: python test_db_connection.py" in done.stderr
