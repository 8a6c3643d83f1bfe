"""`Results`: measurements kept as JSON, so that scenarios can be run one at a time."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.contest.frugality import Step
from benchmarks.contest.run_contestant import OURS, Run
from benchmarks.contest.scenarios import Scenario


@dataclass(slots=True)
class Result:
    """All runs of one scenario."""

    scenario: Scenario
    date: str
    machine: dict[str, str]
    #: Runs of each contestant, one for each round.
    first: dict[str, list[Run]] = field(default_factory=dict)
    #: The same work again, with nothing new.
    again: dict[str, list[Run]] = field(default_factory=dict)

    def ratio(self, name: str) -> float | None:
        """Return the seconds of *name* divided by ours; None if one of the two did not run."""
        if name not in self.first or OURS not in self.first:
            return None
        return median_seconds(self.first[name]) / median_seconds(self.first[OURS])


@dataclass(slots=True)
class FrugalityResult:
    """All steps of the scenario in which requests are counted."""

    date: str
    machine: dict[str, str]
    steps: list[Step]


@dataclass(slots=True)
class Results:
    """Everything that was measured, by the name of the scenario."""

    contests: dict[str, Result] = field(default_factory=dict)
    frugality: FrugalityResult | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the results in *path*, empty ones if there is no such file."""
        if not path.exists():
            return cls()
        stored: Any = json.loads(path.read_text())
        frugal = stored["frugality"]
        return cls(
            {name: _result(raw) for name, raw in stored["contests"].items()},
            frugal
            and FrugalityResult(
                frugal["date"], frugal["machine"], [Step(**step) for step in frugal["steps"]]
            ),
        )

    def write(self, path: Path) -> None:
        """Write all results to *path*."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def median_seconds(runs: Sequence[Run]) -> float:
    """Return the median of the wall clock."""
    return statistics.median(run.seconds for run in runs)


def _result(raw: Mapping[str, Any]) -> Result:
    return Result(
        Scenario(**raw["scenario"]),
        raw["date"],
        raw["machine"],
        _runs(raw["first"]),
        _runs(raw["again"]),
    )


def _runs(raw: Mapping[str, Any]) -> dict[str, list[Run]]:
    return {name: [Run(**run) for run in runs] for name, runs in raw.items()}
