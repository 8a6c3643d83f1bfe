"""`describe`: the machine and the versions of a measurement, as a dict."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

_PEERS = (
    "dlt", "Scrapy", "aiohttp", "asyncpg", "uvloop", "orjson", "requests", "SQLAlchemy",
    "psycopg2-binary", "pydantic",
)  # fmt: skip


def describe(postgresql: str) -> dict[str, str]:
    """Return names and values as text; a load that is not near 0 means that other programs ran."""
    return {
        "CPU": f"{_cpu_model()}, {os.cpu_count()} cores",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "memory": f"{_memory_gb():.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{postgresql}, fsync and synchronous_commit on",
        "libraries": ", ".join(f"{name} {version(name)}" for name in _PEERS),
    }


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
