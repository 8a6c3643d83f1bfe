"""`embed_after_fetch`: make missing vectors after a fetch; report why if that fails."""

import os

from cli.command_line import suggest_command
from cli.display.events import EventStream
from database.bookkeeping.vacuum import vacuum_overdue_tables
from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from database.vectors.spaces import EmbeddingLockHeld
from embeddings.errors import ModelMissing
from embeddings.recipe import is_up_to_date
from ingest.exit_codes import ExitCode
from ingest.stop import Stopped, StopRequest


def embed_after_fetch(
    db: DatabaseManager, messages: EventStream, stop: StopRequest, workers: int
) -> int:
    """
    Make missing vectors, or report why not; return the exit code of that.

    A missing model, or another process that makes vectors, is not an error of the fetch.
    """

    def progress(done: int, total: int) -> None:
        messages.phase("vectors", done, total)
        if stop.is_set():
            raise Stopped

    try:
        if not db.run_transaction(is_up_to_date):
            from embeddings.index import embed_all  # noqa: PLC0415 -- numpy, where it is needed

            # Reading documents of tables without statistics takes ten times as long.
            vacuum_overdue_tables(db.engine, is_stopped=stop.is_set)
            cores = os.cpu_count() or 1
            embed_all(db, workers=min(workers, cores), progress=progress)
    except ModelMissing as error:
        messages.note(f"No vectors were made, so that nothing can be found by meaning: {error}")
    except EmbeddingLockHeld:
        messages.note("Vectors are being made by another process; this one leaves that to it.")
    except Stopped:
        again = suggest_command("embed_movies.py")
        messages.note(f"Making vectors was stopped; finished ones stay. Continue with: {again}")
        return stop.reason.exit_code
    except DatabaseNotReady as error:
        messages.note(f"Making vectors was given up, all movies are saved: {error}")
        return ExitCode.NOT_READY
    return ExitCode.DONE
