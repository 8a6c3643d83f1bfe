"""`random_for`: a repeatable random generator for each seed, movie and purpose."""

from collections.abc import Sequence
from enum import IntEnum
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


class Purpose(IntEnum):
    """One generator for each purpose, so that a new draw for one does not change the others."""

    QUIRKS = 1
    NAME = 2
    FACTS = 3
    PLOT = 4
    CAST = 5
    TORRENTS = 6
    SUGGESTIONS = 7
    UPLOAD = 8
    GAPS = 9
    SWAPS = 10
    PEOPLE = 11


def random_for(seed: int, movie_id: int, purpose: Purpose) -> Random:
    """Return the generator of one movie for one purpose; movie 0 means the whole catalogue."""
    # Integers: seeding with them is faster than with text, and the same on every machine.
    return Random((seed << 48) ^ (movie_id << 8) ^ purpose)  # noqa: S311  # no secrets here


def pick(rng: Random, items: Sequence[Item]) -> Item:
    """Return a random item like rng.choice, three times as fast; a sweep draws millions."""
    return items[int(rng.random() * len(items))]
