"""`Catalogue`: all movies of a sandbox by id, made when they are read; add, remove, change."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from itertools import islice, pairwise

from sandbox.catalogue.facts import Facts, draw_facts, film_facts
from sandbox.catalogue.film_cast import CastMember, draw_cast, film_cast
from sandbox.catalogue.films import Film
from sandbox.catalogue.movie_ids import added_order, existing_ids
from sandbox.catalogue.people import people_of
from sandbox.catalogue.quirks import NAMESAKE, QUIRKS, Quirks, draw_quirks
from sandbox.catalogue.random_streams import Purpose, random_for
from sandbox.catalogue.story import make_plot
from sandbox.catalogue.torrents import Torrent, draw_torrents

_NO_QUIRKS: Quirks = frozenset()
#: Genre of the plot of a movie without genres.
_FILLER_GENRES = ("Drama",)
#: Enough for a search through a catalogue of the real size without making any movie twice.
_CACHED_FACTS = 1 << 17
#: One response reads the quirks of its movies several times.
_CACHED_QUIRKS = 1 << 10
#: Made-up IMDb codes: ids times a factor, modulo a prime, so that each id has its own.
_IMDB_PRIME = 99_999_989
_IMDB_FACTOR = 48_271
_IMDB_INVERSE = pow(_IMDB_FACTOR, -1, _IMDB_PRIME)


class Catalogue:
    """
    The existing movies: the real films have the lowest ids, then come made-up movies.

    Not thread-safe: it belongs to the server's event loop.
    """

    def __init__(self, films: Sequence[Film], movie_count: int, seed: int) -> None:
        self.seed = seed
        self.people = people_of(seed, tuple(actor for film in films for actor, _ in film.cast))
        self._numbers = existing_ids(seed)
        self.ids = list(islice(self._numbers, movie_count))
        #: Oldest first.
        self.order = added_order(self.ids, seed)
        self._films = dict(zip(self.ids, films, strict=False))
        self._promised = self._promise_quirks()
        self._revisions: dict[int, int] = {}
        #: Grows with every change, so that cached selections become invalid.
        self.version = 0
        self._facts = lru_cache(_CACHED_FACTS)(self._make_facts)
        self._drawn_quirks = lru_cache(_CACHED_QUIRKS)(partial(draw_quirks, seed))

    def __contains__(self, movie_id: int) -> bool:
        index = bisect_left(self.ids, movie_id)
        return index < len(self.ids) and self.ids[index] == movie_id

    def revision(self, movie_id: int) -> int:
        """Return how often a movie was changed since the start."""
        return self._revisions.get(movie_id, 0)

    def quirks(self, movie_id: int) -> Quirks:
        """Return the quirks of a movie; real films have none."""
        if movie_id in self._films:
            return _NO_QUIRKS
        return self._promised.get(movie_id) or self._drawn_quirks(movie_id)

    def facts(self, movie_id: int) -> Facts:
        """Return the current facts of an existing movie."""
        return self._facts(movie_id, self.revision(movie_id))

    def plot(self, movie_id: int) -> str:
        """Return the plot, "" for a movie without texts."""
        if film := self._films.get(movie_id):
            return film.plot
        if "empty texts" in self.quirks(movie_id):
            return ""
        rng = random_for(self.seed, movie_id, Purpose.PLOT)
        return make_plot(rng, self.facts(movie_id).genres or _FILLER_GENRES)

    def cast(self, movie_id: int) -> tuple[CastMember, ...] | None:
        """Return all actors, up to six; None if YTS leaves the key out."""
        if film := self._films.get(movie_id):
            return film_cast(film, self.people)
        return draw_cast(self.seed, movie_id, self.people, self.quirks(movie_id))

    def torrents(self, movie_id: int) -> tuple[Torrent, ...]:
        """Return the torrents; torrents of changes come last."""
        minutes = self.facts(movie_id).runtime_minutes
        quirks = self.quirks(movie_id)
        return draw_torrents(self.seed, movie_id, minutes, quirks, self.revision(movie_id))

    def imdb_code(self, movie_id: int) -> str:
        """Return the made-up IMDb code; no two movies share one."""
        return f"tt{movie_id * _IMDB_FACTOR % _IMDB_PRIME:07d}"

    def find_imdb(self, code: str) -> int:
        """Return the id of the movie with an IMDb code, 0 if there is none."""
        digits = code.removeprefix("tt")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 9):
            return 0
        movie_id = int(digits) * _IMDB_INVERSE % _IMDB_PRIME
        return movie_id if movie_id in self else 0

    def add(self, count: int) -> list[int]:
        """Add *count* newer movies; return their ids."""
        added = list(islice(self._numbers, count))
        self.ids.extend(added)
        self.order.extend(added_order(added, self.seed))
        self.version += 1
        return added

    def remove(self, movie_ids: Iterable[int]) -> list[int]:
        """Remove movies; return the ids that existed."""
        removed = {movie_id for movie_id in movie_ids if movie_id in self}
        self.ids = [movie_id for movie_id in self.ids if movie_id not in removed]
        self.order = [movie_id for movie_id in self.order if movie_id not in removed]
        self.version += 1
        return sorted(removed)

    def change(self, movie_ids: Iterable[int]) -> list[int]:
        """Change the rating of movies and add a torrent to each; return the ids that exist."""
        changed = sorted({movie_id for movie_id in movie_ids if movie_id in self})
        for movie_id in changed:
            self._revisions[movie_id] = self.revision(movie_id) + 1
        self.version += 1
        return changed

    def _make_facts(self, movie_id: int, revision: int) -> Facts:
        film = self._films.get(movie_id)
        if film:
            facts = film_facts(film, self.seed, movie_id)
        else:
            facts = draw_facts(self.seed, movie_id, self.quirks(movie_id))
        return facts._replace(rating=_rating_after(facts.rating, revision))

    def _promise_quirks(self) -> dict[int, Quirks]:
        """Return one movie for each quirk, right after the films."""
        generated = self.ids[len(self._films) :]
        promised = {
            movie_id: frozenset({quirk}) for movie_id, quirk in zip(generated, QUIRKS, strict=False)
        }
        for neighbour, movie_id in pairwise(generated[len(promised) :]):
            if movie_id == neighbour + 1 and not draw_quirks(self.seed, neighbour):
                promised[movie_id] = frozenset({NAMESAKE})
                break
        return promised


def _rating_after(rating: float, changes: int) -> float:
    """Return the rating, 0.3 higher for each change, modulo 10."""
    return round((rating + 0.3 * changes) % 10, 1)
