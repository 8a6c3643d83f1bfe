"""`YtsError` and its subclasses: their tree, and pickling between processes."""

import multiprocessing
import pickle
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
    YtsUnavailable("no response"),
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


def assert_equal(copy: BaseException, error: YtsError) -> None:
    """Check that *copy* has the class, the message and all attributes of *error*."""
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.args == error.args
    attributes = {name: value for name, value in vars(copy).items() if name[0] != "_"}
    assert attributes == vars(error)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_errors_can_be_pickled(error: YtsError):
    """
    Errors are sent between processes with all attributes, and from there to others.
    """
    assert_equal(pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(error)))), error)


@pytest.mark.long
def test_errors_arrive_from_another_process():
    """
    The process is started as those of the fetching pool.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        for error in ERRORS:
            with pytest.raises(YtsError) as caught:
                pool.submit(raise_it, error).result(timeout=60)
            assert_equal(caught.value, error)


def test_the_classes_of_errors_differ_by_the_reaction():
    """
    Retry, stop, or skip this movie. A response that is not from YTS is retried, one that is
    too large is not.
    """
    assert issubclass(ResponseTooLarge, MalformedMovie)
    assert issubclass(NotYts, YtsUnavailable)
    assert not issubclass(YtsRefused, YtsUnavailable)
    assert not issubclass(MalformedMovie, YtsUnavailable | YtsRefused)
    assert all(isinstance(error, YtsError) for error in ERRORS)


def test_the_text_of_an_error_is_its_reason_alone():
    """
    Numbers are attributes.
    """
    assert str(YtsUnavailable("too often", 12.5, True)) == "too often"
    assert str(MalformedMovie(4711, "year: no number")) == "year: no number"
