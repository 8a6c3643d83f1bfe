"""Which pages a sweep reads, against a list that is only a number of movies."""

import random

from hypothesis import given
from hypothesis import strategies as st

from ingest.report import PageReport
from ingest.sweep import OldestFirst, is_caught_up, is_end, last_page

MOVIES = st.integers(0, 700)


def page_of(page: int, movies: int, *, counted: int | None = None, known: bool = True):
    """Return the report of a page of a list of so many movies, ids from 1."""
    ids = tuple(range((page - 1) * 50 + 1, min(page * 50, movies) + 1))
    count = movies if counted is None else counted
    return PageReport(page, count, ids, is_known=known, is_full=len(ids) == 50, is_past_end=not ids)


@given(MOVIES, st.integers(-200, 200), st.randoms(use_true_random=False))
def test_a_sweep_reads_every_page_once_whatever_the_count_says(
    movies: int, wrong_by: int, chance: random.Random
):
    """
    The list's end is found though YTS's count is wrong, with no page read twice or left out.
    """
    counted = max(0, movies + wrong_by)
    sweep = OldestFirst(1, None)
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
    sweep = OldestFirst(1, None)
    sweep.take(page_of(1, movies))
    while pages := sweep.plan():
        for page in pages:
            if page != failed:
                sweep.take(page_of(page, movies))

    assert sweep.next_page == failed
    assert not sweep.is_complete


def test_a_limited_sweep_goes_on_where_it_ended():
    """
    Runs of few pages each read the whole list together.
    """
    movies, next_page, runs = 730, 1, 0
    read: set[int] = set()
    is_complete = False
    while not is_complete:
        sweep = OldestFirst(next_page, 4)
        sweep.take(page_of(next_page, movies))
        read.add(next_page)
        while pages := sweep.plan():
            for page in pages:
                sweep.take(page_of(page, movies))
                read.add(page)
        next_page, is_complete, runs = sweep.next_page, sweep.is_complete, runs + 1

    assert read == set(range(1, 16))
    assert runs == 4


def test_a_short_page_in_the_middle_is_no_end():
    """
    A page that repeats a movie has fewer distinct ones; the list goes on.
    """
    short = PageReport(3, 700, tuple(range(101, 149)), True, is_full=False, is_past_end=False)

    assert not is_end(short)
    assert is_end(page_of(14, 700 - 10))


def test_a_cron_run_stops_after_two_pages_of_nothing_new():
    """
    One known page is not enough, for the order of the list has small exceptions.
    """
    old, new = page_of(1, 100), page_of(1, 100, known=False)

    assert not is_caught_up([old], 100)
    assert not is_caught_up([new, old], 100)
    assert is_caught_up([new, old, old], 100)


def test_known_movies_above_the_watermark_do_not_stop_a_cron_run():
    """
    A killed run leaves new movies behind that are known, with a gap below them.
    """
    above = page_of(9, 450)

    assert not is_caught_up([above, above], 400)
    assert is_caught_up([above, above], 450)
