"""A program that opens the server of a home, prints its URL, and waits for EOF on stdin."""

import sys
import warnings
from pathlib import Path

from database.embedded.server import open_embedded

if __name__ == "__main__":
    warnings.simplefilter("error")
    with open_embedded(Path(sys.argv[1])) as server:
        sys.stdout.write(f"{server.url.render_as_string(hide_password=False)}\n")
        sys.stdout.flush()
        sys.stdin.read()
