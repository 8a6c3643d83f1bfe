"""`RestlessSource`: makes random changes of a catalogue, and random faults of its source."""

import random
from collections.abc import Callable, Iterator

from tests.support.servers.scripted_source import WIRE_FAULTS, ScriptedSource

#: Weights of the changes. Many removals cannot be distinguished from an outage, so they are rare.
WEIGHTS = {"add": 4, "remove": 1, "date again": 2, "number again": 1, "swap": 2, "rename": 2}
#: Highest number of kinds of faults in one night.
MOST_FAULTS = 3


class RestlessSource:
    """Changes *source* at random, and adds faults to its responses."""

    def __init__(self, source: ScriptedSource, rng: random.Random) -> None:
        """Change nothing yet; the highest id of *source* is the number of its movies."""
        self.source, self._rng = source, rng
        self._next_id = len(source.ids) + 1
        #: New ids of movies that had other ids before.
        self.renumbered: set[int] = set()
        self.changes_made = 0
        #: Number of movies that may still lose their ids; more at once are not believed.
        self.removals_left = 0
        self._wire: Callable[[], str | None] = lambda: None
        self._planned: Iterator[int] = iter(())

    # Changes of the catalogue.

    def change(self, count: int) -> None:
        """Make *count* changes."""
        # Threads that respond to requests have their own generator: the seed decides the rest.
        rng = random.Random(self._rng.random())
        for _ in range(count):
            self._change(rng)

    def _change(self, rng: random.Random) -> None:
        with self.source.lock:
            self.changes_made += 1
            self._make_change(*rng.choices(list(WEIGHTS), list(WEIGHTS.values())), rng)

    def _make_change(self, name: str, rng: random.Random) -> None:
        ids, index = self.source.ids, rng.randrange(len(self.source.ids))
        if name in {"remove", "number again"}:
            if self.removals_left < 1:
                name = "add"
            self.removals_left -= 1
        if name == "add":
            self._next_id += rng.choice([0, 0, 0, 1, 2])
            ids.append(self._new_id())
        elif name == "remove":
            ids.pop(index)
        elif name == "date again":
            ids.append(ids.pop(index))
        elif name == "number again":
            fields = self.source.changes.get(ids[index], {})
            ids[index] = self._new_id()
            self.source.changes[ids[index]] = {**fields, "slug": f"the-lamp-{ids[index]}-2019"}
            self.renumbered.add(ids[index])
        elif name == "swap":
            other = ids[rng.randrange(len(ids))]
            slugs = [self._slug(ids[index]), self._slug(other)]
            self._set(other, slug=slugs[0])
            self._set(ids[index], slug=slugs[1])
        else:
            title = f"Renamed {rng.randrange(1000)}"
            self._set(ids[index], title=title, title_english=title)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _slug(self, movie_id: int) -> str:
        slug: str = self.source.changes.get(movie_id, {}).get("slug", f"the-lamp-{movie_id}-2019")
        return slug

    def _set(self, movie_id: int, **fields: str) -> None:
        self.source.changes[movie_id] = {**self.source.changes.get(movie_id, {}), **fields}

    # Faults of the source.

    def spoil(self) -> list[str]:
        """Choose the faults of a night, none in a calm one; return their descriptions."""
        faults = [
            self._shorten, self._repeat, self._cap, self._break_paging, self._miscount,
            self._deny, self._deny_all, self._hide, self._lose, self._lose,
        ]  # fmt: skip
        count = self._rng.choice([0, *range(1, MOST_FAULTS + 1)])
        return [fault() for fault in self._rng.sample(faults, count)]

    def remove_faults(self) -> None:
        """Remove all faults."""
        self.source.remove_faults()
        self._wire = lambda: None

    def _page(self) -> int:
        """Return a random page, or one at the end, where ordinary runs read."""
        last = len(self.source.ids) // 50 + 1
        return self._rng.choice([self._rng.randint(1, last), last - 1, last])

    def _shorten(self) -> str:
        pages = {self._page(): self._rng.choice([0, 1, 20, 49]) for _ in range(2)}
        self.source.shortened = pages
        return f"pages shortened to {pages}"

    def _repeat(self) -> str:
        page, other = self._page(), self._rng.randint(1, len(self.source.ids) // 50)
        self.source.repeated = {page: other}
        self.source.says_page = self._rng.random() < 0.3
        return f"page {page} has the rows of page {other}, {self._says('page')}"

    def _cap(self) -> str:
        self.source.most_rows = self._rng.choice([7, 20, 33, 49])
        self.source.says_limit = self._rng.random() < 0.5
        return f"at most {self.source.most_rows} rows a page, {self._says('limit')}"

    def _break_paging(self) -> str:
        name = self._rng.choice(["ignores_page", "clamps_page"])
        setattr(self.source, name, True)
        self.source.says_page = self._rng.random() < 0.5
        return f"{name}, {self._says('page')}"

    def _says(self, name: str) -> str:
        is_stated = getattr(self.source, f"says_{name}")
        return f"{'with' if is_stated else 'without'} the {name} in responses"

    def _miscount(self) -> str:
        wrong_by = self._rng.choice([-1000, -60, -7, -1, 1, 7, 60, 1000])
        flickers, source = self._rng.random() < 0.5, self.source
        source.count = lambda true: max(
            0, true + (0 if flickers and len(source.requests) % 2 else wrong_by)
        )
        return f"counts {wrong_by:+} {'in every second response' if flickers else 'always'}"

    def _deny(self) -> str:
        self.source.denied = set(self._rng.sample(self.source.ids, self._rng.randint(1, 5)))
        return f"denies {sorted(self.source.denied)}"

    def _deny_all(self) -> str:
        self.source.denies_all = True
        return "denies all movies"

    def _hide(self) -> str:
        self.source.hidden = set(self._rng.sample(self.source.ids, self._rng.randint(1, 5)))
        if self._rng.random() < 0.3:
            self.source.denied = self.source.denied | self.source.hidden
        return f"hides {sorted(self.source.hidden)}"

    def _lose(self) -> str:
        share = self._rng.choice([0.05, 0.2, 0.2, 1.0])
        faults = self._rng.sample(WIRE_FAULTS, self._rng.randint(1, len(WIRE_FAULTS)))
        rng = random.Random(self._rng.random())
        self._wire = lambda: rng.choice(faults) if rng.random() < share else None
        return f"loses {share:.0%} of its responses by {', '.join(faults)}"

    # Times.

    def begin_run(self, changes: int, until_request: int | None) -> None:
        """
        Prepare *changes* at random requests of the next run, one at a time.

        From its request number *until_request* on, the source has no faults.
        """
        source = self.source
        with source.lock:
            source.requests.clear()
            source.shown.clear()
            source.denials.clear()
        moments = sorted(self._rng.randint(1, 12) for _ in range(changes))
        rng = random.Random(self._rng.random())

        def before_request(_endpoint: str) -> str | None:
            number = len(source.requests)
            while moments and moments[0] <= number:
                moments.pop(0)
                self._change(rng)
            if until_request is not None and number >= until_request:
                self.remove_faults()
                source.before_request = before_request
            return self._wire()

        source.before_request = before_request
