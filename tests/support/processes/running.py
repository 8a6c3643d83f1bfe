"""`workers_of`, `is_group_alive`: the processes of a running command, seen from outside."""

import os
from contextlib import suppress

import psutil


def workers_of(parent: int) -> list[int]:
    """
    Return the ids of the worker processes of a command, which its fork server has forked.

    *parent* is the command. Below the process of a test itself are the commands of all tests.
    """
    assert parent != os.getpid()
    with suppress(psutil.Error):
        return [
            worker.pid
            for child in psutil.Process(parent).children()
            for worker in child.children()
            if worker.name() == psutil.Process().name()
        ]
    return []


def is_group_alive(group: int) -> bool:
    """Return whether any process of a process group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
