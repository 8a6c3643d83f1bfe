"""The page about quality: goals beside figures, then all that was measured (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.markdown import origin, table
from benchmarks.quality_goals import (
    GOAL_MOVIES,
    Judgement,
    judge_quality,
    judge_scale,
    judge_search,
)

_HEAD = """\
# How good searches and recommendations are

Written by `python -m benchmarks.quality`; [README.md](README.md) says how it is measured.
"""
_COLUMNS = {
    "overlap": "taste",
    "franchise": "franchise",
    "director": "director",
    "keywords": "keywords",
    "castless": "without cast",
}


def page(parts: Mapping[str, Any], lists: Sequence[str]) -> str:
    """Return the page about those of the *parts* that were measured."""
    blocks = [_HEAD, "## Goals\n", _goals(_judge(parts, lists))]
    if quality := parts.get("quality"):
        blocks += ["## Recommendations\n", _recommendations(quality["recommend"])]
        blocks += ["![taste and franchises](plots/quality-recommend.png)\n"]
        blocks += ["## Searches\n", _searches(quality["search"], lists)]
        blocks += ["![descriptions](plots/quality-search.png)\n"]
        blocks += [_found(quality["search"]), origin(quality["date"], quality["machine"])]
    for movies, scale in sorted(parts.get("scale", {}).items(), key=lambda it: int(it[0])):
        blocks += [f"## {int(movies):,} movies\n", _scale(scale["figures"])]
        blocks += [_costs(scale["costs"]), origin(scale["date"], scale["machine"])]
    return "\n".join(blocks)


def _judge(parts: Mapping[str, Any], lists: Sequence[str]) -> Iterator[Judgement]:
    if quality := parts.get("quality"):
        yield from judge_quality(quality["recommend"])
        yield from judge_search(quality["search"], lists)
    if scale := parts.get("scale", {}).get(str(GOAL_MOVIES)):
        yield from judge_scale(scale["figures"])


def _goals(judgements: Iterable[Judgement]) -> str:
    rows = [[it.goal, it.figure, "met" if it.is_met else "**not met**"] for it in judgements]
    return table(["goal", "figure", ""], rows)


def _recommendations(recommend: Mapping[str, Mapping[str, float]]) -> str:
    rows = [[name, *(f"{of[key]:.1%}" for key in _COLUMNS)] for name, of in recommend.items()]
    return table(["", *_COLUMNS.values()], rows)


def _searches(search: Mapping[str, Mapping[str, float]], lists: Sequence[str]) -> str:
    ways = search[lists[0]]
    rows = [[way, *(f"{search[name][way]:.1%}" for name in lists)] for way in ways]
    return table(["among the first ten", *lists], rows)


def _found(search: Mapping[str, Mapping[str, float]]) -> str:
    shares = {
        **{
            f"title, a letter {kind}, in the first ten": it for kind, it in search["errors"].items()
        },
        **{f"{kind}, first of all": it for kind, it in search["names"].items()},
    }
    return table(["asked by", "found"], [[name, f"{share:.1%}"] for name, share in shares.items()])


def _scale(figures: Mapping[str, Mapping[str, float]]) -> str:
    recall = figures["recall"]
    times = table(
        ["ms", "p50", "p95"],
        [
            [name, f"{of['p50']:.1f}", f"{of['p95']:.1f}"]
            for name, of in figures.items()
            if name != "recall"
        ],
    )
    shares = table(
        ["of the ten nearest, found by index", ""],
        [[name, f"{share:.3f}"] for name, share in recall.items()],
    )
    return f"{times}\n{shares}"


def _costs(costs: Mapping[str, float]) -> str:
    return table(["cost", ""], [[name, f"{cost:,.0f}"] for name, cost in costs.items()])
