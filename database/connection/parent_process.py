"""`leave_with_parent`: a process that was started with `multiprocessing` ends with its parent."""

import multiprocessing
import os
import threading
from multiprocessing.connection import wait


def leave_with_parent() -> None:
    """
    Let this process end as soon as the one that started it has ended, in any way.

    Without this, the workers of a killed parent would wait for it for ever.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
