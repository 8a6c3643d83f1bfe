"""
`parse_details` and the envelope: missing movies, other movies, noise, and other JSON.

Quirks and sections are those of docs/yts-api.md.
"""

import pytest

from tests.support.data.yts_responses import (
    a_ghost,
    a_movie,
    a_row,
    answer,
    details_response,
    page_response,
    wire,
    without,
)
from yts.errors import MalformedMovie, NotYts, YtsUnavailable
from yts.responses import parse_details, parse_page

PHP_WARNING = b"<br />\n<b>Warning</b>: mysqli_query() {gone} in <b>/api/index.php</b><br />\n"


def test_the_ghost_of_a_missing_movie_is_none():
    """
    For a missing movie YTS sends id 0 with all genres and a title of " ()" (docs/yts-api.md,
    quirk 1).
    """
    assert parse_details(details_response(a_ghost()), 4711) is None


def test_another_movie_than_requested_is_unavailable():
    """
    It is neither missing nor the wanted movie (docs/yts-api.md, quirk 1), so it is requested again.
    """
    with pytest.raises(YtsUnavailable, match="asked for movie 4711, got movie 4712"):
        parse_details(details_response(a_movie(4712)), 4711)


@pytest.mark.parametrize("invalid", [False, None, "0", 0.0, -1, 2**31, [], "absent"])
def test_only_the_number_zero_means_missing(invalid: object):
    """
    An id of another type makes it a response of another shape (docs/yts-api.md, quirk 1).
    """
    movie = a_movie(id=invalid) if invalid != "absent" else without(a_movie(), "id")
    with pytest.raises(NotYts):
        parse_details(details_response(movie), 4711)


@pytest.mark.parametrize(
    "message", ["Query was successful. NOTICE: Base URL moving to https://x/", "", None, "Error"]
)
def test_the_status_message_does_not_matter(message: object):
    """
    Only `status` means success (docs/yts-api.md, quirk 7).
    """
    body = page_response(a_row(), status_message=message)
    assert len(parse_page(body).movies) == 1


@pytest.mark.parametrize("meta", [{"migration": {"new_base": "https://x/"}}, None, [], "absent"])
def test_the_meta_part_is_not_needed(meta: object):
    """
    `@meta` has lost keys over the years, gains a migration notice, or is missing
    (docs/yts-api.md, quirk 7 and section 2).
    """
    envelope = {"status": "ok", "data": {"movie": a_movie()}}
    body = wire(envelope if meta == "absent" else envelope | {"@meta": meta})
    assert parse_details(body, 4711) is not None


@pytest.mark.parametrize("status", ["error", "", None, 0, True, "OK ", ["ok"], {}])
def test_another_status_than_ok_is_unavailable(status: object):
    """
    The error has the message, because no such response was ever recorded (docs/yts-api.md,
    section 2).
    """
    body = answer({}, status=status, status_message="The query\u0000\u001b[2J failed")
    for parse in (parse_page, lambda body: parse_details(body, 1)):
        with pytest.raises(YtsUnavailable, match=r"The query \[2J failed"):
            parse(body)


@pytest.mark.parametrize(
    "body",
    [
        b"Thanks for your interest! If you\x92d like more, write to us.",
        b"<html><head><title>Just a moment...</title></head></html>",
        b"",
        b"   ",
        b'{"status":"ok","data":{"movie_count":1,"movies":[{"id":1,"ti',
        b"\x00\xff\xfe",
        b"[" * 100_000,
        b'{"status":' * 100_000,
    ],
    ids=["429 text", "challenge", "empty", "blank", "cut", "binary", "deep list", "deep object"],
)
def test_what_is_not_json_is_unavailable(body: bytes):
    """
    Text, HTML, half a response (docs/yts-api.md, quirk 9), and JSON that is nested too deeply.
    """
    for parse in (parse_page, lambda body: parse_details(body, 1)):
        with pytest.raises(YtsUnavailable, match="not JSON"):
            parse(body)


def test_the_message_about_html_has_no_markup():
    """
    The message has the text of the body, short and printable.
    """
    with pytest.raises(YtsUnavailable) as caught:
        parse_page(b"<h1>502 Bad\x1b Gateway</h1>\n<hr>" + b"nginx " * 99)
    assert str(caught.value).startswith("the response is not JSON: 502 Bad Gateway nginx")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("noise", [PHP_WARNING, b"\xef\xbb\xbf", b"\n\n", b"{oops} " * 50])
def test_noise_before_the_json_is_ignored(noise: bytes):
    """
    PHP warnings, with braces of their own, and byte order marks (docs/yts-api.md, quirk 9).
    """
    assert [movie.id for movie in parse_page(noise + page_response(a_row(3))).movies] == [3]


@pytest.mark.parametrize(
    "noise",
    [PHP_WARNING, b"\n\n", b"<!-- served by cache 3 -->", b"<script>{}</script>", b"\x00", b");"],
)
def test_noise_after_the_json_is_ignored(noise: bytes):
    """
    Caches and PHP add text after the response; there may be noise on both sides.
    """
    assert [movie.id for movie in parse_page(page_response(a_row(3)) + noise).movies] == [3]
    both = PHP_WARNING + details_response(a_movie(3)) + noise
    movie = parse_details(both, 3)
    assert movie is not None
    assert movie.id == 3


@pytest.mark.parametrize("rest", [b',{"id":2}]}}', b"}", b"]", b": 1}", b'"movies": []}'])
def test_json_that_continues_after_its_end_is_damaged(rest: bytes):
    """
    It may have lost movies, so it is requested again.
    """
    with pytest.raises(YtsUnavailable, match="not JSON"):
        parse_page(page_response(a_row(3)) + rest)


@pytest.mark.parametrize("text", ["4711", " 4711 ", "04711"])
def test_an_id_may_be_written_as_a_text(text: str):
    """
    This holds for details and lists; an id of another movie is still another movie.
    """
    movie = parse_details(details_response(a_movie(id=text)), 4711)
    assert movie is not None
    assert movie.id == 4711
    assert parse_page(page_response(a_row(id=text))).movies[0].id == 4711
    with pytest.raises(YtsUnavailable, match="got movie 4711"):
        parse_details(details_response(a_movie(id=text)), 4712)


@pytest.mark.parametrize(
    "body",
    [
        b'{"message":"Cannot read property \'perPage\' of undefined"}',
        b'{"type":"https://example.org/errors","title":"Not Found","status":404}',
        b"[]",
        b"null",
        b'"ok"',
        b'{"status":"ok"}',
        b'{"status":"ok","data":[]}',
        b'{"status":"ok","data":{}}',
        b'{"status":"ok","data":"maintenance"}',
        wire([a_row(), a_row(5)]),
        wire({"movie_count": 1, "movies": [a_row()]}),
        wire(a_row()),
    ],
)
def test_json_from_look_alikes_is_never_an_empty_catalogue(body: bytes):
    """
    JSON of another shape is not YTS (docs/yts-api.md, quirk 11), nor is a movie without its
    envelope.
    """
    for parse in (parse_page, lambda body: parse_details(body, 1)):
        with pytest.raises(YtsUnavailable):
            parse(body)


def test_a_malformed_details_response_names_its_movie():
    """
    The movie exists, so it is neither missing nor unavailable, and is skipped.
    """
    with pytest.raises(MalformedMovie, match="year: ") as caught:
        parse_details(details_response(a_movie(year="soon")), 4711)
    assert caught.value.movie_id == 4711
