"""Completeness rests on evidence: whatever the list gets wrong, all movies come, or it is said."""

from collections.abc import Iterator

import pytest

from database.db import DatabaseManager
from ingest.report import RunReport
from tests.support.databases import run_sql
from tests.support.runs import fetch, impatient_client, read_sql, refuse
from tests.support.scripted_source import ScriptedSource, open_scripted_source

STORED = "SELECT external_id FROM movies ORDER BY 1"
COMPLETE = "SELECT is_complete FROM fetch_runs ORDER BY id DESC LIMIT 1"
LEDGER = "SELECT kind, key, error_class FROM fetch_failures ORDER BY 1, 2"


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedSource]:
    """Serve an empty catalogue, to clients that ask again without a pause."""
    impatient_client(monkeypatch, attempts=3, backoff_seconds=0.0)
    with open_scripted_source() as running:
        yield running


def hold(source: ScriptedSource, movies: int) -> None:
    """Let the catalogue have the movies 1 to *movies*."""
    source.ids = list(range(1, movies + 1))


def mirror(db: DatabaseManager, source: ScriptedSource, **told: object) -> RunReport:
    """Run a fetch with an audit; details are left out unless they are *told*."""
    return fetch(db, source.url, **{"details": False, **told})


def is_whole(db: DatabaseManager, source: ScriptedSource, report: RunReport) -> bool:
    """Return whether all movies are stored, and the run says so everywhere."""
    is_complete = read_sql(db, COMPLETE) == [True] and report.is_complete
    return is_complete and report.exit_code == 0 and read_sql(db, STORED) == sorted(source.ids)


def test_a_short_page_in_the_middle_is_asked_again(db: DatabaseManager, source: ScriptedSource):
    """
    A page that once comes with fewer rows than it has loses none of them.
    """
    hold(source, 400)
    mirror(db, source)
    hold(source, 600)
    source.shortened = {10: 20}
    source.before_page = lambda query: (
        source.requests[:-1].count(("list_movies.json", query)) and source.shortened.clear()
    )

    assert is_whole(db, source, mirror(db, source))


def test_a_page_that_stays_short_is_recorded_and_holds_the_sweep(
    db: DatabaseManager, source: ScriptedSource
):
    """
    The run is not complete and says so; when the page is whole again, so is the mirror.
    """
    hold(source, 600)
    source.shortened = {5: 20}

    report = mirror(db, source)

    assert (report.exit_code, report.is_complete) == (3, False)
    assert read_sql(db, LEDGER) == [("page", "5", "ShortPage")]
    assert read_sql(db, "SELECT next_page FROM sync_state") == [5]
    assert len(read_sql(db, STORED)) == 570
    source.shortened = {}
    assert is_whole(db, source, mirror(db, source))
    assert read_sql(db, LEDGER) == []


@pytest.mark.parametrize("says_limit", [True, False])
@pytest.mark.parametrize("rows", [20, 7, 1])
def test_a_smaller_page_size_is_adopted(
    db: DatabaseManager, source: ScriptedSource, rows: int, says_limit: bool
):
    """
    A source may give fewer rows a page than it was asked for, and even hide it.
    """
    hold(source, 100)
    source.most_rows, source.says_limit = rows, says_limit

    assert is_whole(db, source, mirror(db, source))
    hold(source, 130)
    assert is_whole(db, source, mirror(db, source))
    source.most_rows = 50
    hold(source, 260)
    assert is_whole(db, source, mirror(db, source))


@pytest.mark.parametrize("says_page", [True, False])
@pytest.mark.parametrize(("movies", "fault"), [(250, "ignores_page"), (70, "clamps_page")])
def test_paging_that_does_not_work_ends_the_run_soon(
    db: DatabaseManager, source: ScriptedSource, movies: int, fault: str, says_page: bool
):
    """
    The first page again and again, or the last one past the end: exit 4 and a sentence.
    """
    hold(source, movies)
    setattr(source, fault, True)
    source.says_page = says_page

    report = mirror(db, source)

    assert (report.exit_code, report.is_complete) == (4, False)
    assert "paging does not work" in str(report.ended_early)
    assert source.count_requests("list") <= 10


