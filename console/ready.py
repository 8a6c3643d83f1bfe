"""
Imported first by every command: says in a sentence what is missing, before an import fails.

It runs on any Python since 3.6, and imports nothing that has to be installed.
"""

import importlib.util
import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- who has not read the README has an older one
    sys.exit(
        f"Error: this needs Python 3.11 or newer, and runs on {sys.version.split()[0]} "
        f"({sys.executable}). Make the virtual environment with a newer one."
    )
if importlib.util.find_spec("click") is None:
    sys.exit(
        f"Error: click is not installed for {sys.executable}. Activate the virtual environment, or "
        f"install what is needed: {sys.executable} -m pip install -r requirements.txt"
    )
