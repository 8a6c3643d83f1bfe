"""Work for the tests of the pool, in a module because worker processes import it by name."""

import os
import signal
import sys
import time
from pathlib import Path

from database.connection.signal_handling import GROUP_SIGNALS
from ingest.plan import Batch, MovieBatch
from ingest.pool import LostBatch
from ingest.report import BatchReport, Counts
from ingest.stop import STOP_SIGNAL

#: An id that kills its process each time.
POISON = 666
#: An id whose batch takes two seconds.
SLOW = 777


def start(folder: str) -> None:
    """Set the folder of the marks, and handle signals as a real worker does."""
    os.environ["MARKS"] = folder
    for number in GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(STOP_SIGNAL, lambda *_: None)


def start_if_preloaded() -> None:
    """Fail, unless the server that forked this process has imported the worker of a fetch."""
    assert "ingest.worker.worker" in sys.modules


def run(batch: Batch) -> BatchReport:
    """Count the movies of the batch as saved; some ids kill the process, wait or fail."""
    assert isinstance(batch, MovieBatch)
    mark = Path(os.environ["MARKS"]) / f"{batch.ids[0]}"
    if POISON in batch.ids or (0 in batch.ids and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if SLOW in batch.ids:
        (mark.parent / "slow").write_text(str(os.getpid()))
        time.sleep(2)
    if -1 in batch.ids:
        raise OSError("the database is gone")
    return BatchReport(Counts(saved=len(batch.ids)))


def report_lost(result: BatchReport | LostBatch) -> BatchReport:
    """Return *result* with the movies of a lost batch counted as failed."""
    if isinstance(result, BatchReport):
        return result
    assert isinstance(result.batch, MovieBatch)
    return BatchReport(Counts(failed=len(result.batch.ids)))
