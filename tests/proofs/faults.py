"""`prove_faults`: with faulty responses of every kind, the tables equal those of a clean run."""

import time

from sandbox.api.faults import FAULTS
from tests.proofs.stage import compare, half_movies, open_stage, say

#: The timeout is shorter than a stall, so that stalled responses fail.
COMMAND = ("--workers", "4", "--timeout", "1")
CALM = ("--rate", "0", "--workers", "2")
ROUNDS_TO_END = 20


def prove_faults(movies: int, share: float, seed: int, rate: str) -> bool:
    """Mirror *movies* with a *share* of faulty responses; return whether the tables are right."""
    started = time.monotonic()
    say(
        f"{movies:,} movies, {share:.0%} of the responses faulty, {len(FAULTS)} faults, seed {seed}"
    )
    command = (*COMMAND, "--rate", rate)
    options = ("--fault", f"all={share}", "--seed", str(seed), "--stall", "3")
    with open_stage(movies, *options) as stage:
        faults, rounds = [], 0
        code = stage.run_fetch(*command)
        say(f"the run ended by itself: exit code {code}, {time.monotonic() - started:.0f} s")
        with stage.open_database() as db:
            failures = stage.make_all_due(db)
        while (failures or code) and rounds < ROUNDS_TO_END:
            rounds += 1
            code = stage.run_fetch(*command, *(["--retry-failed"] if failures else []))
            with stage.open_database() as db:
                before, failures = failures, stage.make_all_due(db)
            say(f"round {rounds}: {before} failures were due, {failures} are left")
        stats = stage.sandbox.request("GET", "stats")
        say(f"{stats['requests']:,} requests; {stats['faults']}")
        stage.sandbox.request("POST", "faults", json={})
        if failures or code:
            faults.append(f"{failures} failures are left, exit code {code}")
        if unseen := set(FAULTS) - set(stats["faults"]):
            faults.append(f"these faults never occurred: {', '.join(sorted(unseen))}")
        with stage.open_database() as db:
            faults += compare(stage, db, *CALM) + half_movies(stage, db)
        faults += [f"process {pid} was left behind" for pid in stage.processes_left()] + stage.odd
    for fault in faults:
        say(f"FAULT  {fault}")
    say(
        f"{rounds} rounds of --retry-failed, {time.monotonic() - started:.0f} s: "
        f"{'NOT PROVEN' if faults else 'equal tables'}"
    )
    return not faults
