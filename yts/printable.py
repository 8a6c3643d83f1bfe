"""
`printable`, `one_line`, `json_line`: make untrusted text safe for a terminal, page, log or table.

Text from YTS, from HTTP headers or from an error of PostgreSQL can contain control
characters that move the cursor, marks that change the text direction, and line
separators that forge a line. No other module decides which characters may be shown.
"""

import json
from typing import Any
from unicodedata import category

#: Longest line that is shown. Longer lines are cut and end with an ellipsis.
MAX_LINE = 2_000
#: Joiners: invisible, harmless, and part of the spelling in Persian, Hindi and emoji.
_JOINERS = "\u200c\u200d"
#: Replaces surrogates, and code points that this Python does not know.
_REPLACEMENT = "\ufffd"
_SHOWN_INSTEAD = {"Cs": _REPLACEMENT, "Co": _REPLACEMENT, "Cn": _REPLACEMENT}


def printable(text: str) -> str:
    """
    Return *text* without control characters, direction marks and lone surrogates.

    Line feeds and tabs stay: use it for text of several lines that the program has made.
    """
    if text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def one_line(text: str, max_length: int = MAX_LINE) -> str:
    """Return *text* as one line of at most *max_length* characters, as `printable` does."""
    if not text.isprintable():
        # Cut first: the rest is not shown anyway.
        text = printable(text[: max_length * 4])
    line = " ".join(text.split())
    return line if len(line) <= max_length else f"{line[: max_length - 1]}…"


def json_line(value: Any, *, is_ascii: bool = True) -> str:
    """
    Return *value* as JSON in one line; unprintable characters are escaped, not removed.

    Letters outside ASCII are escaped as well, because stdout may have another encoding, unless
    *is_ascii* is false.
    """
    text = json.dumps(value, ensure_ascii=is_ascii)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    # `json.dumps` leaves U+007F alone, and escapes all others.
    return r"\u007f" if char == "\x7f" else json.dumps(char)[1:-1]


def _shown(char: str) -> str:
    if char.isprintable() or char in "\n\t" or char in _JOINERS:
        return char
    if char.isspace() or char < " ":
        return " "
    return _SHOWN_INSTEAD.get(category(char), "")
