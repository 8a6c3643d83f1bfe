"""`aligned`, `duration`, `utc_time`: plain text for a terminal; `yts.printable` makes it safe."""

from collections.abc import Iterable
from datetime import UTC, datetime

from yts.printable import one_line, printable

__all__ = ["aligned", "duration", "one_line", "printable", "utc_time"]


def aligned(rows: Iterable[tuple[str, str]]) -> str:
    """Return *rows* of a name and a value as two columns."""
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"  {name:<{width}}  {printable(value)}" for name, value in rows)


def duration(seconds: float) -> str:
    """Return *seconds* as a person says them: 42 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def utc_time(time: datetime) -> str:
    """Return *time* in UTC, to the minute."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
