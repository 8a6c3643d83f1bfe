"""`save_in_random_order`, `run_in_processes`: several processes that save movies at once."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from sqlalchemy import URL

from database.db import DatabaseManager
from database.step import Step, save_step
from tests.support.data.movies import Json, payloads

MOVIES_PER_STEP = 20


def save_in_random_order(url: URL, run_id: int, movies: Sequence[Json], seed: int) -> Counter[str]:
    """Save *movies* in steps, in an order that *seed* determines; return the outcomes."""
    order = random.Random(seed).sample(movies, len(movies))
    outcomes: Counter[str] = Counter()
    with DatabaseManager(url, pool_size=2, max_overflow=5, is_keyed=True) as db:
        for begin in range(0, len(order), MOVIES_PER_STEP):
            batch = tuple(payloads(order[begin : begin + MOVIES_PER_STEP]))
            step = Step(batch, detailed=frozenset(movie.id for movie in batch), update=True)
            outcomes += save_step(db, run_id, step).outcomes
    return outcomes


def run_in_processes(
    function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """Call *function* once for each of *arguments*, each call in a process of its own."""
    context = get_context("forkserver")
    # One process imports these modules; the others are its forks.
    context.set_forkserver_preload(
        ["tests.support.processes.savers", "tests.support.processes.takers"]
    )
    with ProcessPoolExecutor(len(arguments), mp_context=context) as pool:
        futures = [pool.submit(function, *each) for each in arguments]
        return [future.result(timeout=60) for future in futures]
