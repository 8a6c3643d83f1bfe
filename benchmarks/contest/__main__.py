"""
Run all contestants on the same work, check their rows, and write contest.md with plots.

\b
Examples:
  python -m benchmarks.contest                                          everything: about an hour
  python -m benchmarks.contest --scenario fresh-3000                    one scenario
  python -m benchmarks.contest --movies 500 --rounds 1 --only naive,ours --scenario fresh-3000

Results of a run with --movies, --only or fewer than three rounds are only shown, unless --output
names a folder.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.api_process import open_api
from benchmarks.contest import contest_page, frugality
from benchmarks.contest.results import FrugalityResult, Result, Results
from benchmarks.contest.run_contestant import NAMES, Run, Task, run_contestant
from benchmarks.contest.scenarios import FRUGALITY, SCENARIOS, Frugality, Scenario
from benchmarks.databases import Databases, open_databases
from benchmarks.machine import describe

_HERE = Path(__file__).parent
_LEAST_ROUNDS = 3


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--scenario",
    "chosen",
    multiple=True,
    type=click.Choice([*(scenario.name for scenario in SCENARIOS), FRUGALITY]),
    help="Run only this scenario; can be repeated.",
)
@click.option("--rounds", type=click.IntRange(1), default=_LEAST_ROUNDS, show_default=True)
@click.option(
    "--movies", type=click.IntRange(200), help="Number of movies, instead of the scenario's."
)
@click.option("--only", default=",".join(NAMES), show_default=True, help="Contestants.")
@click.option("--output", type=click.Path(path_type=Path), help="[default: this folder]")
def main(
    chosen: Sequence[str], rounds: int, movies: int | None, only: str, output: Path | None
) -> None:
    """Run the scenarios, print the results and write the files."""
    names = only.split(",")
    if unknown := set(names) - set(NAMES):
        raise click.BadParameter(f"no contestant is called {', '.join(unknown)}")
    is_full = movies is None and set(names) == set(NAMES) and rounds >= _LEAST_ROUNDS
    folder = output or (_HERE if is_full else None)
    results = Results() if folder is None else Results.read(folder / "results.json")
    with open_databases() as databases, tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o711)
        bench = Bench(databases, Path(scratch), rounds, names)
        for scenario in SCENARIOS:
            if not chosen or scenario.name in chosen:
                wanted = _with_movies(scenario, movies)
                results.contests[scenario.name] = bench.contest(wanted)
                _save(results, folder)
        if not chosen or FRUGALITY in chosen:
            results.frugality = bench.count_requests(movies)
            _save(results, folder)
    click.echo(contest_page.render(results))


class Bench:
    """Runs the scenarios with all contestants on one server."""

    def __init__(
        self, databases: Databases, folder: Path, rounds: int, names: Sequence[str]
    ) -> None:
        """Use *databases*, and *folder* for temporary files and logs."""
        self._databases = databases
        self._folder = folder
        self._rounds = rounds
        self._names = names
        self._version = databases.version()

    def contest(self, scenario: Scenario) -> Result:
        """Run all contestants in turn; each round begins with another one."""
        click.echo(f"{scenario.title}: {self._rounds} rounds", err=True)
        result = Result(scenario, _today(), describe(self._version))
        result.first = {name: [] for name in self._names}
        # Under a limit contestants lose movies, so a second run is not comparable.
        result.again = {} if scenario.limit else {name: [] for name in self._names}
        with open_api(scenario.movies, with_details=True) as api:
            for number in range(self._rounds):
                shift = number % len(self._names)
                for name in [*self._names[shift:], *self._names[:shift]]:
                    url = self._databases.fresh(f"contest_{name}")
                    task = Task(url, scenario.connections, scenario.limit)
                    for runs in (result.first, result.again):
                        if runs:
                            api.set(latency_seconds=scenario.latency_seconds, limit=scenario.limit)
                            runs[name].append(run_contestant(name, task, api, self._folder))
                    self._databases.drop(f"contest_{name}")
                    self._show_run(name, result.first[name][-1])
        return result

    def count_requests(self, movies: int | None) -> FrugalityResult:
        """Count the requests that this project makes."""
        click.echo("counting the requests of ours", err=True)
        scenario = Frugality()
        if movies is not None:
            scenario = Frugality(movies, movies)
        machine = describe(self._version)
        steps = frugality.measure(scenario, self._databases, self._folder, self._rounds)
        return FrugalityResult(_today(), machine, steps)

    def _show_run(self, name: str, run: Run) -> None:
        click.echo(f"  {name:8} {run.seconds:8.2f} s", err=True)
        if not run.is_right or run.exit_code:
            messages = (self._folder / f"{name}.log").read_text(errors="replace")[-300:]
            click.echo(f"  rows are wrong or exit {run.exit_code}: {messages}", err=True)


def _save(results: Results, folder: Path | None) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    results.write(folder / "results.json")
    (folder / "contest.md").write_text(contest_page.render(results, results.contests))
    # In a separate process: memory of this one would count as memory of its children.
    subprocess.run([sys.executable, "-m", "benchmarks.contest.contest_plots", folder], check=True)


def _with_movies(scenario: Scenario, movies: int | None) -> Scenario:
    if movies is None:
        return scenario
    return replace(scenario, movies=movies, title=f"{movies:,} movies instead of: {scenario.title}")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.contest")