@pytest.mark.parametrize(("movies", "page"), [(445, 9), (450, 9), (460, 10)])
def test_rows_of_an_old_page_at_the_end_hide_no_new_movies(
    db: DatabaseManager, source: ScriptedSource, movies: int, page: int
):
    """
    A page of the end that brings rows of one read in an earlier run cannot end the list.
    """
    hold(source, 430)
    mirror(db, source)
    hold(source, movies)
    source.repeated, source.says_page = {page: 3}, False

    report = mirror(db, source)

    assert (report.exit_code, report.is_complete) == (3, False)
    source.repeated = {}
    assert is_whole(db, source, mirror(db, source))


def test_a_movie_that_is_added_while_the_end_is_confirmed_comes_too(
    db: DatabaseManager, source: ScriptedSource
):
    """
    The end is read again, for the list has gone on after it.
    """
    hold(source, 130)

    def add(query: dict[str, str]) -> None:
        if query["order_by"] == "desc":
            source.before_page = lambda _query: None
            hold(source, 131)

    source.before_page = add

    assert is_whole(db, source, mirror(db, source))


@pytest.mark.parametrize("wrong_by", [-300, -1, 1, 50, 2000])
def test_the_count_is_an_estimate_in_both_directions(
    db: DatabaseManager, source: ScriptedSource, wrong_by: int
):
    """
    However wrong it is, the first run and those after it end complete.
    """
    hold(source, 600)
    source.count = lambda true: true + wrong_by

    assert is_whole(db, source, mirror(db, source, details=True))
    hold(source, 630)
    assert is_whole(db, source, mirror(db, source, details=True))


def test_a_count_that_flickers_holds_nothing(db: DatabaseManager, source: ScriptedSource):
    """
    Rows that came equally twice have not moved, whatever two caches count.
    """
    hold(source, 590)
    source.count = lambda true: true - len(source.requests) % 2

    for movies in (590, 612, 613):
        hold(source, movies)
        report = mirror(db, source)
        assert is_whole(db, source, report)
        assert report.requests <= 13 * 4


def test_a_movie_that_moved_to_the_end_hides_no_other(db: DatabaseManager, source: ScriptedSource):
    """
    The count stays equal: that the movie comes twice shows that rows moved.
    """
    hold(source, 400)

    def move(query: dict[str, str]) -> None:
        if query["page"] == "5" and 10 in source.ids[:20]:
            source.ids.remove(10)
            source.ids.append(10)

    source.before_page = move

    assert is_whole(db, source, mirror(db, source))


def test_removals_in_every_reading_hide_nothing(db: DatabaseManager, source: ScriptedSource):
    """
    Rows that moved again while they were read again are read once more.
    """
    hold(source, 600)
    removed = iter([1, 2, 3])

    def remove(query: dict[str, str]) -> None:
        if query["page"] == "9" and (id_ := next(removed, None)):
            source.ids.remove(id_)

    source.before_page = remove
    report = mirror(db, source)

    assert report.is_complete
    assert set(read_sql(db, STORED)) >= set(source.ids)


def test_a_list_that_never_rests_is_said(db: DatabaseManager, source: ScriptedSource):
    """
    Past the bound the run ends with work left, and the next one reads that part again.
    """
    hold(source, 600)

    def remove(query: dict[str, str]) -> None:
        if query["page"] == "9":
            source.ids.remove(source.ids[0])

    source.before_page = remove
    report = mirror(db, source)

    assert (report.exit_code, report.is_complete) == (7, False)
    assert "kept changing" in str(report.work_left)
    source.before_page = lambda _query: None
    assert mirror(db, source).is_complete
    assert set(read_sql(db, STORED)) >= set(source.ids)


def test_what_the_list_hides_is_found_by_its_ids(db: DatabaseManager, source: ScriptedSource):
    """
    Whatever paging lost, for whatever reason: the audit does not depend on it.
    """
    hold(source, 300)
    source.hidden = {17, 18, 251}

    report = mirror(db, source, details=True, audit=500)

    assert is_whole(db, source, report)
    assert report.found_by_audit == 3
    assert read_sql(db, "SELECT count(*) FROM movies WHERE summary IS NULL") == [0]


