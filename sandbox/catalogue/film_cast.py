"""`draw_cast`, `film_cast`: the cast of a movie; `sample`: the four that a response shows."""

from random import Random
from typing import NamedTuple

from sandbox.catalogue.films import Film
from sandbox.catalogue.people import People, make_role
from sandbox.catalogue.quirks import Quirks
from sandbox.catalogue.random_streams import Purpose, random_for

#: Largest cast in a response.
SHOWN = 4
_LARGEST_CAST = 6


class CastMember(NamedTuple):
    """An actor and the role."""

    name: str
    role: str
    imdb_code: str
    has_picture: bool


def film_cast(film: Film, people: People) -> tuple[CastMember, ...]:
    """Return the real cast of a film."""
    return tuple(_member(actor, role, people) for actor, role in film.cast)


def draw_cast(
    seed: int, movie_id: int, people: People, quirks: Quirks
) -> tuple[CastMember, ...] | None:
    """Return a made-up cast; None means that the response has no such key."""
    if "cast absent" in quirks:
        return None
    rng = random_for(seed, movie_id, Purpose.CAST)
    size = _cast_size(rng, quirks)
    # A name that is drawn twice has one role only.
    names = dict.fromkeys(people.draw(rng) for _ in range(2 * size))
    return tuple(_member(name, make_role(rng), people) for name in list(names)[:size])


def sample(cast: tuple[CastMember, ...], turn: int) -> tuple[CastMember, ...]:
    """Return the four members for response number *turn*; every member has a turn."""
    if len(cast) <= SHOWN:
        return cast
    start = turn % len(cast)
    return (cast[start:] + cast[:start])[:SHOWN]


def _cast_size(rng: Random, quirks: Quirks) -> int:
    if "cast empty" in quirks:
        return 0
    if "short cast" in quirks:
        return rng.randrange(1, SHOWN)
    return rng.randrange(SHOWN + 1, _LARGEST_CAST + 1) if "large cast" in quirks else SHOWN


def _member(name: str, role: str, people: People) -> CastMember:
    return CastMember(name, role, people.code(name), people.has_picture(name))
