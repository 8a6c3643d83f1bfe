"""`parse_page`, `parse_details`: any bytes give storable movies or an error of `yts.errors`."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.data.examples import examples
from tests.support.data.yts_responses import a_movie, a_row, details_response, page_response
from yts.errors import YtsError
from yts.payload import MoviePayload
from yts.responses import parse_details, parse_page

fuzz = examples(60)

WHOLE_RESPONSES: list[bytes] = [
    page_response(a_row(1), a_row(2), a_row(3)),
    details_response(a_movie(1)),
]

any_scalar = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["\ud800", "a\0b", "\udfff\0", "", "0", "-1", "1e999", 2**31, 2**63, -0.0]),
)
any_json = st.recursive(
    any_scalar,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def parse_both_ways(body: bytes) -> Iterator[MoviePayload]:
    """Parse *body* as a page and as details; suppress only errors of `yts.errors`."""
    page_or_movie: list[Callable[[], Any]] = [
        lambda: parse_page(body).movies,
        lambda: [parse_details(body, 1)],
    ]
    for parse in page_or_movie:
        try:
            yield from (movie for movie in parse() if movie is not None)
        except YtsError as error:
            assert_storable_text(str(error))


def assert_storable_text(text: str) -> None:
    """Assert that PostgreSQL can store *text*."""
    assert text.encode("utf-8")
    assert "\0" not in text


def assert_storable(movie: MoviePayload) -> None:
    """Assert that every text of *movie*, its torrents and its cast can be stored."""
    stored = movie.model_dump(exclude=set(movie.model_extra or ()))
    written = json.dumps(stored | {"title": movie.display_title}, ensure_ascii=False)
    assert_storable_text(written)
    assert r"\u0000" not in written.replace(r"\\", "")
    assert movie.uploaded_at is None or movie.uploaded_at.utcoffset() is not None


@fuzz
@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_yts_error(body: bytes):
    """
    The parser raises only errors of `yts.errors`, also after the start of a valid envelope.
    """
    for start in (b"", b'{"status":"ok","data":{"movie_count":1,"movies":[{"id":1,"title":'):
        for movie in parse_both_ways(start + body):
            assert_storable(movie)


@fuzz
@given(any_json, any_json)
def test_any_json_gives_a_value_or_a_yts_error(data: Any, row: Any):
    """
    Any JSON replaces the data, a row, or a movie.
    """
    bodies = (page_response(row, a_row(1)), details_response(row), json.dumps(data).encode())
    for body in bodies:
        for movie in parse_both_ways(body):
            assert_storable(movie)


@fuzz
@given(st.sampled_from(WHOLE_RESPONSES), st.integers(0, 2**32), st.lists(any_json, min_size=3))
def test_damaged_responses_give_a_value_or_a_yts_error(
    whole: bytes, seed: int, replacements: list[Any]
):
    """
    Nodes of a valid response are dropped or replaced.
    """
    response = json.loads(whole)
    rng = random.Random(seed)
    for replacement in replacements:
        damage(response, replacement, rng)
    for movie in parse_both_ways(json.dumps(response).encode()):
        assert_storable(movie)


@fuzz
@given(st.sampled_from(WHOLE_RESPONSES), st.data())
def test_truncated_and_changed_responses_give_a_value_or_a_yts_error(
    whole: bytes, data: st.DataObject
):
    """
    The response is truncated, or a byte is changed.
    """
    position = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    for body in (
        whole[:position],
        whole[:position] + byte + whole[position + 1 :],
        whole[position:],
    ):
        for movie in parse_both_ways(body):
            assert_storable(movie)


def damage(response: Any, replacement: Any, rng: random.Random) -> None:
    """Walk to some node of *response* and drop it or put *replacement* there."""
    parent, key = None, None
    node = response
    while isinstance(node, dict | list) and node and (parent is None or rng.random() < 0.8):
        parent, key = node, rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
        node = parent[key]
    if parent is None:
        return
    if rng.random() < 0.3:
        del parent[key]
    else:
        parent[key] = replacement
