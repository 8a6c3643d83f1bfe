"""
Draw the diagram of docs/schema.md from the models; with `--check`, only compare it.

paracelsus takes every column of a primary key for unique, also one of several: it would draw that
a movie has at most one genre. `one_to_many` corrects these relations.
"""

import re
import subprocess
import sys
from pathlib import Path

_REPO = Path(__file__).resolve().parents[1]
_PAGE = _REPO / "docs" / "schema.md"
_BEGIN, _END = "<!-- BEGIN_SQLALCHEMY_DOCS -->\n", "<!-- END_SQLALCHEMY_DOCS -->\n"
_TABLE = re.compile(r"^  (\w+) \{\n(.*?)^  \}", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"^    \S+ (\w+) PK\b", re.MULTILINE)


def one_to_many(diagram: str) -> str:
    """Return *diagram* with relations over a part of a primary key as one-to-many."""
    for table, columns in _TABLE.findall(diagram):
        keys = _KEY.findall(columns)
        if len(keys) > 1:
            for key in keys:
                relation = f"{table} : {key}\n"
                diagram = diagram.replace(f"--o| {relation}", f"--o{{ {relation}")
    return diagram


def main() -> None:
    """Write the page, or compare it."""
    paracelsus = Path(sys.executable).with_name("paracelsus")
    drawn = subprocess.run(
        [paracelsus, "graph"], cwd=_REPO, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    page = _PAGE.read_text()
    before, rest = page.split(_BEGIN)
    after = rest.split(_END)[1]
    new = f"{before}{_BEGIN}```mermaid\n{one_to_many(drawn)}```\n{_END}{after}"
    if "--check" not in sys.argv:
        _PAGE.write_text(new)
    elif new != page:
        sys.exit("run: python .ci/draw_schema.py")


if __name__ == "__main__":
    main()
