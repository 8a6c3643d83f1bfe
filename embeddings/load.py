"""`open_model` and `open_embedder`: load a text model, and the embedder of the stored vectors."""

from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.orm import Session

from database.vectors.spaces import read_active_space
from embeddings.embedder import Embedder
from embeddings.errors import ModelMissing
from embeddings.minilm import MiniLm
from embeddings.packages import DEFAULT_MODEL
from embeddings.recipe import RECIPE
from embeddings.use_model import UseModel
from embeddings.vectors import TextModel
from embeddings.wordllama_model import StaticModel

#: The models that are files of installed packages, by name.
_INSTALLED: Mapping[str, Callable[[], TextModel]] = {"wordllama": StaticModel, "use": UseModel}


def open_model(model: Path | str = DEFAULT_MODEL) -> TextModel:
    """
    Return the model of a folder, or an installed one of `INSTALLED_MODELS` by name.

    Raises:
        ModelMissing: the model does not exist, or cannot be read.
    """
    if isinstance(model, Path):
        return MiniLm(model)
    if model not in _INSTALLED:
        raise ModelMissing(f"This version knows no model {model}: choose another with --model.")
    return _INSTALLED[model]()


def open_embedder(session: Session) -> Embedder | None:
    """
    Return an embedder of the active space; None if no vectors have been made yet.

    Raises:
        ModelMissing: the model is missing, or has changed since the vectors were made.
    """
    space = read_active_space(session)
    if space is None:
        return None
    model = open_model(space.source)
    if model.hash != space.model_hash or space.recipe != RECIPE:
        raise ModelMissing(
            f"The vectors were made by another version of {space.model} or of this program: "
            "make them again with python embed_movies.py."
        )
    return Embedder(model, space)
