"""A run is complete only on evidence: with any fault of the list, it stores all or reports it."""

import pytest

from database.db import DatabaseManager
from ingest.report import RunReport
from tests.support.databases import run_sql
from tests.support.first_runs import fetch_first
from tests.support.runs import ROWS, fetch, is_whole, read_sql, refuse
from tests.support.servers.scripted_source import ScriptedSource, open_scripted_source

STORED = "SELECT external_id FROM movies ORDER BY 1"
LEDGER = "SELECT kind, key, error_class FROM fetch_failures ORDER BY 1, 2"
LONG = pytest.mark.long


def mirror(db: DatabaseManager, source: ScriptedSource, **options: object) -> RunReport:
    """
    Run a fetch of the list with *options*; by default without details.

    One thread requests the pages one after the other, as the events of *source* expect.
    """
    return fetch(db, source.url, **{"details": False, "threads": 1, **options})


def mirror_first(db: DatabaseManager, source: ScriptedSource, **options: object) -> None:
    """Run the same fetch, first of all, or copy its tables."""
    fetch_first(db, source, **{"details": False, **options})


def test_a_short_page_in_the_middle_is_asked_again(db: DatabaseManager, source: ScriptedSource):
    """A page that has fewer rows than it should in one response costs no movie."""
    source.hold(3 * ROWS)
    mirror_first(db, source)
    source.hold(6 * ROWS)
    source.shortened = {5: 4}
    source.before_page = lambda query: (
        source.requests[:-1].count(("list_movies.json", query)) and source.shortened.clear()
    )

    assert is_whole(db, source, mirror(db, source))


def test_a_page_that_stays_short_is_recorded_and_holds_the_sweep(
    db: DatabaseManager, source: ScriptedSource
):
    """The run reports that it is not complete; the next run is, once the page has all its rows."""
    source.hold(7 * ROWS)
    source.shortened = {3: 4}

    report = mirror(db, source)

    assert (report.exit_code, report.is_complete) == (3, False)
    assert read_sql(db, LEDGER) == [("page", "3", "ShortPage")]
    assert read_sql(db, "SELECT next_page FROM sync_state") == [3]
    assert len(read_sql(db, STORED)) == 7 * ROWS - 6
    source.shortened = {}
    assert is_whole(db, source, mirror(db, source))
    assert read_sql(db, LEDGER) == []


@pytest.mark.parametrize(
    ("rows", "says_limit"),
    [
        (4, True),
        (1, False),
        pytest.param(4, False, marks=LONG),
        pytest.param(3, True, marks=LONG),
        pytest.param(3, False, marks=LONG),
        pytest.param(1, True, marks=LONG),
    ],
)
def test_a_smaller_page_size_is_adopted(
    db: DatabaseManager, source: ScriptedSource, rows: int, says_limit: bool
):
    """A source may give fewer rows a page than requested, and even state the requested number."""
    source.hold(9)
    source.most_rows, source.says_limit = rows, says_limit

    assert is_whole(db, source, mirror(db, source))
    source.hold(12)
    assert is_whole(db, source, mirror(db, source))
    source.most_rows = 50
    source.hold(24)
    assert is_whole(db, source, mirror(db, source))


@pytest.mark.parametrize(
    ("movies", "fault", "says_page"),
    [
        (50, "ignores_page", True),
        (14, "clamps_page", False),
        pytest.param(50, "ignores_page", False, marks=LONG),
        pytest.param(14, "clamps_page", True, marks=LONG),
    ],
)
def test_paging_that_does_not_work_ends_the_run_soon(
    db: DatabaseManager, source: ScriptedSource, movies: int, fault: str, says_page: bool
):
    """The source gives the first page for every number, or the last one past the end: exit 4."""
    source.hold(movies)
    setattr(source, fault, True)
    source.says_page = says_page

    report = mirror(db, source)

    assert (report.exit_code, report.is_complete) == (4, False)
    assert "paging does not work" in str(report.ended_early)
    assert source.count_requests("list") <= 10


@pytest.mark.parametrize(
    ("movies", "page"), [*(pytest.param(movies, 5, marks=LONG) for movies in (49, 50)), (52, 6)]
)
def test_rows_of_an_old_page_at_the_end_hide_no_new_movies(
    db: DatabaseManager, source: ScriptedSource, movies: int, page: int
):
    """A last page with the rows of a page that an earlier run read does not end the list."""
    source.hold(46)
    mirror_first(db, source)
    source.hold(movies)
    source.repeated, source.says_page = {page: 2}, False

    report = mirror(db, source)

    assert (report.exit_code, report.is_complete) == (3, False)
    source.repeated = {}
    assert is_whole(db, source, mirror(db, source))


