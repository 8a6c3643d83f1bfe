"""Program that serves a PostgreSQL at an address of a simulated host until stdin ends."""

import sys
import tempfile
from pathlib import Path

import click

from tests.support.servers.other_server import open_other_server

with (
    tempfile.TemporaryDirectory(prefix="yts-proof-") as folder,
    open_other_server(Path(folder), sys.argv[1]) as server,
):
    click.echo(server.url.render_as_string(hide_password=False))
    sys.stdin.read()
