"""`open_model` and `open_embedder`: load a text model, and the embedder of the stored vectors."""

from pathlib import Path

from sqlalchemy.orm import Session

from database.vectors.spaces import read_active_space
from embeddings.embedder import Embedder
from embeddings.errors import ModelMissing
from embeddings.minilm import MiniLm
from embeddings.recipe import RECIPE
from embeddings.vectors import TextModel
from embeddings.wordllama_model import StaticModel


def open_model(folder: Path | None = None) -> TextModel:
    """
    Return the model of *folder*, or the one that is installed with this program.

    Raises:
        ModelMissing: the model does not exist, or cannot be read.
    """
    if folder is None:
        return StaticModel()
    return MiniLm(folder)


def open_embedder(session: Session) -> Embedder | None:
    """
    Return an embedder of the active space; None if no vectors have been made yet.

    Raises:
        ModelMissing: the model is missing, or has changed since the vectors were made.
    """
    space = read_active_space(session)
    if space is None:
        return None
    model = open_model(space.folder)
    if model.hash != space.model_hash or space.recipe != RECIPE:
        raise ModelMissing(
            f"The vectors were made by another version of {space.model} or of this program: "
            "make them again with python embed_movies.py."
        )
    return Embedder(model)
