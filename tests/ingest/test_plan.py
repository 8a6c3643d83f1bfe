"""`parse_ids`, `plan_page_batches`, `plan_movie_batches`, `choose_batch_sizes`: ids and batches."""

from collections.abc import Iterator
from itertools import accumulate, cycle, islice, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ids import HIGHEST_ID, parse_ids
from ingest.plan import (
    SECONDS_PER_BATCH,
    ListPage,
    choose_batch_sizes,
    plan_movie_batches,
    plan_page_batches,
)


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 50)), min_size=1, max_size=10))
def test_parsed_ids_are_those_written_each_once(parts: list[tuple[int, int]]):
    """Overlapping and unsorted ranges give each id once, in ascending order."""
    written = ",".join(f"{low}-{low + more}" if more else str(low) for low, more in parts)

    ids = [id_ for ids in parse_ids(written) for id_ in ids]

    assert ids == sorted({id_ for low, more in parts for id_ in range(low, low + more + 1)})


@pytest.mark.parametrize(
    "nonsense", ["", "x", "1-", "-5", "5-1", "0", "1,,2", "1.5", "1-2-3", f"{HIGHEST_ID + 1}", "²"]
)
def test_invalid_ids_are_refused_with_the_part_that_is_wrong(nonsense: str):
    """Anything that is not an id or a range of ids is refused."""
    with pytest.raises(ValueError, match=r"ids|id and no range"):
        parse_ids(nonsense)


@given(st.lists(st.integers(1, 10**6), max_size=200), st.lists(st.integers(1, 60), min_size=1))
def test_batches_cover_the_ids_in_their_order(ids: list[int], sizes: list[int]):
    """All batches except the last are full, and together they are the ids."""
    batches = [batch.ids for batch in plan_movie_batches(ids, cycle(sizes))]

    assert [id_ for batch in batches for id_ in batch] == ids
    assert all(len(batch) == size for batch, size in zip(batches[:-1], cycle(sizes), strict=False))
    assert all(batches)


@given(st.integers(0, 200), st.integers(1, 60))
def test_batches_of_pages_are_made_as_they_are_needed(count: int, batch_size: int):
    """Batches have the pages in their order; no page is taken before its batch is."""
    taken: list[ListPage] = []

    def wanted() -> Iterator[ListPage]:
        for number in range(1, count + 1):
            taken.append(ListPage(number))
            yield taken[-1]

    come: list[ListPage] = []
    for batch in plan_page_batches(wanted(), repeat(batch_size)):
        come += batch.pages
        assert come == taken
        assert len(come) == min(count, len(come) - len(batch.pages) + batch_size)
    assert [page.page for page in come] == list(range(1, count + 1))


@given(
    st.integers(1, 1000),
    st.integers(1, 64),
    st.integers(0, 10**6),
    st.floats(0, 1000),
    st.integers(1, 64),
)
def test_batches_keep_every_worker_busy_and_come_back_soon(
    most: int, workers: int, expected: int, rate: float, least: int
):
    """Batches fit the rate, and become so small that no worker waits long for another."""
    sizes = choose_batch_sizes(most, workers=workers, expected=expected, rate=rate, least=least)
    come = list(islice(sizes, 200))
    left = [expected - done for done in accumulate(come, initial=0)]

    assert come == sorted(come, reverse=True)
    for size, remaining in zip(come, left, strict=False):
        assert 1 <= size <= most
        assert size == 1 or size * workers <= rate * SECONDS_PER_BATCH or rate == 0
        assert size <= least or remaining > (size - 1) * workers