def test_a_movie_that_is_added_while_the_end_is_confirmed_comes_too(
    db: DatabaseManager, source: ScriptedSource
):
    """The end of the list is read again, because the list has grown since."""
    source.hold(26)

    def add(query: dict[str, str]) -> None:
        if query["order_by"] == "desc":
            source.before_page = lambda _query: None
            source.hold(27)

    source.before_page = add

    assert is_whole(db, source, mirror(db, source))


@pytest.mark.parametrize(
    "wrong_by", [-15, 200, *(pytest.param(number, marks=LONG) for number in (-1, 1, 10))]
)
def test_the_count_is_an_estimate_in_both_directions(
    db: DatabaseManager, source: ScriptedSource, wrong_by: int
):
    """However wrong the count is, the first run and the next one are complete."""
    source.hold(30)
    source.count = lambda true: true + wrong_by

    assert is_whole(db, source, mirror(db, source, details=True))
    source.hold(35)
    assert is_whole(db, source, mirror(db, source, details=True))


def test_a_count_that_alternates_does_not_hold_the_sweep(
    db: DatabaseManager, source: ScriptedSource
):
    """Rows that came equally twice have not moved, whatever two caches count."""
    source.count = lambda true: true - len(source.requests) % 2

    for movies in (29, 32, 33):
        source.hold(movies)
        report = mirror(db, source)
        assert is_whole(db, source, report)
        assert report.requests <= 4 * 4


def test_a_movie_that_moved_to_the_end_hides_no_other(db: DatabaseManager, source: ScriptedSource):
    """The count stays equal; that the movie comes twice shows that rows have moved."""
    source.hold(8 * ROWS)

    def move(query: dict[str, str]) -> None:
        if query["page"] == "5" and 2 in source.ids[:4]:
            source.ids.remove(2)
            source.ids.append(2)

    source.before_page = move

    assert is_whole(db, source, mirror(db, source))


def test_removals_in_every_reading_hide_nothing(db: DatabaseManager, source: ScriptedSource):
    """Rows that moved again in the second reading are read once more."""
    source.hold(8 * ROWS)
    removed = iter([1, 2, 3])

    def remove(query: dict[str, str]) -> None:
        if query["page"] == "6" and (id_ := next(removed, None)):
            source.ids.remove(id_)

    source.before_page = remove
    report = mirror(db, source)

    assert report.is_complete
    assert set(read_sql(db, STORED)) >= set(source.ids)


def test_a_list_that_keeps_changing_is_reported(db: DatabaseManager, source: ScriptedSource):
    """After its last reading the run ends with work left; the next run reads that part again."""
    source.hold(8 * ROWS)

    def remove(query: dict[str, str]) -> None:
        if query["page"] == "6":
            source.ids.remove(source.ids[0])

    source.before_page = remove
    report = mirror(db, source)

    assert (report.exit_code, report.is_complete) == (7, False)
    assert "kept changing" in str(report.work_left)
    source.before_page = lambda _query: None
    assert mirror(db, source).is_complete
    assert set(read_sql(db, STORED)) >= set(source.ids)


def test_what_the_list_hides_is_found_by_its_ids(db: DatabaseManager, source: ScriptedSource):
    """The audit does not depend on paging, and finds movies that no list page names."""
    source.hold(60)
    source.hidden = {17, 18, 51}

    report = mirror(db, source, details=True, audit=500)

    assert is_whole(db, source, report)
    assert report.found_by_audit == 3
    assert read_sql(db, "SELECT count(*) FROM movies WHERE summary IS NULL") == [0]


def test_a_mirror_is_complete_only_after_all_parts_of_its_audit(
    db: DatabaseManager, source: ScriptedSource
):
    """While ids were never requested the mirror is not complete; they are requested first."""
    source.hold(60)
    gaps = set(range(20, 32))
    source.ids = [id_ for id_ in source.ids if id_ not in gaps]

    codes = [mirror(db, source, details=True, audit=5).exit_code for _ in range(3)]

    assert codes == [7, 7, 0]
    assert read_sql(db, "SELECT is_complete FROM fetch_runs ORDER BY id DESC LIMIT 1") == [True]
    requested = [int(query["movie_id"]) for path, query in source.requests if "details" in path]
    assert [requested.count(id_) for id_ in gaps].count(0) == 0


