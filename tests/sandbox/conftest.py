"""`intact`: one sandbox without faults for all tests."""

from collections.abc import Iterator

import pytest

from sandbox.api.sandbox_server import Sandbox, open_sandbox


@pytest.fixture(scope="session")
def intact() -> Iterator[Sandbox]:
    """Yield a default sandbox without faults; tests must not change it."""
    with open_sandbox() as sandbox:
        yield sandbox
