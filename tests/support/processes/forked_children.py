"""`fork_children`: let `multiprocessing` fork each fork server, also of the tests themselves."""

import multiprocessing.util
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ingest.backends import forked_server


def fork_children() -> None:
    """Replace the function with which `multiprocessing` starts Python, for good."""
    multiprocessing.util.spawnv_passfds = _fork


def _fork(path: bytes, args: Sequence[Any], passfds: Iterable[int]) -> int:
    sys.stdout.flush()  # A program of a test may have written something already.
    sys.stderr.flush()
    return forked_server.fork_server(path, args, passfds)
