"""`summarize`: the results of a fetch, and which commands may come next."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cli.command_line import shown_command, suggest_command, without_options
from cli.display.text import aligned, duration, one_line, utc_time
from ingest.exit_codes import ExitCode
from ingest.report import RunReport
from yts.unknown_fields import OTHER_FIELDS

#: Options that choose which movies are fetched, and whether a value follows.
_CHOICES = {
    "--ids": True,
    "--max-pages": True,
    "--stale-after": True,
    "--full": False,
    "--update": False,
    "--retry-failed": False,
}
#: Maximum length of a reason in the summary; the ledger has the whole reason.
MAX_REASON = 300
WHAT_VANISHED = (
    "A list cut short and a wrong base URL look the same as real removals. See whether YTS shows "
    "its catalogue\nas usual, and whether the base URL is still its API, before you believe it."
)


def summarize(
    report: RunReport, stats: Mapping[str, Any], again: str, next_attempt: datetime | None = None
) -> str:
    """
    Return the summary of a run; *again* is the command line that started it.

    *next_attempt* is when the first of the recorded failures may be tried again.
    """
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
    if found := report.found_by_audit:
        movies = "1 movie" if found == 1 else f"{found:,} movies"
        parts.append(f"The audit by ids found {movies} that the list had hidden.")
    if report.failures:
        parts.append(_failures(report))
    if report.unknown_fields:
        parts.append(f"YTS sent fields that are not stored: {_names(report.unknown_fields)}")
    if report.exit_code == ExitCode.GUARD:
        parts.append(WHAT_VANISHED)
    parts.append(_next_steps(report, again, next_attempt))
    return "\n".join(parts)


def summary_facts(
    report: RunReport, stats: Mapping[str, Any] | None, next_attempt: datetime | None
) -> dict[str, Any]:
    """Return the fields of the JSON message; *stats* is None if the database is away."""
    return {
        "exit_code": report.exit_code,
        "ended_early": report.ended_early,
        "work_left": report.work_left,
        "is_sweep_complete": report.is_sweep_complete,
        "is_complete": report.is_complete,
        "found_by_audit": report.found_by_audit,
        "seconds": round(report.seconds, 3),
        "requests": report.requests,
        "pages_read": report.pages_read,
        "counts": asdict(report.counts),
        "retry": _retry() if report.counts.failed else None,
        "next_attempt_at": next_attempt and next_attempt.isoformat(),
        "unknown_fields": dict(report.unknown_fields),
        "stats": stats,
    }


def _fetch_new() -> str:
    """Return the current command line without options that choose other than new movies."""
    typed = without_options(sys.argv[1:], _CHOICES)
    return shown_command("fetch_yts_data.py", typed)


def _retry() -> str:
    return suggest_command("fetch_yts_data.py", "--retry-failed")


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
        return f"Finished, but {counts.failed:,} failed; they are recorded and will be tried again."
    if report.work_left:
        return f"Done, but {report.work_left}."
    if counts.saved or counts.updated:
        return "Done."
    if report.is_complete:
        requests = "1 request was" if report.requests == 1 else f"{report.requests:,} requests were"
        return f"Nothing new: {requests} enough to see it."
    return "Done: no movie was added or changed."


def _failures(report: RunReport) -> str:
    shown = report.failures[:5]
    lines = [
        f"  {failure.kind} {failure.key}: {one_line(failure.message, MAX_REASON)}"
        for failure in shown
    ]
    if (more := report.counts.failed - len(shown)) > 0:
        lines.append(f"  ... and {more:,} more")
    return "Failed:\n" + "\n".join(lines)


def _names(fields: Mapping[str, int]) -> str:
    names = ", ".join(sorted(fields.keys() - {OTHER_FIELDS}))
    return f"{names} and more" if OTHER_FIELDS in fields else names


def _next_steps(report: RunReport, again: str, next_attempt: datetime | None) -> str:
    steps = []
    if report.exit_code == ExitCode.GUARD:
        steps.append(("compare with the count of YTS", _look("--once")))
        steps.append(("read the list again", again))
    elif not report.is_sweep_complete:
        steps.append(("go on with the list", again))
    elif report.ended_early or report.work_left:
        steps.append(("go on", again))
    elif not report.counts.failed:
        steps.append(("fetch what is new", _fetch_new()))
    if report.counts.failed:
        due = f", from {utc_time(next_attempt)} UTC" if next_attempt else ""
        steps.append(("see what failed, and why", _look("--failures")))
        steps.append((f"try it again{due}", _retry()))
    if report.exit_code != ExitCode.GUARD:
        steps.append(("look at the mirror", _look("--once")))
    steps.append(("check the database", suggest_command("test_db_connection.py")))
    steps.append(("open it in a browser", suggest_command("serve_movies.py")))
    return "Next:\n" + aligned(steps)


def _look(option: str) -> str:
    return suggest_command("monitor_progress.py", option)
