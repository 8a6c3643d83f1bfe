"""`fitted` and `columns_of`: the width, letters and marks of a terminal; `prepare_stdout`."""

import io
import os
import sys
import textwrap
from collections.abc import Callable
from functools import wraps
from typing import Any, TextIO


def is_live(stream: TextIO) -> bool:
    """Return whether *stream* is a terminal that can redraw; files get no control sequences."""
    return stream.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}


def columns_of(stream: TextIO) -> int:
    """Return the current width of the terminal *stream*; 80 if it is unknown."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def fitted(text: str, stream: TextIO) -> str:
    """
    Return *text* with lines that end between words at the width of the terminal *stream*.

    Lists stay aligned: lines continue below their last column. Commands below `Next:` are not
    broken, so that they can be copied. *text* for other streams is not changed.
    """
    if not stream.isatty():
        return text
    columns = columns_of(stream)
    sentences, next_, commands = text.partition("\nNext:\n")
    return "\n".join(_wrapped(line, columns) for line in sentences.split("\n")) + next_ + commands


def _wrapped(line: str, columns: int) -> str:
    if len(line) <= columns:
        return line
    name, _, value = line.lstrip().rpartition("  ")
    indent = len(line) - len(value.lstrip()) if name else len(line) - len(line.lstrip())
    if indent > columns // 2:
        indent = 0
    return textwrap.fill(
        line,
        columns,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def prepare_stdout() -> None:
    """
    Let stdout write a question mark for unsupported characters, and let its errors name stdout.

    A character in a title must not end a command, and "No space left on device" alone names no
    file.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
        for name in ("write", "flush"):
            setattr(sys.stdout, name, _naming_stdout(getattr(sys.stdout, name)))


def _naming_stdout(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def named(*arguments: Any) -> Any:
        try:
            return call(*arguments)
        except OSError as error:
            error.filename = error.filename or "stdout"
            raise

    return named


def marks() -> tuple[str, str]:
    """Return the marks for passed and failed checks that stdout can show."""
    good, bad = "✅", "❌"
    try:
        (good + bad).encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return "[ok]", "[no]"
    return good, bad