def test_one_denial_is_not_believed(db: DatabaseManager, source: ScriptedSource):
    """The second denial, by a later request, is believed; then the pauses grow."""
    source.hold(20)
    source.ids.remove(10)
    pause = "SELECT denials, ask_again_at - last_asked_at FROM missing_movies"

    denials = []
    for _ in range(4):
        assert mirror(db, source, details=True, audit=9).exit_code == 0
        denials += [(number, wait.days) for number, wait in read_sql(db, pause)]
        if denials[-1][0] > 2:
            break
        if denials[-1][0] == 2:
            run_sql(db.url, "UPDATE missing_movies SET ask_again_at = now()")

    assert denials == [(1, 0), (2, 30), (3, 60)]


def test_an_outage_that_denies_every_movie_records_nothing(
    db: DatabaseManager, source: ScriptedSource
):
    """A movie that is listed and denied is a contradiction, and many of them are an outage."""
    source.hold(60)
    source.denies_all = True

    report = mirror(db, source, details=True)

    assert (report.exit_code, report.is_complete) == (6, False)
    assert "the list named them" in str(report.ended_early)
    assert read_sql(db, "SELECT count(*) FROM missing_movies") == [0]
    assert read_sql(db, "SELECT count(*) FROM fetch_failures") == [0]
    source.denies_all = False
    assert is_whole(db, source, mirror(db, source, details=True))
    assert db.get_stats()["movies_with_details"] == 60


def test_a_few_contradictions_are_failures(db: DatabaseManager, source: ScriptedSource):
    """They are recorded in the ledger, with the usual short pause until the next attempt."""
    source.hold(20)
    source.denied = {7, 8}

    report = mirror(db, source, details=True)

    assert report.exit_code == 3
    assert read_sql(db, LEDGER) == [
        ("movie", "7", "ListedButDenied"),
        ("movie", "8", "ListedButDenied"),
    ]
    assert read_sql(db, "SELECT count(*) FROM missing_movies") == [0]
    source.denied = set()
    run_sql(db.url, "UPDATE fetch_failures SET next_attempt_at = now()")
    assert is_whole(db, source, mirror(db, source, details=True))


def test_a_contradiction_does_not_keep_the_audit_from_finding_movies(
    db: DatabaseManager, source: ScriptedSource
):
    """The audit stores what YTS has, whatever else it denies; no vanished movie is marked then."""
    source.hold(30)
    mirror_first(db, source, details=True)
    source.ids.remove(15)
    source.ids += [31, 32, 33]
    source.hidden, source.denied = {32}, {31}

    report = mirror(db, source, details=True, audit=500, full=True)

    assert (report.exit_code, report.found_by_audit) == (3, 1)
    assert read_sql(db, "SELECT count(*) FROM movies WHERE gone_since IS NOT NULL") == [0]
    source.denied = set()
    run_sql(db.url, "UPDATE fetch_failures SET next_attempt_at = now()")
    assert mirror(db, source, details=True, audit=500).is_complete
    assert read_sql(db, "SELECT external_id FROM movies WHERE gone_since IS NOT NULL") == [15]


def test_denials_in_an_outage_are_not_believed(db: DatabaseManager, source: ScriptedSource):
    """Before a run believes any denial, it requests a movie that YTS has given before."""
    source.hold(20)
    mirror_first(db, source, details=True)
    run_sql(db.url, "DELETE FROM movies WHERE external_id IN (10, 11)")
    source.hidden, source.denies_all = {10, 11}, True

    report = mirror(db, source, details=True, audit=500)

    assert report.exit_code == 4
    assert read_sql(db, "SELECT count(*) FROM missing_movies") == [0]
    source.denies_all = False
    assert is_whole(db, source, mirror(db, source, details=True, audit=500))


def test_a_source_with_a_part_of_the_catalogue_is_passed_over(
    db: DatabaseManager, source: ScriptedSource
):
    """The next base URL is tried; without one the run ends with exit code 6 and changes nothing."""
    source.hold(60)
    mirror_first(db, source)
    state = read_sql(db, "SELECT next_page, movie_count FROM sync_state")
    with open_scripted_source(19) as partial:
        for options in ({}, {"full": True}, {"ids": (range(1, 10),), "update": True}):
            report = mirror(db, partial, **options)
            assert (report.exit_code, report.is_complete) == (6, False)
            assert "19 movies" in str(report.ended_early)
        assert read_sql(db, "SELECT next_page, movie_count FROM sync_state") == state
        assert fetch(db, partial.url, source.url, details=False).exit_code == 0


