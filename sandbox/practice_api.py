"""`open_practice_api`: serve practice data while a command with --sandbox runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.settings import SandboxSettings


@contextmanager
def open_practice_api() -> Iterator[str]:
    """Serve practice data on this machine, and yield the base URL."""
    from sandbox.api.sandbox_server import open_sandbox  # noqa: PLC0415 -- aiohttp, for practice only

    with open_sandbox(SandboxSettings()) as sandbox:
        yield sandbox.url
