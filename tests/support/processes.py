"""The processes of a running fetch, seen from outside."""

from contextlib import suppress

import psutil


def workers_of(parent: int) -> list[int]:
    """Return the pool's processes of *parent*: what its fork server has forked."""
    with suppress(psutil.Error):
        return [
            worker.pid
            for child in psutil.Process(parent).children()
            if "forkserver" in " ".join(child.cmdline())
            for worker in child.children()
        ]
    return []
