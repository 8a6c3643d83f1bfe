"""`table`, `origin`: Markdown tables, and a line about date and machine (pure)."""

from collections.abc import Iterable, Mapping, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column holds names, and the others figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def origin(date: str, machine: Mapping[str, str]) -> str:
    """Return when and on what something was measured, as a sentence."""
    facts = "; ".join(f"{name} {value}" for name, value in machine.items())
    return f"Measured {date}. {facts}.\n"
