"""Whatever a source does and whoever is killed: complete is never said wrongly, and it heals."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import URL

import ingest.worker.worker
from database.db import DatabaseManager
from ingest.report import RunReport
from ingest.settings import RunSettings
from tests.support.databases import make_empty, run_sql
from tests.support.examples import examples
from tests.support.runs import fetch, read_sql
from tests.support.scripted_source import ScriptedSource, open_scripted_source
from yts.errors import YtsUnavailable
from yts.settings import ClientSettings

#: Rows of a page of the source: small, so that a small catalogue has many pages.
ROWS = 5
PLACES = st.floats(0, 1, exclude_max=True)


class HastySettings(RunSettings):
    """Settings whose clients ask again without a pause."""

    def client_settings(self, api_url: str) -> ClientSettings:
        """Return how to talk to *api_url*."""
        return ClientSettings(api_url, attempts=3, backoff_seconds=0.0)


class Killed(BaseException):
    """The process ends here, without another word."""


class MirrorMachine(RuleBasedStateMachine):
    """A catalogue that changes, a source that is wrong about it, and runs that may be killed."""

    db: DatabaseManager
    source: ScriptedSource

    # Runs go on in the middle of a list only if it is longer than the pages that are read again.
    @initialize(movies=st.integers(1, 40) | st.integers(110, 170), gap=st.integers(0, 5))
    def begin(self, movies: int, gap: int) -> None:
        """Begin with a catalogue with gaps between its ids, and an empty mirror."""
        make_empty(self.db.url)
        self.source.ids = [id_ for id_ in range(1, movies + 1) if not gap or id_ % 7 != gap]
        self.source.ids = self.source.ids or [1]
        self.source.changes.clear()
        self.next_id = movies + 1
        self.removed: set[int] = set()
        self.renumbered: set[int] = set()
        self.be_honest()

    # What changes in the catalogue.

    @rule(count=st.integers(1, 12), skip=st.integers(0, 2))
    def add(self, count: int, skip: int) -> None:
        """Add movies at the end of the list."""
        self.next_id += skip
        for _ in range(count):
            self.source.ids.append(self.next_id)
            self.next_id += 1

    @precondition(lambda self: len(self.source.ids) > 3 and len(self.removed) < 15)
    @rule(place=PLACES)
    def remove(self, place: float) -> None:
        """Remove a movie."""
        self.removed.add(self.source.ids.pop(self._index(place)))

    @rule(place=PLACES)
    def date_again(self, place: float) -> None:
        """Move a movie to the end of the list, as a new upload does."""
        self.source.ids.append(self.source.ids.pop(self._index(place)))

    @precondition(lambda self: len(self.removed) < 15)
    @rule(place=PLACES)
    def number_again(self, place: float) -> None:
        """Give a movie another id."""
        index = self._index(place)
        self.removed.add(self.source.ids[index])
        self.source.ids[index] = self.next_id
        self.renumbered.add(self.next_id)
        self.next_id += 1

    @rule(one=PLACES, other=PLACES)
    def swap_slugs(self, one: float, other: float) -> None:
        """Let two movies exchange their slugs."""
        first, second = (self.source.ids[self._index(place)] for place in (one, other))
        slugs = {id_: self._field(id_, "slug") for id_ in (first, second)}
        self._change(first, slug=slugs[second])
        self._change(second, slug=slugs[first])

    @rule(place=PLACES, number=st.integers(0, 99))
    def rename(self, place: float, number: int) -> None:
        """Give a movie another title."""
        self._change(self.source.ids[self._index(place)], title=f"Renamed {number}")

    # In which ways the source is wrong.

    @rule(page=st.integers(1, 8), rows=st.integers(0, 4))
    def shorten(self, page: int, rows: int) -> None:
        """Let a page come with fewer rows than it has."""
        self.source.shortened[page] = rows

    @rule(rows=st.integers(1, ROWS), says_limit=st.booleans())
    def cap(self, rows: int, *, says_limit: bool) -> None:
        """Give fewer rows a page than asked for."""
        self.source.most_rows, self.source.says_limit = rows, says_limit

    @rule(fault=st.sampled_from(["ignores_page", "clamps_page"]), says_page=st.booleans())
    def break_paging(self, fault: str, *, says_page: bool) -> None:
        """Ignore the page number, or take the last page for those past the end."""
        setattr(self.source, fault, True)
        self.source.says_page = says_page

    @rule(wrong_by=st.sampled_from([-1000, -7, -1, 1, 7, 1000]), flickers=st.booleans())
    def miscount(self, wrong_by: int, *, flickers: bool) -> None:
        """Count too few movies or too many, always or in every second response."""
        source = self.source
        self.source.count = lambda true: max(
            0, true + (0 if flickers and len(source.requests) % 2 else wrong_by)
        )

    @rule(places=st.lists(PLACES, min_size=1, max_size=4), hides=st.booleans())
    def deny(self, places: list[float], *, hides: bool) -> None:
        """Hide some movies from the list, or deny their details."""
        ids = {self.source.ids[self._index(place)] for place in places}
        (self.source.hidden if hides else self.source.denied).update(ids)

    @rule()
    def deny_all(self) -> None:
        """Deny the details of every movie."""
        self.source.denies_all = True

    @rule(page=st.integers(1, 6), place=PLACES, removes=st.booleans())
    def change_while_read(self, page: int, place: float, *, removes: bool) -> None:
        """Remove or move a movie while a page is read, once."""

        def change(query: dict[str, str]) -> None:
            if query["page"] == str(page) and query["order_by"] == "asc":
                self.source.before_page = lambda _query: None
                if not removes:
                    self.date_again(place)
                elif len(self.source.ids) > 3 and len(self.removed) < 15:
                    self.remove(place)

        self.source.before_page = change

    @rule()
    def be_honest(self) -> None:
        """Let the source be right again in every way."""
        self.source.be_honest(ROWS)

    # Runs.

    @rule(
        options=st.sampled_from(
            [{}, {}, {"update": True}, {"full": True}, {"max_pages": 2}, {"audit": 1}]
        )
    )
    def run(self, options: dict[str, Any]) -> None:
        """Run a fetch to its end, and see that it does not call itself complete wrongly."""
        before = set(self.source.ids)
        self.source.requests.clear()
        report = self._fetch(**options)
        lasting = before & set(self.source.ids)
        if report is not None and report.is_complete:
            assert report.exit_code in {0, 3}
            missed = lasting - set(read_sql(self.db, "SELECT external_id FROM movies"))
            assert not {id_ for id_ in missed if self._was_to_be_seen(id_)}

    @rule(steps=st.integers(1, 12), update=st.booleans(), is_saved=st.booleans())
    def kill(self, steps: int, *, update: bool, is_saved: bool) -> None:
        """Kill a run before or after one of its steps is saved."""
        save_step, left = ingest.worker.worker.save_step, iter(range(steps))

        def save_or_die(*args: Any) -> Any:
            result = save_step(*args) if is_saved else None
            if next(left, None) is None:
                raise Killed
            return result if is_saved else save_step(*args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ingest.worker.worker, "save_step", save_or_die)
            self._fetch(update=update)

    def teardown(self) -> None:
        """See that two ordinary runs on an honest source have all movies, and say so."""
        if not hasattr(self, "removed"):
            return
        self.be_honest()
        # Weeks go by: the pauses until the next attempt, and until the whole list is read.
        run_sql(
            self.db.url,
            "UPDATE sync_state SET whole_sweep_at = now() - interval '8 days'",
            "UPDATE fetch_failures SET next_attempt_at = now()",
            "UPDATE missing_movies SET ask_again_at = now()",
        )
        reports = [self._fetch(), self._fetch()]
        last = reports[-1]
        assert last is not None
        assert (last.exit_code, last.is_complete) == (0, True), last.ended_early
        present = set(read_sql(self.db, "SELECT external_id FROM movies"))
        assert present >= set(self.source.ids)
        assert self.db.get_stats()["total_failures"] == 0
        # What has changed or vanished is seen by a sweep of the whole list that updates.
        for _ in range(2):
            self._fetch(update=True)
        rows = read_sql(self.db, "SELECT external_id, title, gone_since IS NULL FROM movies")
        truth = {id_: self._field(id_, "title") for id_ in self.source.ids}
        assert {id_: title for id_, title, is_present in rows if is_present} == truth
        lacking = "SELECT external_id FROM movies WHERE details_fetched_at IS NULL"
        assert not set(read_sql(self.db, lacking)) & set(self.source.ids)

    def _fetch(self, **options: Any) -> RunReport | None:
        try:
            return fetch(self.db, self.source.url, kind=HastySettings, **{"audit": 500, **options})
        except (Killed, YtsUnavailable):  # The second is exit 4.
            return None

    def _was_to_be_seen(self, movie_id: int) -> bool:
        """Return whether the source has shown a movie, or would have if asked by its id."""
        if movie_id in self.renumbered:  # In the place of another one, perhaps behind the run.
            return False
        is_denied = movie_id in self.source.denied or self.source.denies_all
        if movie_id in self.source.hidden:
            return not is_denied and movie_id < max(set(self.source.ids) - self.source.hidden)
        # With a wrong count a short page cannot be told from the end.
        return not (self.source.shortened and self.source.count(100) != 100)

    def _index(self, place: float) -> int:
        return int(place * len(self.source.ids))

    def _field(self, movie_id: int, name: str) -> str:
        value = self.source.changes.get(movie_id, {}).get(name)
        defaults = {"title": f"The Lamp {movie_id}", "slug": f"the-lamp-{movie_id}-2019"}
        return value or defaults[name]

    def _change(self, movie_id: int, **fields: str) -> None:
        self.source.changes[movie_id] = {**self.source.changes.get(movie_id, {}), **fields}


@pytest.mark.timeout(600)  # Some hundred runs, or twenty times as many in the long profile.
def test_whatever_a_source_does_the_mirror_never_lies_and_heals(
    new_database: Callable[..., URL],
) -> None:
    """
    A run says that it is complete only if it has what the source has shown; once the source
    is honest, two ordinary runs have everything.
    """
    with open_scripted_source() as source, DatabaseManager(new_database()) as db:
        MirrorMachine.db, MirrorMachine.source = db, source
        run_state_machine_as_test(
            MirrorMachine, settings=settings(examples(8), stateful_step_count=12)
        )
