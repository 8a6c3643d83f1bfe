"""`MirrorMachine`: random faults and kills; no run is wrongly complete, and later runs repair."""

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
from tests.support.data.examples import examples
from tests.support.databases import make_empty, run_sql
from tests.support.runs import fetch, read_sql, shrink_pages
from tests.support.servers.scripted_source import ScriptedSource, open_scripted_source
from yts.errors import YtsUnavailable
from yts.settings import ClientSettings

#: Rows on a page of the source, which are fewer than requested.
ROWS = 5
#: Positions in the catalogue, as a share of its length.
POSITIONS = st.floats(0, 1, exclude_max=True)


class HastySettings(RunSettings):
    """Settings for clients that try again without a pause."""

    def client_settings(self, api_url: str) -> ClientSettings:
        """Return the settings of a client of *api_url*."""
        return ClientSettings(api_url, attempts=3, backoff_seconds=0.0)


class Killed(BaseException):
    """Stands for `kill -9`: nothing of the product catches it."""


def die_after(steps: int, is_saved: bool) -> Callable[..., Any]:
    """Return a `save_step` that dies in the call after *steps* others, before or after it saves."""
    save_step, steps_left = ingest.worker.worker.save_step, iter(range(steps))

    def save_or_die(*args: Any) -> Any:
        is_last = next(steps_left, None) is None
        if is_last and not is_saved:
            raise Killed
        result = save_step(*args)
        if is_last:
            raise Killed
        return result

    return save_or_die


