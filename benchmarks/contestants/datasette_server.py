"""`app`: Datasette over a SQLite file, with what its manual advises for speed, without a log."""

import json
import os
from pathlib import Path

from datasette.app import Datasette

_export = Path(os.environ["BENCHMARK_EXPORT"])
app = Datasette(
    immutables=[str(_export)],
    inspect_data=json.loads(_export.with_suffix(".counts.json").read_text()),
    settings={"suggest_facets": False},
).app()
