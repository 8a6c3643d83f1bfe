"""What the terminal can show: letters, marks, and things that move."""

import io
import os
import sys
from typing import TextIO


def is_live(stream: TextIO) -> bool:
    """Tell whether *stream* is a terminal that moves; control sequences never reach a file."""
    return stream.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}


def forgive_unknown_letters() -> None:
    """Let stdout write a question mark for what it cannot; a title is no reason to end."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def marks() -> tuple[str, str]:
    """Return the marks for right and wrong that stdout can show."""
    good, bad = "✅", "❌"
    try:
        (good + bad).encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return "[ok]", "[no]"
    return good, bad
