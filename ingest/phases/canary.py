"""`require_plausible`: request known movies, to check whether denials can be believed now."""

from functools import partial

from database.bookkeeping.probe_ids import read_ids_to_probe
from ingest.exit_codes import ExitCode
from ingest.phases.open_source import OpenSource
from ingest.run import Run
from ingest.stop import StopReason

#: Known movies to request before a denial is believed, if this run has not fetched any details.
CANARIES = 3


def require_plausible(run: Run, source: OpenSource) -> bool:
    """
    End the run unless YTS has given details in this run, or gives a known movie now.

    Return whether denials of YTS count.
    """
    if run.has_details or _gives_known(run, source):
        return True
    run.stop_reason = source.worker.stop_reason or StopReason(
        'YTS does not give the details of movies that it gave before, so its response "no such '
        'movie" counts for nothing now; nothing was recorded',
        ExitCode.UNAVAILABLE,
    )
    return False


def _gives_known(run: Run, source: OpenSource) -> bool:
    """Return whether YTS gives a movie that it gave before; True if there is none to request."""
    ids = run.db.run_transaction(partial(read_ids_to_probe, count=CANARIES))
    denials = (source.worker.is_denied(id_) for id_ in ids)
    return not ids or any(is_denied is False for is_denied in denials)
