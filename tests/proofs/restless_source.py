"""`RestlessSource`: draws changes of a catalogue, and the ways in which its source is wrong."""

import random
from collections.abc import Callable, Iterator

from tests.support.scripted_source import WIRE_FAULTS, ScriptedSource

#: Of the changes; rarer ones cannot be told from outages if they come in large numbers.
WEIGHTS = {"add": 4, "remove": 1, "date again": 2, "number again": 1, "swap": 2, "rename": 2}
#: Most kinds of faults in one night.
MOST_FAULTS = 3


class RestlessSource:
    """Changes *source* at random, and adds faults to its responses."""

    def __init__(self, source: ScriptedSource, dice: random.Random) -> None:
        """Leave it as it is for now; its highest id is the number of its movies."""
        self.source, self._dice = source, dice
        self._next_id = len(source.ids) + 1
        #: Ids that movies got which had others before.
        self.renumbered: set[int] = set()
        self.changes_made = 0
        #: How many movies may still lose their ids: more at once are not believed.
        self.removals_left = 0
        self._wire: Callable[[], str | None] = lambda: None
        self._planned: Iterator[int] = iter(())

    # What changes in the catalogue.

    def change(self, count: int) -> None:
        """Make *count* changes."""
        # Threads that answer requests throw dice of their own, so that a seed decides the rest.
        dice = random.Random(self._dice.random())
        for _ in range(count):
            self._change(dice)

    def _change(self, dice: random.Random) -> None:
        with self.source.lock:
            self.changes_made += 1
            self._make_change(*dice.choices(list(WEIGHTS), list(WEIGHTS.values())), dice)

    def _make_change(self, name: str, dice: random.Random) -> None:
        ids, place = self.source.ids, dice.randrange(len(self.source.ids))
        if name in {"remove", "number again"}:
            if self.removals_left < 1:
                name = "add"
            self.removals_left -= 1
        if name == "add":
            self._next_id += dice.choice([0, 0, 0, 1, 2])
            ids.append(self._new_id())
        elif name == "remove":
            ids.pop(place)
        elif name == "date again":
            ids.append(ids.pop(place))
        elif name == "number again":
            fields = self.source.changes.get(ids[place], {})
            ids[place] = self._new_id()
            self.source.changes[ids[place]] = {**fields, "slug": f"the-lamp-{ids[place]}-2019"}
            self.renumbered.add(ids[place])
        elif name == "swap":
            other = ids[dice.randrange(len(ids))]
            slugs = [self._slug(ids[place]), self._slug(other)]
            self._set(other, slug=slugs[0])
            self._set(ids[place], slug=slugs[1])
        else:
            title = f"Renamed {dice.randrange(1000)}"
            self._set(ids[place], title=title, title_english=title)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _slug(self, movie_id: int) -> str:
        slug: str = self.source.changes.get(movie_id, {}).get("slug", f"the-lamp-{movie_id}-2019")
        return slug

    def _set(self, movie_id: int, **fields: str) -> None:
        self.source.changes[movie_id] = {**self.source.changes.get(movie_id, {}), **fields}

    # In which ways the source is wrong.

    def spoil(self) -> list[str]:
        """Draw the faults of a night; return them in words, none in a calm night."""
        faults = [
            self._shorten, self._repeat, self._cap, self._break_paging, self._miscount,
            self._deny, self._deny_all, self._hide, self._lose, self._lose,
        ]  # fmt: skip
        count = self._dice.choice([0, *range(1, MOST_FAULTS + 1)])
        return [fault() for fault in self._dice.sample(faults, count)]

    def be_honest(self) -> None:
        """Be right again in every way, and let nothing change."""
        self.source.be_honest()
        self._wire = lambda: None

    def _page(self) -> int:
        """Return any page, or one of those at the end, which ordinary runs read."""
        last = len(self.source.ids) // 50 + 1
        return self._dice.choice([self._dice.randint(1, last), last - 1, last])

    def _shorten(self) -> str:
        pages = {self._page(): self._dice.choice([0, 1, 20, 49]) for _ in range(2)}
        self.source.shortened = pages
        return f"pages shortened to {pages}"

    def _repeat(self) -> str:
        page, other = self._page(), self._dice.randint(1, len(self.source.ids) // 50)
        self.source.repeated = {page: other}
        self.source.says_page = self._dice.random() < 0.3
        return f"page {page} comes with the rows of page {other}, {self._says('page')}"

    def _cap(self) -> str:
        self.source.most_rows = self._dice.choice([7, 20, 33, 49])
        self.source.says_limit = self._dice.random() < 0.5
        return f"at most {self.source.most_rows} rows a page, {self._says('limit')}"

    def _break_paging(self) -> str:
        name = self._dice.choice(["ignores_page", "clamps_page"])
        setattr(self.source, name, True)
        self.source.says_page = self._dice.random() < 0.5
        return f"{name}, {self._says('page')}"

    def _says(self, name: str) -> str:
        return f"{'and' if getattr(self.source, f'says_{name}') else 'never'} says the {name}"

    def _miscount(self) -> str:
        wrong_by = self._dice.choice([-1000, -60, -7, -1, 1, 7, 60, 1000])
        flickers, source = self._dice.random() < 0.5, self.source
        source.count = lambda true: max(
            0, true + (0 if flickers and len(source.requests) % 2 else wrong_by)
        )
        return f"counts {wrong_by:+} {'now and then' if flickers else 'always'}"

    def _deny(self) -> str:
        self.source.denied = set(self._dice.sample(self.source.ids, self._dice.randint(1, 5)))
        return f"denies {sorted(self.source.denied)}"

    def _deny_all(self) -> str:
        self.source.denies_all = True
        return "denies all movies"

    def _hide(self) -> str:
        self.source.hidden = set(self._dice.sample(self.source.ids, self._dice.randint(1, 5)))
        if self._dice.random() < 0.3:
            self.source.denied = self.source.denied | self.source.hidden
        return f"hides {sorted(self.source.hidden)}"

    def _lose(self) -> str:
        share = self._dice.choice([0.05, 0.2, 0.2, 1.0])
        faults = self._dice.sample(WIRE_FAULTS, self._dice.randint(1, len(WIRE_FAULTS)))
        dice = random.Random(self._dice.random())
        self._wire = lambda: dice.choice(faults) if dice.random() < share else None
        return f"loses {share:.0%} of its responses by {', '.join(faults)}"

    # When.

    def begin_run(self, changes: int, until_request: int | None) -> None:
        """
        Let *changes* happen during the next run, one at a time, at random requests of it.

        From request *until_request* of it on the source is honest.
        """
        source = self.source
        with source.lock:
            source.requests.clear()
            source.shown.clear()
            source.denials.clear()
        moments = sorted(self._dice.randint(1, 12) for _ in range(changes))
        dice = random.Random(self._dice.random())

        def before_request(_endpoint: str) -> str | None:
            asked = len(source.requests)
            while moments and moments[0] <= asked:
                moments.pop(0)
                self._change(dice)
            if until_request is not None and asked >= until_request:
                self.be_honest()
                source.before_request = before_request
            return self._wire()

        source.before_request = before_request
