"""`existing_ids`: movie ids with gaps; `added_order`: the order in which lists show them."""

import math
from collections.abc import Iterator
from random import Random

from sandbox.catalogue.random_streams import Purpose, random_for

#: Of 78,890 real ids about 1.5 % are missing.
GAP_SHARE = 0.015
#: Share of neighbours that `date_added` shows in reverse order.
SWAP_SHARE = 0.01


def existing_ids(seed: int) -> Iterator[int]:
    """Yield ids from 1 without end, with a few gaps; the same gaps for a seed."""
    rng = random_for(seed, 0, Purpose.GAPS)
    movie_id = 1
    while True:
        run = _run_length(rng, GAP_SHARE)
        yield from range(movie_id, movie_id + run)
        movie_id += run + 1


def added_order(ids: list[int], seed: int) -> list[int]:
    """Return the ascending *ids* in the order of adding: a few neighbours are swapped."""
    order = list(ids)
    rng = random_for(seed, 0, Purpose.SWAPS)
    position = _run_length(rng, SWAP_SHARE)
    while position < len(order):
        order[position - 1], order[position] = order[position], order[position - 1]
        position += 1 + _run_length(rng, SWAP_SHARE)
    return order


def _run_length(rng: Random, end_share: float) -> int:
    """Draw the number of regular ids before the next exception; at least one."""
    return 1 + int(math.log(1 - rng.random()) / math.log(1 - end_share))