def test_an_audit_that_is_cut_short_is_owed(db: DatabaseManager, source: ScriptedSource):
    """
    Ids that were never asked for keep the mirror from being complete, and come first.
    """
    hold(source, 300)
    gaps = set(range(20, 32))
    source.ids = [id_ for id_ in source.ids if id_ not in gaps]

    codes = [mirror(db, source, details=True, audit=5).exit_code for _ in range(3)]

    assert codes == [7, 7, 0]
    assert read_sql(db, COMPLETE) == [True]
    asked = [int(query["movie_id"]) for path, query in source.requests if "details" in path]
    assert [asked.count(id_) for id_ in gaps].count(0) == 0


def test_one_denial_is_not_believed(db: DatabaseManager, source: ScriptedSource):
    """
    The second one, by a later request, is; then the pauses grow.
    """
    hold(source, 60)
    source.ids.remove(30)
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


def test_a_night_of_ghosts_records_nothing(db: DatabaseManager, source: ScriptedSource):
    """
    What YTS lists and denies is a contradiction; many of them are no fact, but an outage.
    """
    hold(source, 600)
    source.denies_all = True

    report = mirror(db, source, details=True)

    assert (report.exit_code, report.is_complete) == (6, False)
    assert "the list named them" in str(report.ended_early)
    assert read_sql(db, "SELECT count(*) FROM missing_movies") == [0]
    assert read_sql(db, "SELECT count(*) FROM fetch_failures") == [0]
    source.denies_all = False
    assert is_whole(db, source, mirror(db, source, details=True))
    assert db.get_stats()["movies_with_details"] == 600


def test_a_few_contradictions_are_failures(db: DatabaseManager, source: ScriptedSource):
    """
    They are in the ledger, and the usual short pause goes by before the next attempt.
    """
    hold(source, 100)
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


def test_a_contradiction_keeps_no_audit_from_finding(db: DatabaseManager, source: ScriptedSource):
    """
    What YTS has is stored, whatever else it denies; but no vanished movie is marked then.
    """
    hold(source, 100)
    mirror(db, source, details=True)
    source.ids.remove(50)
    source.ids += [101, 102, 103]
    source.hidden, source.denied = {102}, {101}

    report = mirror(db, source, details=True, audit=500, full=True)

    assert (report.exit_code, report.found_by_audit) == (3, 1)
    assert read_sql(db, "SELECT count(*) FROM movies WHERE gone_since IS NOT NULL") == [0]
    source.denied = set()
    run_sql(db.url, "UPDATE fetch_failures SET next_attempt_at = now()")
    assert mirror(db, source, details=True, audit=500).is_complete
    assert read_sql(db, "SELECT external_id FROM movies WHERE gone_since IS NOT NULL") == [50]


def test_denials_in_an_outage_are_not_believed(db: DatabaseManager, source: ScriptedSource):
    """
    Where nothing else is asked for, a movie that YTS has given before is asked for first.
    """
    hold(source, 60)
    mirror(db, source, details=True)
    run_sql(db.url, "DELETE FROM movies WHERE external_id IN (30, 31)")
    source.hidden, source.denies_all = {30, 31}, True

    report = mirror(db, source, details=True, audit=500)

    assert report.exit_code == 4
    assert read_sql(db, "SELECT count(*) FROM missing_movies") == [0]
    source.denies_all = False
    assert is_whole(db, source, mirror(db, source, details=True, audit=500))


def test_a_source_with_a_part_of_the_catalogue_is_passed_over(
    db: DatabaseManager, source: ScriptedSource
):
    """
    The next base URL is tried; without one the run ends with exit 6 and changes nothing.
    """
    hold(source, 1050)
    mirror(db, source)
    state = read_sql(db, "SELECT next_page, movie_count FROM sync_state")
    with open_scripted_source(99) as partial:
        for told in ({}, {"full": True}, {"ids": (range(1, 50),), "update": True}):
            report = mirror(db, partial, **told)
            assert (report.exit_code, report.is_complete) == (6, False)
            assert "99 movies" in str(report.ended_early)
        assert read_sql(db, "SELECT next_page, movie_count FROM sync_state") == state
        assert fetch(db, partial.url, source.url, details=False).exit_code == 0


