"""`fork_children`: let `multiprocessing` fork each fork server, also of the tests themselves."""

import multiprocessing.util

from ingest.backends.forked_server import fork_server


def fork_children() -> None:
    """Replace the function with which `multiprocessing` starts Python, for good."""
    multiprocessing.util.spawnv_passfds = fork_server
