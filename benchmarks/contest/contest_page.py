"""`render`: the results of all scenarios as a page of Markdown (pure)."""

import statistics
from collections.abc import Callable, Iterable, Sequence

from benchmarks.contest.results import FrugalityResult, Result, Results, median_seconds
from benchmarks.contest.run_contestant import OURS, Run
from benchmarks.contest.scenarios import SCENARIOS
from benchmarks.markdown import origin, table

_HEAD = """\
# Results

Written by `python -m benchmarks.contest`; [README.md](../README.md) says what is compared and how.
"""
_LEGEND = (
    "Interleaved, medians, start to exit. *Ratio*: seconds of the other divided by ours. "
    "*CPU s*: all processes except PostgreSQL's. *MB*: the largest process."
)
_LABELS = {
    OURS: "**ours**",
    "naive": "naive script",
    "dlt": "dlt",
    "scrapy": "Scrapy",
    "expert": "expert asyncio",
}


def render(results: Results, plots: Iterable[str] = ()) -> str:
    """Return the whole page; *plots* are the names of scenarios that have one."""
    with_plot = set(plots)
    parts = [_HEAD]
    names = [scenario.name for scenario in SCENARIOS if scenario.name in results.contests]
    for name in names:
        result = results.contests[name]
        parts.append(_render_contest(result))
        if name in with_plot:
            parts.append(f"![{result.scenario.title}](plots/{name}.png)\n")
    if results.frugality:
        parts.append(_render_frugality(results.frugality))
    return "\n".join(parts)


def _render_contest(result: Result) -> str:
    scenario = result.scenario
    rows = [_contest_row(result, name) for name in result.first]
    head = ["", "seconds", "spread", "movies/s", "CPU s", "MB", "ratio", "rows"]
    parts = [
        f"## {scenario.title}\n",
        f"{_rounds(result)}. {_LEGEND}\n",
        table(head, rows),
    ]
    if scenario.limit:
        parts += ["Under the limit:\n", table(*_limit_table(result))]
    if result.again:
        parts += ["The same command again, with nothing new:\n", table(*_again_table(result))]
    return "\n".join([*parts, origin(result.date, result.machine)])


def _contest_row(result: Result, name: str) -> list[str]:
    runs = result.first[name]
    seconds = [run.seconds for run in runs]
    ratio = result.ratio(name)
    is_peer = name != OURS and ratio is not None
    return [
        _LABELS[name],
        f"{median_seconds(runs):.2f}",
        f"{min(seconds):.2f}-{max(seconds):.2f}",
        f"{(result.scenario.movies - _worst(runs)) / median_seconds(runs):,.0f}",
        f"{_median(runs, lambda run: run.cpu_seconds):.1f}",
        f"{_median(runs, lambda run: run.peak_mb):.0f}",
        f"{ratio:.2f}" if is_peer else "",
        _verdict(runs),
    ]


def _limit_table(result: Result) -> tuple[list[str], list[list[str]]]:
    limit = result.scenario.limit
    head = ["", "movies lost", "requests", "answered 429", "limit used", "start-up included"]
    rows = [
        [
            _LABELS[name],
            f"{_median(runs, lambda run: run.lost):.0f}",
            f"{_median(runs, lambda run: run.requests):.0f}",
            f"{_median(runs, lambda run: run.throttled):.0f}",
            f"{_median(runs, _share_while_asking) / limit:.1%}",
            f"{_median(runs, lambda run: _answered(run) / run.seconds) / limit:.1%}",
        ]
        for name, runs in result.first.items()
    ]
    return head, rows


def _share_while_asking(run: Run) -> float:
    # N requests have N - 1 gaps between them.
    return (_answered(run) - 1) / run.asking_seconds


def _answered(run: Run) -> int:
    return run.requests - run.throttled


def _again_table(result: Result) -> tuple[list[str], list[list[str]]]:
    head = ["", "seconds", "requests", "rows"]
    rows = [
        [
            _LABELS[name],
            f"{median_seconds(runs):.2f}",
            f"{_median(runs, lambda run: run.requests):.0f}",
            _verdict(runs),
        ]
        for name, runs in result.again.items()
    ]
    return head, rows


def _render_frugality(result: FrugalityResult) -> str:
    rows = [
        [
            step.title,
            f"{step.seconds:.1f}",
            f"{step.requests:,}",
            "right" if step.is_right else "**wrong**",
        ]
        for step in result.steps
    ]
    head = ["", "seconds", "requests", "rows"]
    title = "## Requests that ours needs, as the server counts them\n"
    return "\n".join([title, table(head, rows), origin(result.date, result.machine)])


def _verdict(runs: Sequence[Run]) -> str:
    if all(run.is_right and run.exit_code == 0 for run in runs):
        return "right"
    codes = sorted({run.exit_code for run in runs})
    return f"**wrong**: {_worst(runs)} movies lost, exit {', '.join(map(str, codes))}"


def _worst(runs: Sequence[Run]) -> int:
    return max(run.lost for run in runs)


def _median(runs: Sequence[Run], value: Callable[[Run], float]) -> float:
    return statistics.median(map(value, runs))


def _rounds(result: Result) -> str:
    count = max(map(len, result.first.values()))
    return "1 round" if count == 1 else f"{count} rounds"
