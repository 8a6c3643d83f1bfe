"""`printable`, `one_line`, `json_line`: control characters never reach a terminal or a log."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.settings import RunSettings
from tests.support.data.examples import examples
from yts.errors import MalformedMovie, NotYts, ResponseTooLarge, YtsRefused, YtsUnavailable
from yts.printable import json_line, one_line, printable
from yts.settings import ClientSettings

fuzz = examples(80)

NASTY = {
    "escape": "\x1b[31m",
    "control sequence of one character": "\x9b2J",
    "title of a window": "\x1b]0;gone\x07",
    "delete": "a\x7fb",
    "next line": "a\x85b",
    "line separator": "a\u2028b\u2029c",
    "right to left": "\u202eevil\u202c",
    "isolates": "\u2066x\u2069",
    "marks": "\u200e\u200f\u061c",
    "half a pair": "\ud83d",
    "not a character": "\uffff\U000e0001",
    "byte order mark": "\ufeff",
}


def is_safe(text: str) -> bool:
    """Return whether *text* has only printable characters and joiners."""
    allowed = "\u200c\u200d"
    return all(char.isprintable() or char in allowed for char in text)


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_control_characters_are_removed(text: str):
    """
    They are removed from text, and escaped in JSON, which keeps its meaning.
    """
    for shown in (
        one_line(text),
        printable(text),
        json_line(text),
        json_line(text, is_ascii=False),
    ):
        assert shown.isprintable()
        assert shown.encode() is not None
    assert json.loads(json_line(text)) == json.loads(json_line(text, is_ascii=False)) == text


@pytest.mark.parametrize(
    "text",
    [
        "Am\u00e9lie \u2013 \u201clamp\u201d",
        "\u6771\u4eac",
        "\u0915\u094d\u200d\u0937",
        "\U0001f468\u200d\U0001f469",
        "e\u0301",
    ],
)
def test_letters_of_all_languages_stay(text: str):
    """
    Marks and joiners are part of the spelling.
    """
    assert one_line(text) == printable(text) == text


@fuzz
@given(st.text(), st.integers(5, 50))
def test_any_text_becomes_a_short_safe_line(text: str, length: int):
    """
    A second call changes nothing.
    """
    line = one_line(text, length)
    assert is_safe(line)
    assert len(line) <= length
    assert line == " ".join(line.split())
    assert one_line(line, length) == line


@fuzz
@given(st.text())
def test_any_text_of_lines_keeps_its_lines(text: str):
    """
    Line feeds and tabs stay; other control characters do not.
    """
    assert is_safe(re.sub(r"[\n\t]", "", printable(text)))
    assert printable(text).count("\n") == text.count("\n")


@fuzz
@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text(), max_size=3)))
def test_any_json_is_one_printable_line_that_means_the_same(value: dict[str, Any]):
    """
    This holds for ASCII output and for other output.
    """
    for line in (json_line(value), json_line(value, is_ascii=False)):
        assert line.isprintable()
        assert json.loads(line) == value
    assert json_line(value).isascii()


@pytest.mark.parametrize(
    "kind",
    [
        YtsUnavailable,
        NotYts,
        YtsRefused,
        lambda text: MalformedMovie(1, text),
        lambda text: ResponseTooLarge(None, text),
    ],
)
def test_the_text_of_an_error_is_one_safe_line(kind: Any):
    """
    Messages of errors are safe to show and to record, although servers influence them.
    """
    text = str(kind("moved to " + "\n".join(NASTY.values()) + "x" * 10_000))
    assert text.isprintable()
    assert len(text) <= 2000


def test_settings_are_shown_without_the_password_of_a_base_url():
    """
    Settings go to the workers of a cluster, whose scheduler logs tasks that fail.
    """
    url = "https://user:hidden-word@yts.example/api"
    settings = RunSettings((url,), None)  # type: ignore[arg-type]
    for shown in (settings, settings.client_settings(url), ClientSettings(url)):
        assert "hidden-word" not in repr(shown)
