"""`small_sandbox`: practice data for tests of commands that need more than one page."""

from collections.abc import Iterator

import pytest

from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings


@pytest.fixture
def small_sandbox() -> Iterator[Sandbox]:
    """Serve 60 practice movies without faults, which are two pages."""
    with open_sandbox(SandboxSettings(movies=60)) as running:
        yield running
