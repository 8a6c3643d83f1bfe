"""The last words of a fetch: what came of it, and what to type next."""

from collections.abc import Mapping
from typing import Any

from console.command import to_type
from console.text import aligned, duration
from ingest.report import RunReport


def summarize(report: RunReport, stats: Mapping[str, Any], again: str) -> str:
    """Return the summary of a run; *again* is what was typed to start it."""
    counts = report.counts
    rows = [
        ("new movies", f"{counts.saved:,}"),
        ("completed or updated", f"{counts.updated:,}"),
        ("unchanged", f"{counts.unchanged:,}"),
        ("known, skipped", f"{counts.skipped:,}"),
        ("missing at YTS", f"{counts.missing:,}"),
        ("failed", f"{counts.failed:,}"),
        ("requests", f"{report.requests:,} in {duration(report.seconds)}"),
        ("in the database", _stored(stats)),
    ]
    parts = [_headline(report), aligned(rows)]
    if report.failures:
        parts.append(_failures(report))
    if report.unknown_fields:
        names = ", ".join(sorted(report.unknown_fields))
        parts.append(f"YTS sent fields that are not stored: {names}")
    parts.append(_next_steps(report, again))
    return "\n".join(parts)


def _stored(stats: Mapping[str, Any]) -> str:
    return (
        f"{stats['total_movies']:,} movies, {stats['movies_with_details']:,} with details, "
        f"{stats['total_cast']:,} cast, {stats['total_torrents']:,} torrents"
    )


def _headline(report: RunReport) -> str:
    counts = report.counts
    if report.ended_early:
        return f"Ended early ({report.ended_early}). Everything fetched so far is saved."
    if counts.failed:
        return f"Finished, but {counts.failed:,} failed; they are recorded for a later try."
    if counts.saved or counts.updated:
        return "Done."
    return f"Nothing new: {report.requests} requests were enough to see it."


def _failures(report: RunReport) -> str:
    shown = report.failures[:5]
    lines = [f"  {it.kind} {it.key}: {it.message}" for it in shown]
    if (more := report.counts.failed - len(shown)) > 0:
        lines.append(f"  ... and {more:,} more")
    return "Failed:\n" + "\n".join(lines)


def _next_steps(report: RunReport, again: str) -> str:
    steps = []
    if not report.is_sweep_complete:
        steps.append(("go on with the list", again))
    elif report.ended_early or report.counts.failed:
        steps.append(("go on", again))
    else:
        steps.append(("fetch what is new", again))
    steps.append(("look at the mirror", to_type("monitor_progress.py", ["--once"])))
    steps.append(("check the database", to_type("test_db_connection.py")))
    return "Next:\n" + aligned(steps)
