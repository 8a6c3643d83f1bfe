"""Lets a worker of a cluster die over one movie, each time; named by `--preload`."""

from tests.support.killed_fetch import poison, wrap
from yts.client import YtsClient

wrap(YtsClient, "fetch_details", before=poison)
