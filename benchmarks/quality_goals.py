"""What this project wants of searches and recommendations, beside what it reaches (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

#: Table, row and column: a share of 0 to 1, or milliseconds.
Figures = Mapping[str, Mapping[str, Mapping[str, float]]]

OURS, VECTORS = "`similar`, as users get it", "the vectors of recommend"
BOTH = "both, as users get it"
HALVES = ("words alone", "meaning alone")
#: Number of movies for which times and recalls have goals.
GOAL_MOVIES = 70_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """A goal and the figure that answers it, for a person."""

    goal: str
    figure: str
    is_met: bool


def judge_quality(recommend: Mapping[str, Mapping[str, float]]) -> Iterator[Judgement]:
    """Yield a judgement for each goal of recommendations, for vectors and for `similar`."""
    for who in (VECTORS, OURS):
        reached = recommend[who]
        yield _at_least(f"taste shared with the ten nearest, {who}", reached["overlap"], 0.115)
        yield _at_least(f"another of the franchise, {who}", reached["franchise"], 0.86)
        castless = reached["castless"]
        yield Judgement(
            f"films without cast next to films without cast, {who}: at most 55 %",
            f"{castless:.1%}",
            castless <= 0.55,
        )


def judge_search(
    search: Mapping[str, Mapping[str, float]], lists: Sequence[str]
) -> Iterator[Judgement]:
    """Yield a judgement for each goal of searches, for each of the *lists* of descriptions."""
    for name in lists:
        found = search[name]
        yield _at_least(f"{name}: among the first ten", found[BOTH], 0.80)
        best = max(found[half] for half in HALVES)
        # Shares of forty are sums of 2.5 points; 1e-9 is what they lack in binary.
        yield Judgement(
            f"{name}: at least 5 points above each half",
            f"+{100 * (found[BOTH] - best):.1f}",
            found[BOTH] - best >= 0.05 - 1e-9,
        )


def judge_scale(scale: Mapping[str, Mapping[str, float]]) -> Iterator[Judgement]:
    """Yield a judgement for each goal of recall and time."""
    yield _at_least("recall of recommend", scale["recall"]["recommend"], 0.98, "{:.3f}")
    yield _at_least("recall of search", scale["recall"]["search"], 0.95, "{:.3f}")
    for name, figures in scale.items():
        limit = _limit(name)
        if limit is not None:
            yield Judgement(
                f"{name}: half of the answers within {limit} ms",
                f"{figures['p50']:.1f} ms",
                figures["p50"] < limit,
            )


def _limit(name: str) -> int | None:
    if name.startswith("`search`"):
        return 40
    if name.startswith("`similar`"):
        return 60 if "," in name else 10
    return None


def _at_least(what: str, reached: float, goal: float, form: str = "{:.1%}") -> Judgement:
    wanted, figure = form.format(goal), form.format(reached)
    return Judgement(f"{what}: at least {wanted}", figure, reached >= goal - 1e-9)
