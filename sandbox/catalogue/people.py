"""`people_of`: made-up actors, and the IMDb codes of all actors of a catalogue."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from random import Random

from sandbox.catalogue.random_streams import Purpose, pick, random_for
from sandbox.catalogue.words import FIRST_NAMES, LAST_NAMES, OCCUPATIONS

POOL_SIZE = 6_000
#: The larger, the more evenly the roles are spread; at 100 the busiest actor has 1 in 400.
_EVENNESS = 100
#: One in five has no picture, as in the recorded responses.
_ACTORS_PER_MISSING_PICTURE = 5


class People:
    """All actors of a catalogue: one code for each name."""

    def __init__(self, seed: int, film_actors: Iterable[str]) -> None:
        real = dict.fromkeys(film_actors)
        drawn = random_for(seed, 0, Purpose.PEOPLE).sample(
            range(len(FIRST_NAMES) * len(LAST_NAMES)), POOL_SIZE
        )
        names = (_full_name(number) for number in drawn)
        # A made-up movie must never be credited to a real actor.
        self._pool = tuple(name for name in names if name not in real)
        self._codes = _give_codes([*real, *self._pool])

    def draw(self, rng: Random) -> str:
        """Draw one made-up actor; a few have many roles, most have few."""
        spread = len(self._pool) / _EVENNESS + 1
        rank = _EVENNESS * (spread ** rng.random() - 1)
        return self._pool[min(int(rank), len(self._pool) - 1)]

    def code(self, name: str) -> str:
        """Return the 7 or 8 digits of the IMDb person code, with leading zeros."""
        return f"{self._codes[name]:07d}"

    def has_picture(self, name: str) -> bool:
        """Return whether an actor has a picture; about one in five has none."""
        return self._codes[name] % _ACTORS_PER_MISSING_PICTURE != 0


@lru_cache(maxsize=4)
def people_of(seed: int, film_actors: tuple[str, ...]) -> People:
    """Return the people of a catalogue, which never change: to draw them takes 20 ms."""
    return People(seed, film_actors)


def make_role(rng: Random) -> str:
    """Return a made-up name of a role."""
    first_name = pick(rng, FIRST_NAMES)
    shape = rng.random()
    if shape < 0.4:
        return first_name
    if shape < 0.7:
        return f"{first_name} {pick(rng, LAST_NAMES)}"
    occupation = pick(rng, OCCUPATIONS).capitalize()
    # Slashes occur in real roles, and are escaped in JSON.
    return f"{occupation} / {first_name}" if shape < 0.75 else f"{occupation} {first_name}"


def _full_name(number: int) -> str:
    first, last = divmod(number, len(LAST_NAMES))
    return f"{FIRST_NAMES[first]} {LAST_NAMES[last]}"


def _give_codes(names: Iterable[str]) -> dict[str, int]:
    codes: dict[str, int] = {}
    taken: set[int] = set()
    for name in names:
        code = int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) % 20_000_000
        while code in taken:
            code += 1
        taken.add(code)
        codes[name] = code
    return codes
