"""`YtsError` and its subclasses: their tree, and pickling between processes."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from yts.errors import (
    MalformedMovie,
    NotYts,
    ResponseTooLarge,
    YtsError,
    YtsRefused,
    YtsUnavailable,
)

ERRORS = [
    YtsUnavailable("no answer"),
    YtsUnavailable("too often", 12.5, True),
    NotYts("a look-alike"),
    NotYts("a look-alike that throttles", 3.0, True),
    YtsRefused("moved to another host"),
    MalformedMovie(4711, "year: no number"),
    MalformedMovie(None, "no movie at all"),
    ResponseTooLarge(None, "larger than 8 MB"),
]


def raise_it(error: YtsError) -> None:
    """Run in another process."""
    raise error


@pytest.fixture(scope="module")
def other_process() -> Iterator[ProcessPoolExecutor]:
    """Start one process as the fetching pool does."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        yield pool


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_errors_cross_a_process_boundary_whole(other_process: ProcessPoolExecutor, error: YtsError):
    """
    Class, words and every attribute arrive, there and back again.
    """
    with pytest.raises(YtsError) as caught:
        other_process.submit(raise_it, error).result(timeout=60)

    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)
    assert caught.value.args == error.args
    told = {name: value for name, value in vars(caught.value).items() if name[0] != "_"}
    assert told == vars(error)


def test_the_kinds_differ_by_what_to_do():
    """
    Try again, stop, skip this movie; an answer that is not from YTS is one to try again,
    one that is too large is not.
    """
    assert issubclass(ResponseTooLarge, MalformedMovie)
    assert issubclass(NotYts, YtsUnavailable)
    assert not issubclass(YtsRefused, YtsUnavailable)
    assert not issubclass(MalformedMovie, YtsUnavailable | YtsRefused)
    assert all(isinstance(error, YtsError) for error in ERRORS)


def test_an_error_says_its_reason_and_nothing_else():
    """
    The numbers are for programs.
    """
    assert str(YtsUnavailable("too often", 12.5, True)) == "too often"
    assert str(MalformedMovie(4711, "year: no number")) == "year: no number"
