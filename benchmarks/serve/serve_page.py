"""`render`: the figures of the server and its peers as a page of Markdown (pure)."""

from collections.abc import Mapping, Sequence

from benchmarks.markdown import origin, table
from benchmarks.serve.beside_fetch import Beside
from benchmarks.serve.commits import COMMITS_A_SECOND
from benchmarks.serve.measures import DETAILS, FIRST, PAGE, Figure, ratio

_HEAD = """\
# Servers over a mirror

Written by `python -m benchmarks.serve`; [README.md](../README.md) says how it is measured. All
servers serve the same {movies:,} movies in one run, with one process each and 32 connections, and
take turns.
"""
_LEGEND = """\
The movies of *page of 50* have been requested before, the responses are not kept any more. *First
time*: a server that was just started. *Among commits*: a torrent changes {commits} times a second.
*Kept*, *304*: the same page again.

*CPU*: milliseconds of the server and of PostgreSQL for one request, in the best of {rounds} rounds,
because other programs of the machine can only add to them. *A second*: requests, also in the best
round; *p50*, *p99*: milliseconds that a client waits for the end of a response. Server, PostgreSQL
and clients share the machine.
"""


def render(
    figures: Sequence[Figure],
    memory: Sequence[tuple[int, float]],
    beside: Beside | None,
    machine: Mapping[str, str],
    *,
    date: str,
    movies: int,
    plot: str = "",
) -> str:
    """Return the whole page; *plot* is the path of the picture, "" for none."""
    rounds = len(figures[0].rounds)
    head = ["", "server", "CPU", "CPU, PostgreSQL", "a second", "p50", "p99", "KB"]
    parts = [
        _HEAD.format(movies=movies),
        table(head, map(_row, figures)),
        _LEGEND.format(rounds=rounds, commits=COMMITS_A_SECOND),
        _ratios(figures),
    ]
    if plot:
        parts.append(f"![CPU milliseconds for a page and for a movie]({plot})\n")
    if memory:
        parts.append(_memory(memory))
    if beside is not None:
        parts.append(_beside(beside))
    return "\n".join([*parts, origin(date, machine)])


def _row(figure: Figure) -> list[str]:
    best = figure.rounds[0]
    return [
        figure.kind,
        figure.server,
        f"{figure.cpu('server'):.2f}",
        f"{figure.cpu('postgresql'):.2f}",
        f"{figure.rate:,.0f}",
        f"{figure.p50:.1f}",
        f"{figure.p99:.1f}",
        f"{best.received / max(1, best.requests) / 1000:.1f}",
    ]


def _ratios(figures: Sequence[Figure]) -> str:
    peers = list(dict.fromkeys(figure.server for figure in figures if figure.server != "ours"))
    lines = [
        f"- {peer} takes {ratio(figures, PAGE, peer):.1f} times the CPU of ours for a page, "
        f"{ratio(figures, FIRST, peer, PAGE):.1f} times if ours has none of its movies, and "
        f"{ratio(figures, DETAILS, peer):.1f} times for a movie, PostgreSQL included.\n"
        for peer in peers
    ]
    return "".join(lines)


def _memory(memory: Sequence[tuple[int, float]]) -> str:
    rows = [[f"{requests:,}", f"{size:.1f}"] for requests, size in memory]
    head = "## Memory\n\nResident MB of our server after that many different requests.\n"
    return f"{head}\n{table(['requests', 'MB'], rows)}"


def _beside(beside: Beside) -> str:
    alone, together = (
        ", ".join(f"{seconds:.1f}" for seconds in each) for each in (beside.alone, beside.beside)
    )
    return (
        "## Beside a fetch\n\nA fetch at full speed into the database that is served, alone: "
        f"{alone} s; beside 50 requests a second: {together} s. The best one takes "
        f"{beside.loss:+.0%}.\n"
    )
