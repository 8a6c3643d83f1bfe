"""A program that has the embedded server of a home open until its input ends."""

import sys
from pathlib import Path

from database.embedded.server import open_embedded

if __name__ == "__main__":
    with open_embedded(Path(sys.argv[1])) as server:
        sys.stdout.write(f"{server.url.render_as_string(hide_password=False)}\n")
        sys.stdout.flush()
        sys.stdin.read()
