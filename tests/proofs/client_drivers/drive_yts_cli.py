"""The command `yts` of yts-cli, which prints movies with a magnet link for each kind of torrent."""

import os
import re
import subprocess
import sys
from pathlib import Path

from report import read_plan, report

plan = read_plan()
printed = subprocess.run(
    [Path(sys.executable).with_name("yts"), "--query", plan["word"]],
    env={**os.environ, "COLUMNS": "1000", "PYTHONUTF8": "1"},
    capture_output=True,
    encoding="utf-8",
    check=True,
).stdout
movies: list[dict] = []
for line in re.sub(r"\x1b\[[\d;]*m", "", printed).splitlines():
    if movie := re.match(r"\[(\d+)\] (.*) \(\d+\) - ", line):
        movies.append({"id": int(movie[1]), "title": movie[2], "some_hashes": []})
    elif magnet := re.match(r"magnet:\?xt=urn:btih:(\w+)", line):
        movies[-1]["some_hashes"].append(magnet[1])
report(first_ten=movies)
