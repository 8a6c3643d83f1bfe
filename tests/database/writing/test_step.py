"""`save_step`: a step is saved as a whole, repeated if errors may pass, and isolates bad movies."""

import pytest
from sqlalchemy.exc import IntegrityError

from database.bookkeeping.failures import Failure
from database.bookkeeping.models import OUTCOMES
from database.bookkeeping.runs import add_to_run, start_run
from database.db import DatabaseManager
from database.errors import DatabaseAway, DatabaseNotReady
from database.step import Step, StepResult, save_step
from tests.support.data.movies import movie, payloads, read, save
from tests.support.databases import run_sql, table_contents

MOVIES = tuple(payloads([movie(number) for number in range(1, 26)]))
DETAILED = frozenset(movie.id for movie in MOVIES)


@pytest.fixture
def run_id(db: DatabaseManager) -> int:
    """Start a run, to whose counters the steps add."""
    with db.get_session() as session:
        return start_run(session, "test")


def _save(db: DatabaseManager, run_id: int | None, step: Step) -> StepResult:
    result = save_step(db, run_id, step)
    if run_id is not None:
        _check_counters(db, run_id)
    return result


def _check_counters(db: DatabaseManager, run_id: int) -> None:
    (counts,) = read(db, f"SELECT planned, {', '.join(OUTCOMES)} FROM fetch_runs WHERE id={run_id}")
    assert counts[0] == sum(counts[1:])


def _refuse(db: DatabaseManager, table: str, condition: str, action: str) -> None:
    """Create a trigger that does *action* before inserts into *table* that meet *condition*."""
    run_sql(
        db.url,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN {action}; END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()",
    )


def test_one_refused_movie_is_recorded_and_the_others_are_saved(
    db: DatabaseManager, run_id: int
) -> None:
    """The step is halved until only that movie is left; its failure is deleted when it is saved."""
    _refuse(db, "movies", "NEW.external_id = 13", "RAISE 'thirteen' USING HINT = 'never'")
    step = Step(MOVIES, detailed=DETAILED, missing=(99,), counters={"requests": 25})

    result = _save(db, run_id, step)

    assert result.outcomes == {"saved": 24, "missing": 1, "failed": 1}
    assert result.failures == (Failure("movie", "13", "save", "RaiseException", "thirteen"),)
    ledger = "SELECT kind, key, stage, error_class, message, attempts FROM fetch_failures"
    assert read(db, ledger) == [("movie", "13", "save", "RaiseException", "thirteen", 1)]
    counters = "SELECT planned, saved, missing, failed, requests FROM fetch_runs"
    assert read(db, counters) == [(26, 24, 1, 1, 25)]

    run_sql(db.url, "DROP TRIGGER refuse ON movies")
    assert _save(db, run_id, step).outcomes == {"saved": 1, "skipped": 24, "missing": 1}
    assert read(db, "SELECT count(*) FROM fetch_failures") == [0]


def test_a_refused_child_row_is_a_failure_of_its_movie(db: DatabaseManager, run_id: int) -> None:
    """Nothing of that movie is saved."""
    run_sql(db.url, "ALTER TABLE torrents ADD CHECK (hash <> '" + f"{'3A':0>40}" + "')")

    result = _save(db, run_id, Step(MOVIES[:4], detailed=DETAILED))

    assert result.outcomes == {"saved": 3, "failed": 1}
    assert result.failures[0].error_class == "CheckViolation"
    assert "Failing row" not in result.failures[0].message
    assert read(db, "SELECT external_id FROM movies ORDER BY 1") == [1, 2, 4]


def test_what_postgresql_quotes_of_a_row_is_recorded_as_a_short_safe_line(
    db: DatabaseManager, run_id: int
) -> None:
    """The message of PostgreSQL may quote a whole value of YTS, with any characters."""
    _refuse(db, "movies", "true", "RAISE 'invalid value: %', NEW.title")
    nasty = payloads([movie(1, title="q\x1b[2J\x9b31m\u202ez" + "y" * 9_000)])

    (failure,) = _save(db, run_id, Step(tuple(nasty))).failures

    assert failure.message.startswith("invalid value: q [2J31mz")
    assert failure.message.isprintable()
    assert len(failure.message) <= 500


@pytest.mark.parametrize(
    "error",
    [
        "PERFORM pg_terminate_backend(pg_backend_pid())",
        "RAISE 'deadlock' USING ERRCODE = '40P01'",
        "RAISE 'serialization' USING ERRCODE = '40001'",
        "RAISE 'timeout' USING ERRCODE = '57014'",
        "RAISE 'a lock' USING ERRCODE = '55P03'",
        "RAISE 'a slug taken a moment ago' USING ERRCODE = '23505'",
    ],
)
def test_a_step_is_repeated_after_errors_that_pass(
    db: DatabaseManager, run_id: int, error: str
) -> None:
    """The whole step is repeated, on a new connection if the old one is lost, and counted once."""
    run_sql(db.url, "CREATE SEQUENCE attempts")  # A rollback does not change it.
    _refuse(db, "movies", "NEW.external_id = 25 AND nextval('attempts') < 3", error)

    result = _save(db, run_id, Step(MOVIES, detailed=DETAILED))

    assert result == StepResult(result.outcomes, ())
    assert result.outcomes == {"saved": 25}
    assert read(db, "SELECT last_value FROM attempts") == [3]
    assert read(db, "SELECT planned FROM fetch_runs") == [25]


