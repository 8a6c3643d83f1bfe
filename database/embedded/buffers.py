"""`buffers_mb`: the memory in which an embedded server keeps parts of tables and indexes."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

#: The part of the memory of this machine that is taken, and its limits in MB.
_PART: Final = 8
_LEAST_MB, _MOST_MB = 128, 512
#: Where a container has its limit, in bytes: cgroup 2 and 1.
_CONTAINER_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def buffers_mb(container_limits: Iterable[Path] = _CONTAINER_LIMITS) -> int:
    """Return an eighth of the memory of this machine or container, from 128 to 512 MB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in container_limits:
        with suppress(OSError, ValueError):  # No limit: no such file, or "max".
            memory = min(memory, int(limit.read_text()))
    return min(max(memory // 2**20 // _PART, _LEAST_MB), _MOST_MB)
