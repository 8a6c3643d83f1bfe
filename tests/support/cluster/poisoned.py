"""Preloaded by a worker of a cluster: one movie kills the worker each time it is fetched."""

from tests.support.processes.killed_fetch import poison, wrap
from yts.client import YtsClient

wrap(YtsClient, "fetch_details", before=poison)
