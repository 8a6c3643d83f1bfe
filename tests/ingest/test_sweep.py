"""Which pages `Sweep` plans, for a list that is only a number of movies."""

import random

from hypothesis import given
from hypothesis import strategies as st

from ingest.phases.sweep import Sweep, convert_page, last_page
from ingest.report import PageReport

MOVIES = st.integers(0, 700)


def page_of(page: int, movies: int, *, counted: int | None = None):
    """Return the report of page *page* of a list of *movies*."""
    rows = min(50, max(0, movies - (page - 1) * 50))
    count = movies if counted is None else counted
    return PageReport(page, count, rows, digest=page)


@given(MOVIES, st.integers(-200, 200), st.randoms(use_true_random=False))
def test_a_sweep_reads_every_page_once_whatever_the_count_says(
    movies: int, wrong_by: int, order: random.Random
):
    """The end is found although the count of YTS is wrong; no page is read twice or left out."""
    counted = max(0, movies + wrong_by)
    sweep = Sweep(1, 1, None)
    read: list[int] = [1]
    sweep.record(page_of(1, movies, counted=counted))
    while pages := list(sweep.plan()):
        order.shuffle(pages)
        for page in pages:
            read.append(page)
            sweep.record(page_of(page, movies, counted=counted))

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
    sweep.record(page_of(1, movies))
    while pages := list(sweep.plan()):
        for page in pages:
            if page != failed:
                sweep.record(page_of(page, movies))

    assert sweep.next_page == failed
    assert not sweep.is_complete


@given(st.integers(1, 2000), st.integers(1, 6), st.integers(0, 2))
def test_limited_sweeps_read_the_whole_list_together(movies: int, limit: int, again: int):
    """Each sweep continues where the one before ended, however many pages are read again."""
    next_page, runs, is_complete = 1, 0, False
    read: set[int] = set()
    while not is_complete:
        start = max(1, next_page - again)
        sweep = Sweep(start, next_page, limit)
        sweep.record(page_of(start, movies))
        read.add(start)
        while pages := list(sweep.plan()):
            for page in pages:
                sweep.record(page_of(page, movies))
                read.add(page)
        next_page, is_complete, runs = sweep.next_page, sweep.is_complete, runs + 1

    assert set(range(1, last_page(movies) + 1)) <= read
    assert runs <= last_page(movies) // limit + 1


@given(st.integers(151, 700))
def test_the_next_sweep_begins_with_the_page_that_grows(movies: int):
    """The last page gets more rows before another page follows."""
    sweep = Sweep(1, 1, None)
    sweep.record(page_of(1, movies))
    while pages := list(sweep.plan()):
        for page in pages:
            sweep.record(page_of(page, movies))

    assert sweep.next_page == movies // 50 + 1


def test_a_sweep_that_is_killed_at_once_has_not_gone_back():
    """Pages that are read again do not count as progress, and not as a step back either."""
    sweep = Sweep(7, 9, None)
    sweep.record(page_of(7, 1000))

    assert sweep.next_page == 9


@given(st.permutations(range(1, 15)), st.integers(2, 14))
def test_a_count_that_falls_says_from_where_to_read_again(order: list[int], falls_at: int):
    """The order of the responses does not matter: pages before came before the removal."""
    sweep = Sweep(1, 1, None)
    for page in order:
        sweep.record(page_of(page, 700, counted=700 if page < falls_at else 699))

    assert sweep.recheck_page == falls_at


def test_a_short_page_before_others_is_a_failure_and_not_the_end():
    """The pages after it are read, and the next run begins with the short page."""
    sweep = Sweep(1, 1)
    for page in (1, 2, 3, 4):
        rows = 20 if page == 2 else 50
        sweep.record(PageReport(page, 210, rows, digest=page))
    read = []
    while pages := list(sweep.plan()):
        for page in pages:
            read.append(page)
            sweep.record(page_of(page, 210))

    assert read == [5, 6]
    assert [page.page for page in sweep.short_pages] == [2]
    assert (sweep.is_complete, sweep.next_page) == (False, 2)


def test_an_end_is_confirmed_by_the_empty_page_after_it():
    """A single short page may lack rows that the list has."""
    sweep = Sweep(1, 1)
    sweep.record(page_of(1, 70))
    sweep.record(page_of(2, 70))

    assert not sweep.is_complete
    assert list(sweep.plan()) == [3]
    sweep.record(page_of(3, 70))
    assert sweep.is_complete
    assert list(sweep.plan()) == []


def test_an_empty_page_ends_the_requests_however_many_movies_are_counted():
    """Pages after the empty one are not requested, although the count promises them."""
    sweep = Sweep(1, 1)
    for page in (1, 2, 3):
        sweep.record(page_of(page, 100, counted=100_000))

    assert list(sweep.plan()) == []
    assert sweep.is_complete


def test_a_page_that_comes_twice_is_noticed():
    """A source that ignores the page number gives the same rows for another page."""
    sweep = Sweep(1, 1)
    sweep.record(PageReport(1, 200, 50, digest=7))

    assert sweep.repeated_page(PageReport(2, 200, 50, digest=7)) == 1
    assert sweep.repeated_page(PageReport(1, 200, 50, digest=7)) is None
    assert sweep.repeated_page(PageReport(3, 100, 50, digest=None)) is None


@given(st.integers(1, 3000), st.integers(1, 50))
def test_a_smaller_page_size_never_skips_a_row(page: int, size: int):
    """The page in the other size begins with the same row, or before it."""
    converted = convert_page(page, 50, size)

    assert (converted - 1) * size <= (page - 1) * 50 < converted * size
    assert convert_page(converted, size, 50) <= page
