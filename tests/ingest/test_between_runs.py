"""Changes between two runs, and differences between two base URLs, are found or reported."""

from collections.abc import Callable, Iterator

import pytest

from database.db import DatabaseManager
from ingest.report import RunReport
from ingest.worker.worker import Worker
from tests.support.databases import run_sql
from tests.support.first_runs import fetch_first
from tests.support.runs import ROWS, fetch, is_whole, read_sql
from tests.support.servers.scripted_source import ScriptedSource, open_scripted_source

GONE = "SELECT external_id FROM movies WHERE gone_since IS NOT NULL ORDER BY 1"
LEDGER = "SELECT kind, key, attempts FROM fetch_failures ORDER BY 1, 2"


@pytest.fixture
def other() -> Iterator[ScriptedSource]:
    """Serve another catalogue, at another base URL."""
    with open_scripted_source() as running:
        yield running


@pytest.fixture
def few_believed(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let runs believe that few movies vanish at once; return how many."""
    number = 4
    monkeypatch.setattr("ingest.error_limit.BELIEVED_NUMBER", number)
    return number


def mirror(db: DatabaseManager, source: ScriptedSource, **options: object) -> RunReport:
    """Run a fetch with an audit and with *options*; by default without details."""
    return fetch(db, source.url, **{"details": False, "audit": 100, **options})


def mirror_first(db: DatabaseManager, source: ScriptedSource, **options: object) -> None:
    """Run the same fetch, first of all, or copy its tables."""
    fetch_first(db, source, **{"details": False, "audit": 100, **options})


def _insert_in_the_middle(source: ScriptedSource) -> None:
    source.ids.insert(39, 81)


def _insert_behind_known_movies(source: ScriptedSource) -> None:
    source.ids = source.ids[14:] + list(range(81, 93)) + source.ids[:14]


def _repeat_a_known_page(source: ScriptedSource) -> None:
    source.ids += range(81, 111)
    source.repeated, source.says_page = {9: 1}, False
    source.before_page = lambda query: query["page"] == "11" and source.remove_faults()


@pytest.mark.parametrize(
    "change", [_insert_in_the_middle, _insert_behind_known_movies, _repeat_a_known_page]
)
def test_rows_that_nothing_explains_make_the_run_read_the_whole_list(
    db: DatabaseManager, source: ScriptedSource, change: Callable[[ScriptedSource], None]
):
    """The list is longer than its known part, so something new is before the end."""
    source.hold(8 * ROWS)
    mirror_first(db, source, audit=0)
    change(source)

    # Without an audit, which would request the movies that the list has hidden.
    assert is_whole(db, source, mirror(db, source, audit=0))


def test_removals_do_not_make_a_run_read_the_whole_list(
    db: DatabaseManager, source: ScriptedSource
):
    """A shorter list hides no new movie; the weekly sweep finds removed ones."""
    source.hold(8 * ROWS)
    mirror_first(db, source)
    del source.ids[20:23]
    source.requests.clear()

    assert mirror(db, source).is_complete
    assert len(source.requests) < 8


def test_the_whole_list_is_read_once_a_week(db: DatabaseManager, source: ScriptedSource):
    """Only that shows an id that changed in its place, or a removal together with an addition."""
    source.hold(8 * ROWS)
    mirror_first(db, source)
    source.ids[39] = 81
    mirror(db, source)
    older = "UPDATE sync_state SET whole_sweep_at = now() - interval '8 days'"
    run_sql(db.url, older)

    report = mirror(db, source)

    assert report.is_complete
    assert read_sql(db, "SELECT count(*) FROM movies WHERE external_id = 81") == [1]
    assert read_sql(db, GONE) == [40]
    source.requests.clear()
    mirror(db, source)
    assert len(source.requests) < 8


def test_a_movie_that_comes_twice_on_a_page_hides_no_other(
    db: DatabaseManager, source: ScriptedSource
):
    """The page has all its rows but a movie less, so the list is read again."""
    source.hold(24)
    source.ids[6] = 6
    source.before_page = lambda query: query["page"] == "3" and source.hold(24)

    assert is_whole(db, source, mirror(db, source))


@pytest.mark.parametrize("removed", [pytest.param(1, marks=pytest.mark.long), 10])
def test_removals_after_an_earlier_run_are_not_contradictions(
    db: DatabaseManager, source: ScriptedSource, removed: int, few_believed: int
):
    """An earlier run saw them on the list; now neither a search nor the list names them."""
    assert not 1 < removed <= few_believed
    source.hold(24)
    mirror_first(db, source, audit=0)
    del source.ids[9 : 9 + removed]

    for _ in range(2):
        report = mirror(db, source, details=True)

    assert (report.exit_code, report.is_complete) == (0, True)
    assert read_sql(db, GONE) == list(range(10, 10 + removed))
    assert read_sql(db, LEDGER) == []


def test_a_denial_is_not_believed_while_a_search_finds_the_movie(
    db: DatabaseManager, source: ScriptedSource
):
    """The list still names the movie, so it is a failure that is tried again soon."""
    source.hold(30)
    mirror_first(db, source, audit=0)
    source.denied = {17}

    report = mirror(db, source, details=True)

    assert report.exit_code == 3
    assert read_sql(db, LEDGER) == [("movie", "17", 1)]
    assert read_sql(db, "SELECT count(*) FROM missing_movies") == [0]


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_movie_that_an_audit_found_gets_the_texts_of_the_list(
    db: DatabaseManager, source: ScriptedSource, monkeypatch: pytest.MonkeyPatch, is_killed: bool
):
    """The next run searches for it if the search failed, or the run was killed before it."""
    source.hold(24)
    source.hidden = {17}

    class Killed(BaseException):
        pass

    def fail(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if is_killed:
            patch.setattr(Worker, "_run_searches", fail)
            with pytest.raises(Killed):
                mirror(db, source, details=True)
        else:
            searches = "query_term"
            source.before_request = lambda _: (
                "status 500" if searches in source.requests[-1][1] else None
            )
            report = mirror(db, source, details=True)
            assert (report.exit_code, report.is_complete) == (7, False)
            source.remove_faults()
            source.hidden = {17}

    assert is_whole(db, source, mirror(db, source, details=True))
    lacking = "SELECT count(*) FROM movies WHERE summary IS NULL OR synopsis IS NULL"
    assert read_sql(db, lacking) == [0]


def test_what_another_base_url_denies_is_not_gone(
    db: DatabaseManager, source: ScriptedSource, other: ScriptedSource
):
    """Neither the check that is due at the first base URL nor denials count at the other."""
    source.hold(30)
    other.hold(30)
    source.hidden = {17, 18, 19}
    del other.ids[16:19]
    mirror_first(db, source, details=True)
    fetch(db, source.url, full=True, max_requests=7)

    for _ in range(2):
        assert mirror(db, other, details=True).is_complete
        assert read_sql(db, GONE) == []
    assert is_whole(db, source, mirror(db, source, details=True))
    assert read_sql(db, "SELECT count(*) FROM missing_movies") == [0]


def test_an_update_at_another_base_url_leaves_nothing_stale(
    db: DatabaseManager, source: ScriptedSource, other: ScriptedSource
):
    """Movies that its sweep did not see are requested too, but none is marked as gone."""
    source.hold(60)
    mirror_first(db, source, details=True)
    other.hold(60)
    other.changes = {id_: {"title": f"New {id_}"} for id_ in other.ids}

    def move(query: dict[str, str]) -> None:
        if query["page"] == "4":
            other.before_page = lambda _query: None
            other.ids = [*other.ids[1:], 61]

    other.before_page = move
    mirror(db, other, details=True, update=True)
    mirror(db, other, details=True)

    stale = "SELECT external_id FROM movies WHERE title !~ '^New' AND external_id < 61"
    assert read_sql(db, stale) == []


def test_movies_that_no_page_names_do_not_hold_the_sweep(
    db: DatabaseManager, source: ScriptedSource, few_believed: int
):
    """An update requests each of them, and does not count them as vanished."""
    # More than may vanish at once; but less than a fifth, or the source would be refused.
    source.hold(30)
    source.hidden = set(range(12, 12 + few_believed + 1))
    assert mirror(db, source, details=True).found_by_audit == few_believed + 1

    for options in ({"update": True}, {}, {}):
        assert is_whole(db, source, mirror(db, source, details=True, **options))


def test_ids_are_not_denied_in_an_outage(db: DatabaseManager, source: ScriptedSource):
    """`--ids` believes no denial while YTS gives no movie that it gave before."""
    source.hold(24)
    source.hidden = {17, 18}
    mirror_first(db, source, details=True, audit=0)
    source.denies_all = True

    for _ in range(2):
        assert fetch(db, source.url, ids=(range(17, 19),)).exit_code == 4
    source.denies_all = False
    assert is_whole(db, source, mirror(db, source, details=True))


def test_ids_ask_for_movies_that_are_marked_as_gone(db: DatabaseManager, source: ScriptedSource):
    """A movie that came back loses its mark."""
    source.hold(24)
    mirror_first(db, source, details=True)
    source.ids.remove(20)
    mirror(db, source, details=True, full=True)
    assert read_sql(db, GONE) == [20]

    source.ids.append(20)
    fetch(db, source.url, ids=(range(20, 21),))
    assert read_sql(db, GONE) == []


def test_a_failure_that_is_not_due_keeps_the_run_from_being_complete(
    db: DatabaseManager, source: ScriptedSource
):
    """A run is not complete while a movie that the source has shown is not stored."""
    # The second run does not read the page of this movie again.
    source.hold(5 * ROWS)
    source.changes = {3: {"rating": "bad"}}

    for _ in range(2):
        report = mirror(db, source, details=True)
        assert (report.exit_code, report.is_complete) == (3, False)
    assert "failures on record" in str(report.work_left)


def test_a_page_that_is_still_short_has_failed_again(db: DatabaseManager, source: ScriptedSource):
    """`--retry-failed` counts the attempt and ends with exit code 3."""
    source.hold(60)
    source.shortened = {3: 4}
    mirror(db, source)
    run_sql(db.url, "UPDATE fetch_failures SET next_attempt_at = now()")

    report = fetch(db, source.url, retry_failed=True)

    assert (report.exit_code, read_sql(db, LEDGER)) == (3, [("page", "3", 2)])


def test_pages_whose_rows_have_no_ids_are_not_taken_for_one_page(
    db: DatabaseManager, source: ScriptedSource
):
    """They are failures of rows, and not a sign that paging does not work."""
    source.hold(5 * ROWS)
    source.changes = {id_: {"id": None} for id_ in range(ROWS + 1, 3 * ROWS + 1)}

    report = mirror(db, source, audit=0)

    assert report.exit_code == 3
    assert read_sql(db, "SELECT count(*) FROM movies") == [3 * ROWS]
