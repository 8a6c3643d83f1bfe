"""Which pages a sweep reads, against a list that is only a number of movies."""

import random

from hypothesis import given
from hypothesis import strategies as st

from ingest.report import PageReport
from ingest.sweep import Sweep, is_end, last_page

MOVIES = st.integers(0, 700)


def page_of(page: int, movies: int, *, counted: int | None = None):
    """Return the report of a page of a list of so many movies."""
    rows = min(50, max(0, movies - (page - 1) * 50))
    count = movies if counted is None else counted
    return PageReport(page, count, is_full=rows == 50, is_past_end=not rows)


@given(MOVIES, st.integers(-200, 200), st.randoms(use_true_random=False))
def test_a_sweep_reads_every_page_once_whatever_the_count_says(
    movies: int, wrong_by: int, chance: random.Random
):
    """
    The list's end is found though YTS's count is wrong, with no page read twice or left out.
    """
    counted = max(0, movies + wrong_by)
    sweep = Sweep(1, 1, None)
    read: list[int] = [1]
    sweep.take(page_of(1, movies, counted=counted))
    while pages := list(sweep.plan()):
        chance.shuffle(pages)
        for page in pages:
            read.append(page)
            sweep.take(page_of(page, movies, counted=counted))

    assert len(read) == len(set(read))
    assert set(range(1, last_page(movies) + 1)) <= set(read)
    assert sweep.is_complete
    assert len(read) <= max(last_page(movies), last_page(counted)) + 1


@given(st.integers(51, 700), st.data())
def test_a_page_that_failed_holds_the_sweep(movies: int, data: st.DataObject):
    """
    The next run begins at the first page that is not saved, and no watermark moves.
    """
    failed = data.draw(st.integers(2, last_page(movies)))
    sweep = Sweep(1, 1, None)
    sweep.take(page_of(1, movies))
    while pages := sweep.plan():
        for page in pages:
            if page != failed:
                sweep.take(page_of(page, movies))

    assert sweep.next_page == failed
    assert not sweep.is_complete


@given(st.integers(1, 2000), st.integers(1, 6), st.integers(0, 2))
def test_limited_sweeps_read_the_whole_list_together(movies: int, limit: int, again: int):
    """
    Each goes on where the one before ended, however many pages are read once more.
    """
    next_page, runs, is_complete = 1, 0, False
    read: set[int] = set()
    while not is_complete:
        start = max(1, next_page - again)
        sweep = Sweep(start, next_page, limit)
        sweep.take(page_of(start, movies))
        read.add(start)
        while pages := sweep.plan():
            for page in pages:
                sweep.take(page_of(page, movies))
                read.add(page)
        next_page, is_complete, runs = sweep.next_page, sweep.is_complete, runs + 1

    assert set(range(1, last_page(movies) + 1)) <= read
    assert runs <= last_page(movies) // limit + 1


@given(st.integers(151, 700))
def test_the_next_sweep_begins_with_the_page_that_grows(movies: int):
    """
    The last page fills up before another follows.
    """
    sweep = Sweep(1, 1, None)
    sweep.take(page_of(1, movies))
    while pages := sweep.plan():
        for page in pages:
            sweep.take(page_of(page, movies))

    assert sweep.next_page == movies // 50 + 1


def test_a_sweep_that_is_killed_at_once_has_not_gone_back():
    """
    Pages that are read once more are no progress, but no step back either.
    """
    sweep = Sweep(7, 9, None)
    sweep.take(page_of(7, 1000))

    assert sweep.next_page == 9


@given(st.permutations(range(1, 15)), st.integers(2, 14))
def test_a_count_that_falls_says_from_where_to_read_again(order: list[int], falls_at: int):
    """
    Whatever order the answers come in: pages before it were all answered before the removal.
    """
    sweep = Sweep(1, 1, None)
    for page in order:
        sweep.take(page_of(page, 700, counted=700 if page < falls_at else 699))

    assert sweep.recheck_page == falls_at


def test_a_short_page_in_the_middle_is_no_end():
    """
    A page that repeats a movie has fewer distinct ones; the list goes on.
    """
    short = PageReport(3, 700, is_full=False, is_past_end=False)

    assert not is_end(short)
    assert is_end(page_of(14, 700 - 10))