class MirrorMachine(RuleBasedStateMachine):
    """A catalogue that changes, a source that is wrong about it, and runs that may be killed."""

    db: DatabaseManager
    source: ScriptedSource

    # A run continues in the middle of a list only if that is longer than the pages read again.
    @initialize(
        movies=st.integers(24, 36) | st.integers(1, 8),
        gap=st.integers(0, 5),
        first_run=st.sampled_from([{}, {"max_pages": 2}, None]),
    )
    def begin(self, movies: int, gap: int, first_run: dict[str, Any] | None) -> None:
        """Begin with a catalogue whose ids may have gaps, and a mirror of all, a part or none."""
        make_empty(self.db.url)
        self.source.ids = [id_ for id_ in range(1, movies + 1) if not gap or id_ % 7 != gap]
        self.source.ids = self.source.ids or [1]
        self.source.changes.clear()
        self.next_id = movies + 1
        self.removed: set[int] = set()
        self.renumbered: set[int] = set()
        self.remove_faults()
        if first_run is not None:
            self._fetch(**first_run)

    # Changes of the catalogue.

    @rule(count=st.integers(1, 12), skip=st.integers(0, 2))
    def add(self, count: int, skip: int) -> None:
        """Add movies at the end of the list."""
        self.next_id += skip
        for _ in range(count):
            self.source.ids.append(self.next_id)
            self.next_id += 1

    @precondition(lambda self: len(self.source.ids) > 3 and len(self.removed) < 15)
    @rule(position=POSITIONS)
    def remove(self, position: float) -> None:
        """Remove a movie."""
        self.removed.add(self.source.ids.pop(self._index(position)))

    @rule(position=POSITIONS)
    def date_again(self, position: float) -> None:
        """Move a movie to the end of the list, as a new upload does."""
        self.source.ids.append(self.source.ids.pop(self._index(position)))

    @precondition(lambda self: len(self.removed) < 15)
    @rule(position=POSITIONS)
    def number_again(self, position: float) -> None:
        """Give a movie another id."""
        index = self._index(position)
        self.removed.add(self.source.ids[index])
        self.source.ids[index] = self.next_id
        self.renumbered.add(self.next_id)
        self.next_id += 1

    @rule(one=POSITIONS, other=POSITIONS)
    def swap_slugs(self, one: float, other: float) -> None:
        """Let two movies exchange their slugs."""
        first, second = (self.source.ids[self._index(position)] for position in (one, other))
        slugs = {id_: self._field(id_, "slug") for id_ in (first, second)}
        self._change(first, slug=slugs[second])
        self._change(second, slug=slugs[first])

    @rule(position=POSITIONS, number=st.integers(0, 99))
    def rename(self, position: float, number: int) -> None:
        """Give a movie another title."""
        self._change(self.source.ids[self._index(position)], title=f"Renamed {number}")

    # Faults of the source.

    @rule(page=st.integers(1, 8), rows=st.integers(0, 4))
    def shorten(self, page: int, rows: int) -> None:
        """Leave out rows of a page."""
        self.source.shortened[page] = rows

    @rule(rows=st.integers(1, ROWS), says_limit=st.booleans())
    def cap(self, rows: int, *, says_limit: bool) -> None:
        """Give fewer rows on each page than requested."""
        self.source.most_rows, self.source.says_limit = rows, says_limit

    @rule(fault=st.sampled_from(["ignores_page", "clamps_page"]), says_page=st.booleans())
    def break_paging(self, fault: str, *, says_page: bool) -> None:
        """Ignore the page number, or give the last page for those past the end."""
        setattr(self.source, fault, True)
        self.source.says_page = says_page

    @rule(wrong_by=st.sampled_from([-1000, -7, -1, 1, 7, 1000]), flickers=st.booleans())
    def miscount(self, wrong_by: int, *, flickers: bool) -> None:
        """Give a count that is too low or too high, in each response or in every second one."""
        source = self.source
        self.source.count = lambda true: max(
            0, true + (0 if flickers and len(source.requests) % 2 else wrong_by)
        )

    @rule(positions=st.lists(POSITIONS, min_size=1, max_size=4), hides=st.booleans())
    def deny(self, positions: list[float], *, hides: bool) -> None:
        """Hide some movies from the list, or deny their details."""
        ids = {self.source.ids[self._index(position)] for position in positions}
        (self.source.hidden if hides else self.source.denied).update(ids)

    @rule()
    def deny_all(self) -> None:
        """Deny the details of every movie."""
        self.source.denies_all = True

    @rule(page=st.integers(1, 6), position=POSITIONS, removes=st.booleans())
    def change_while_read(self, page: int, position: float, *, removes: bool) -> None:
        """Remove or move a movie while a page is read, once."""

        def change(query: dict[str, str]) -> None:
            if query["page"] == str(page) and query["order_by"] == "asc":
                self.source.before_page = lambda _query: None
                if not removes:
                    self.date_again(position)
                elif len(self.source.ids) > 3 and len(self.removed) < 15:
                    self.remove(position)

        self.source.before_page = change

    @rule()
    def remove_faults(self) -> None:
        """Remove all faults of the source."""
        self.source.remove_faults(ROWS)

    # Runs.

    @rule()
    def run(self) -> None:
        """Run a fetch without options."""
        self.run_with({}, None, is_saved=True)

    @rule(
        options=st.sampled_from(
            [{}, {"update": True}, {"full": True}, {"max_pages": 2}, {"audit": 1}]
        ),
        steps=st.integers(1, 8) | st.none(),
        is_saved=st.booleans(),
    )
    def run_with(self, options: dict[str, Any], steps: int | None, *, is_saved: bool) -> None:
        """
        Run a fetch; where it reports to be complete, check that it is.

        After *steps* steps the run is killed, before or after it saves the next one.
        """
        before = set(self.source.ids)
        self.source.requests.clear()
        with pytest.MonkeyPatch.context() as patch:
            if steps is not None:
                patch.setattr(ingest.worker.worker, "save_step", die_after(steps, is_saved))
            report = self._fetch(**options)
        lasting = before & set(self.source.ids)
        if report is not None and report.is_complete:
            assert report.exit_code in {0, 3}
            missed = lasting - set(read_sql(self.db, "SELECT external_id FROM movies"))
            assert not {id_ for id_ in missed if self._was_to_be_seen(id_)}

    def teardown(self) -> None:
        """Check that two ordinary runs on a source without faults store all and report it."""
        if not hasattr(self, "removed"):
            return
        self.remove_faults()
        # Weeks pass: the next attempts are due, and so is a sweep of the whole list.
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
        stored = set(read_sql(self.db, "SELECT external_id FROM movies"))
        assert stored >= set(self.source.ids)
        assert self.db.get_stats()["total_failures"] == 0
        # Changed and vanished movies are seen by a sweep of the whole list that updates.
        for _ in range(2):
            self._fetch(update=True)
        rows = read_sql(self.db, "SELECT external_id, title, gone_since IS NULL FROM movies")
        titles = {id_: self._field(id_, "title") for id_ in self.source.ids}
        assert {id_: title for id_, title, is_present in rows if is_present} == titles
        without_details = "SELECT external_id FROM movies WHERE details_fetched_at IS NULL"
        assert not set(read_sql(self.db, without_details)) & set(self.source.ids)

    def _fetch(self, **options: Any) -> RunReport | None:
        try:
            return fetch(self.db, self.source.url, kind=HastySettings, **{"audit": 500, **options})
        except (Killed, YtsUnavailable):  # The second is exit code 4.
            return None

    def _was_to_be_seen(self, movie_id: int) -> bool:
        """Return whether the source has shown a movie, or would have shown it by its id."""
        if movie_id in self.renumbered:  # In the position of another one, perhaps behind the run.
            return False
        is_denied = movie_id in self.source.denied or self.source.denies_all
        if movie_id in self.source.hidden:
            return not is_denied and movie_id < max(set(self.source.ids) - self.source.hidden)
        # With a wrong count, a short page cannot be distinguished from the end.
        return not (self.source.shortened and self.source.count(100) != 100)

    def _index(self, position: float) -> int:
        return int(position * len(self.source.ids))

    def _field(self, movie_id: int, name: str) -> str:
        value = self.source.changes.get(movie_id, {}).get(name)
        defaults = {"title": f"The Lamp {movie_id}", "slug": f"the-lamp-{movie_id}-2019"}
        return value or defaults[name]

    def _change(self, movie_id: int, **fields: str) -> None:
        self.source.changes[movie_id] = {**self.source.changes.get(movie_id, {}), **fields}


@pytest.mark.timeout(600)  # In the long profile there are some thousand runs.
def test_no_run_is_wrongly_complete_and_two_runs_repair_the_mirror(
    new_database: Callable[..., URL], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A run reports that it is complete only if it has stored what the source has shown; once the
    source has no faults, two ordinary runs store everything.
    """
    shrink_pages(monkeypatch)
    with open_scripted_source() as source, DatabaseManager(new_database()) as db:
        MirrorMachine.db, MirrorMachine.source = db, source
        run_state_machine_as_test(
            MirrorMachine, settings=settings(examples(3), stateful_step_count=12)
        )
