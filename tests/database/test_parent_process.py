"""`leave_with_parent`: no process is left behind by a program that is killed."""

import subprocess
import sys

from tests.support.paths import REPO

#: Starts a process, and waits. The alarm ends that process if the test fails.
PROGRAM = """
import multiprocessing, signal
from database.connection.parent_process import leave_with_parent

def work():
    signal.alarm(60)
    leave_with_parent()
    print("started", flush=True)
    signal.pause()

multiprocessing.get_context("fork").Process(target=work).start()
signal.pause()
"""


def test_a_process_ends_when_its_parent_is_killed():
    """The pipe, which both write to, ends when both have ended."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=REPO, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        parent.kill()
        rest, _ = parent.communicate(timeout=30)

    assert rest == ""