def test_a_lasting_unique_violation_is_a_failure_of_one_movie(
    db: DatabaseManager, run_id: int
) -> None:
    """The step is repeated, because it may be a race, but not without end; the run goes on."""
    always = "RAISE 'taken' USING ERRCODE = '23505'"
    _refuse(db, "movies", "NEW.external_id = 2", always)

    result = _save(db, run_id, Step(MOVIES[:2], detailed=DETAILED))

    assert result.outcomes == {"saved": 1, "failed": 1}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("25006", "read-only"),
        ("42501", "refuses its user a right"),
        ("42P01", "test_db_connection.py"),
        ("53100", "disk is full"),
        ("53200", "out of memory"),
        ("58030", "internal error"),
        ("XX000", "internal error"),
        ("XX001", "internal error"),
        ("0A000", "refuses its work"),
    ],
)
def test_an_error_that_would_hit_any_movie_is_no_failure_of_one(
    db: DatabaseManager, run_id: int, state: str, message: str
) -> None:
    """It is raised at once, with the message of PostgreSQL; nothing of the step is saved."""
    _refuse(db, "movies", "NEW.external_id = 2", f"RAISE 'on purpose' USING ERRCODE = '{state}'")

    with pytest.raises(
        DatabaseNotReady, match=rf"{message}.*\(on purpose\)|\(on purpose\).*{message}"
    ):
        _save(db, run_id, Step(MOVIES[:2], detailed=DETAILED))

    assert read(db, "SELECT count(*) FROM fetch_failures") == [0]
    assert read(db, "SELECT count(*) FROM movies") == [0]


@pytest.mark.parametrize("state", ["21000", "22021", "23514", "44000", "54000", "P0001"])
def test_an_error_of_one_row_is_a_failure_of_its_movie(
    db: DatabaseManager, run_id: int, state: str
) -> None:
    """The reason may be its values, its keys, its size, or a trigger."""
    _refuse(db, "movies", "NEW.external_id = 2", f"RAISE 'on purpose' USING ERRCODE = '{state}'")

    result = _save(db, run_id, Step(MOVIES[:2], detailed=DETAILED))

    assert result.outcomes == {"saved": 1, "failed": 1}
    assert result.failures[0].message == "on purpose"


@pytest.mark.parametrize("state", ["40P01", "57014", "55P03", "53300", "08006"])
def test_errors_that_do_not_pass_are_raised_in_the_end(
    db: DatabaseManager, run_id: int, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """After `PATIENCE_SECONDS` they are raised, and no movie counts as failed."""
    monkeypatch.setattr("database.connection.retry.PATIENCE_SECONDS", 0.1)
    _refuse(db, "movies", "true", f"RAISE 'on purpose' USING ERRCODE = '{state}'")

    with pytest.raises(DatabaseAway, match="on purpose"):
        _save(db, run_id, Step(MOVIES[:2], detailed=DETAILED))

    assert read(db, "SELECT count(*) FROM fetch_failures") == [0]


def test_an_error_outside_of_movies_is_raised(db: DatabaseManager, run_id: int) -> None:
    """Nothing of the step is saved."""
    _refuse(db, "missing_movies", "true", "RAISE 'no ledger'")

    with pytest.raises(DatabaseNotReady, match="no ledger"):
        save_step(db, run_id, Step(missing=(1,), counters={"requests": 1}))

    assert read(db, "SELECT planned, requests FROM fetch_runs") == [(0, 0)]


def test_success_clears_failures_and_missing(db: DatabaseManager, run_id: int) -> None:
    """A saved movie is neither failed nor missing; a missing one has not failed."""
    failures = tuple(
        Failure(kind, key, "fetch", "YtsUnavailable", "no answer")
        for kind, key in (("movie", "1"), ("movie", "2"), ("movie", "77"), ("page", "1"))
    )
    _save(db, run_id, Step(failures=failures, missing=(1,)))

    _save(db, run_id, Step(MOVIES[:1], detailed=DETAILED, missing=(2,), pages_read=("1",)))

    assert read(db, "SELECT kind, key FROM fetch_failures") == [("movie", "77")]
    assert read(db, "SELECT external_id FROM missing_movies") == [2]


def test_outcomes_always_add_up_to_what_was_planned(db: DatabaseManager, run_id: int) -> None:
    """A check constraint refuses counters that do not add up."""
    _save(db, run_id, Step(MOVIES[:3], detailed=DETAILED, skipped=4, missing=(8, 9)))
    _save(db, run_id, Step(MOVIES[:5], detailed=DETAILED, update=True))

    assert read(db, "SELECT planned, saved, unchanged, skipped, missing FROM fetch_runs") == [
        (14, 5, 3, 4, 2)
    ]
    with pytest.raises(IntegrityError, match="outcomes_add_up"), db.get_session() as session:
        add_to_run(session, run_id, {"saved": 1})


def test_a_step_repeated_equals_one(db: DatabaseManager) -> None:
    """A worker that is killed between saving and reporting does no harm: its step is repeated."""
    step = Step(MOVIES, detailed=DETAILED, missing=(99,))
    _save(db, None, step)
    once = table_contents(db)

    assert _save(db, None, step).outcomes == {"skipped": 25, "missing": 1}

    assert table_contents(db) == once


def test_a_session_that_raises_leaves_nothing(db: DatabaseManager) -> None:
    """Movies and their links are saved in one transaction."""
    save(db, movie(1))
    before = table_contents(db)
    run_sql(db.url, "ALTER TABLE torrents ADD CHECK (hash <> '" + f"{'2A':0>40}" + "')")

    with pytest.raises(IntegrityError):
        save(db, movie(1, title="Other"), movie(2), update=True)

    assert table_contents(db) == before
