"""Dice that fall the same way each time: one set for each seed, movie and purpose."""

from collections.abc import Sequence
from enum import IntEnum
from random import Random
from typing import TypeVar

Face = TypeVar("Face")


class Purpose(IntEnum):
    """What a movie's dice are thrown for, so that one draw more here moves nothing there."""

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
    """Give the dice of one movie for one purpose; movie 0 stands for the whole catalogue."""
    # Plain integers: random seeds on them faster than on text, and alike on every machine.
    return Random((seed << 48) ^ (movie_id << 8) ^ purpose)  # noqa: S311  # no secrets here


def pick(rng: Random, faces: Sequence[Face]) -> Face:
    """Do what rng.choice does, three times as fast; a sweep makes millions of these."""
    return faces[int(rng.random() * len(faces))]
