"""`aligned`, `duration`, `utc_time`: plain text for a terminal; `yts.printable` makes it safe."""

from collections.abc import Iterable

from web.display.wording import duration, utc_time
from yts.printable import one_line, printable

__all__ = ["aligned", "duration", "one_line", "printable", "utc_time"]


def aligned(rows: Iterable[tuple[str, str]]) -> str:
    """Return *rows* of a name and a value as two columns."""
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"  {name:<{width}}  {printable(value)}" for name, value in rows)
