"""What the processes of a test do: each saves its share of movies, as workers do."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from sqlalchemy import URL

from database.db import DatabaseManager
from database.step import Step, save_step
from tests.support.movies import Json, payloads

MOVIES_PER_STEP = 20


def save_in_random_order(url: URL, run_id: int, movies: Sequence[Json], seed: int) -> Counter[str]:
    """Save *movies* in steps, in an order of our own; return how many came to which outcome."""
    dice = random.Random(seed)
    order = dice.sample(movies, len(movies))
    outcomes: Counter[str] = Counter()
    with DatabaseManager(url, pool_size=2, max_overflow=5) as db:
        for begin in range(0, len(order), MOVIES_PER_STEP):
            batch = tuple(payloads(order[begin : begin + MOVIES_PER_STEP]))
            step = Step(batch, has_details=True, update=True)
            outcomes += save_step(db, run_id, step).outcomes
    return outcomes


def run_in_processes(
    function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """Call *function* in as many new processes as there are *arguments*, all at once."""
    with ProcessPoolExecutor(len(arguments), mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(function, *each) for each in arguments]
        return [future.result(timeout=60) for future in futures]