def test_an_update_goes_on_until_its_end(db: DatabaseManager, source: ScriptedSource):
    """
    Runs with a limit continue it, a plain run too, and all of them write what changed.
    """
    hold(source, 450)
    mirror(db, source)
    source.changes = {id_: {"title": "Another"} for id_ in source.ids}

    for _ in range(2):
        assert not mirror(db, source, update=True, max_pages=3).is_complete
    assert read_sql(db, "SELECT count(*) FROM movies WHERE title = 'Another'") == [300]
    assert mirror(db, source).is_complete
    assert read_sql(db, "SELECT count(*) FROM movies WHERE title = 'Another'") == [450]


def test_a_full_sweep_with_a_limit_comes_to_its_end(db: DatabaseManager, source: ScriptedSource):
    """
    The same command again goes on, and does not begin again.
    """
    hold(source, 450)
    mirror(db, source)

    reports = [mirror(db, source, full=True, max_pages=4) for _ in range(3)]

    assert [report.is_complete for report in reports] == [False, False, True]


def test_vanished_movies_are_confirmed_by_whichever_run_comes_next(
    db: DatabaseManager, source: ScriptedSource
):
    """
    That they are to be asked for is a fact in the database until it is done.
    """
    hold(source, 300)
    mirror(db, source)
    source.ids.remove(100)
    report = mirror(db, source, full=True, max_requests=7)
    assert (report.exit_code, report.is_complete) == (7, False)

    report = mirror(db, source)

    gone = "SELECT external_id FROM movies WHERE gone_since IS NOT NULL"
    assert read_sql(db, gone) == [100]
    assert report.is_complete
    source.ids.insert(99, 100)
    mirror(db, source, full=True)
    assert read_sql(db, gone) == []
    assert read_sql(db, "SELECT count(*) FROM missing_movies") == [0]


def test_a_second_source_marks_nothing_that_only_the_first_has(
    db: DatabaseManager, source: ScriptedSource
):
    """
    Two base URLs may differ by a few movies; the mark needs two sweeps of the same one.
    """
    hold(source, 300)
    mirror(db, source)
    with open_scripted_source(297) as other:
        mirror(db, other, full=True)
        gone = "SELECT count(*) FROM movies WHERE gone_since IS NOT NULL"
        assert read_sql(db, gone) == [0]
        mirror(db, other, full=True)
        assert read_sql(db, gone) == [3]


def test_a_lost_memory_of_the_list_costs_few_requests(db: DatabaseManager, source: ScriptedSource):
    """
    The way back to the beginning takes growing steps.
    """
    hold(source, 1000)
    mirror(db, source)
    run_sql(db.url, "DELETE FROM listed_movies")
    source.requests.clear()

    assert is_whole(db, source, mirror(db, source))
    assert source.count_requests("list") <= 20 + 7


def test_a_very_high_id_is_a_movie_like_any_other(db: DatabaseManager, source: ScriptedSource):
    """
    It gets its details, and the jump before it is asked for at its ends only.
    """
    source.ids = [1, 2, 10_000_001]

    reports = [mirror(db, source, details=True, audit=500) for _ in range(3)]

    assert [report.exit_code for report in reports] == [7, 0, 0]
    assert db.get_stats()["movies_with_details"] == 3
    canaries = 2
    assert source.count_requests("details") == 3 + 3 * 500 + canaries


def test_a_broken_page_at_the_beginning_costs_only_itself(
    db: DatabaseManager, source: ScriptedSource, monkeypatch: pytest.MonkeyPatch
):
    """
    A run that would begin with it begins a little before, and reads what comes after it.
    """
    hold(source, 500)
    mirror(db, source)
    hold(source, 560)
    refused = refuse(monkeypatch, 500, lambda query: query.get("page") == 9)

    report = mirror(db, source)

    assert refused
    assert (report.exit_code, report.is_complete) == (3, False)
    assert len(read_sql(db, STORED)) == 560


def test_a_complete_sweep_leaves_no_failed_page(db: DatabaseManager, source: ScriptedSource):
    """
    A page that failed in another page size has no number in this one, and was read with it.
    """
    hold(source, 60)
    mirror(db, source)
    hold(source, 130)
    source.most_rows, source.shortened = 20, {4: 3}
    assert mirror(db, source).exit_code == 3
    assert read_sql(db, LEDGER) == [("page", "4/20", "ShortPage")]
    source.most_rows, source.shortened = 50, {}

    assert is_whole(db, source, mirror(db, source))
    assert read_sql(db, LEDGER) == []