def test_an_update_continues_until_its_end(db: DatabaseManager, source: ScriptedSource):
    """Runs with a limit and runs without options continue the update and write the changes."""
    source.hold(9 * ROWS)
    mirror_first(db, source)
    source.changes = {id_: {"title": "Another"} for id_ in source.ids}

    for _ in range(2):
        assert not mirror(db, source, update=True, max_pages=3).is_complete
    assert read_sql(db, "SELECT count(*) FROM movies WHERE title = 'Another'") == [6 * ROWS]
    assert mirror(db, source).is_complete
    assert read_sql(db, "SELECT count(*) FROM movies WHERE title = 'Another'") == [9 * ROWS]


def test_a_full_sweep_with_a_limit_comes_to_its_end(db: DatabaseManager, source: ScriptedSource):
    """The same command again continues the sweep of the whole list, and does not restart it."""
    source.hold(9 * ROWS)
    mirror_first(db, source)

    reports = [mirror(db, source, full=True, max_pages=4) for _ in range(3)]

    assert [report.is_complete for report in reports] == [False, False, True]


def test_vanished_movies_are_confirmed_by_the_next_run(db: DatabaseManager, source: ScriptedSource):
    """The database records that they have to be requested, until a run has done so."""
    source.hold(60)
    mirror_first(db, source)
    source.ids.remove(20)
    report = mirror(db, source, full=True, max_requests=7)
    assert (report.exit_code, report.is_complete) == (7, False)

    report = mirror(db, source)

    gone = "SELECT external_id FROM movies WHERE gone_since IS NOT NULL"
    assert read_sql(db, gone) == [20]
    assert report.is_complete
    source.ids.insert(19, 20)
    mirror(db, source, full=True)
    assert read_sql(db, gone) == []
    assert read_sql(db, "SELECT count(*) FROM missing_movies") == [0]


def test_a_second_source_marks_nothing_that_only_the_first_has(
    db: DatabaseManager, source: ScriptedSource
):
    """Two base URLs may differ by a few movies; the mark needs two sweeps of the same base URL."""
    source.hold(60)
    mirror_first(db, source)
    with open_scripted_source(57) as other:
        mirror(db, other, full=True)
        gone = "SELECT count(*) FROM movies WHERE gone_since IS NOT NULL"
        assert read_sql(db, gone) == [0]
        mirror(db, other, full=True)
        assert read_sql(db, gone) == [3]


def test_going_back_to_the_beginning_of_the_list_costs_few_requests(
    db: DatabaseManager, source: ScriptedSource
):
    """The run goes back to the beginning of the list in growing steps."""
    source.hold(20 * ROWS)
    mirror_first(db, source)
    run_sql(db.url, "DELETE FROM listed_movies")
    source.requests.clear()

    assert is_whole(db, source, mirror(db, source))
    assert source.count_requests("list") <= 20 + 7


def test_a_very_high_id_is_a_movie_like_any_other(
    db: DatabaseManager, source: ScriptedSource, monkeypatch: pytest.MonkeyPatch
):
    """The movie gets its details; of the gap before it, only the ids at the ends are requested."""
    edge = 10
    monkeypatch.setattr("database.bookkeeping.missing.IDS_AT_EACH_END", edge)
    source.ids = [1, 2, 10_000_001]

    reports = [mirror(db, source, details=True, audit=edge) for _ in range(3)]

    assert [report.exit_code for report in reports] == [7, 0, 0]
    assert db.get_stats()["movies_with_details"] == 3
    canaries = 2
    assert source.count_requests("details") == 3 + 3 * edge + canaries


def test_a_broken_page_at_the_beginning_costs_only_itself(
    db: DatabaseManager, source: ScriptedSource, monkeypatch: pytest.MonkeyPatch
):
    """A run that would begin with it begins with a page before, and reads the pages after it."""
    source.hold(60)
    mirror_first(db, source)
    source.hold(72)
    refused = refuse(monkeypatch, 500, lambda query: query.get("page") == 5)

    report = mirror(db, source)

    assert refused
    assert (report.exit_code, report.is_complete) == (3, False)
    assert len(read_sql(db, STORED)) == 72


def test_a_complete_sweep_leaves_no_failed_page(db: DatabaseManager, source: ScriptedSource):
    """A page that failed has no number in another page size, and its rows were read with that."""
    source.hold(12)
    mirror_first(db, source)
    source.hold(26)
    source.most_rows, source.shortened = 4, {4: 1}
    assert mirror(db, source).exit_code == 3
    assert read_sql(db, LEDGER) == [("page", "4/4", "ShortPage")]
    source.most_rows, source.shortened = 50, {}

    assert is_whole(db, source, mirror(db, source))
    assert read_sql(db, LEDGER) == []
