"""The embedder that fits the vectors that are there."""

from sqlalchemy.orm import Session

from database.vectors.spaces import read_active_space
from embeddings.embedder import Embedder
from embeddings.errors import ModelMissing
from embeddings.recipe import RECIPE
from embeddings.vectors import open_model


def open_embedder(session: Session) -> Embedder | None:
    """
    Return an embedder of the active space; None where nothing has been embedded yet.

    Raises:
        ModelMissing: its model is not there, or has changed since.
    """
    space = read_active_space(session)
    if space is None:
        return None
    model = open_model(space.folder)
    if model.hash != space.model_hash or space.recipe != RECIPE:
        raise ModelMissing(
            f"The vectors were made by another version of {space.model} or of this program: "
            "make them anew with python -m embeddings embed."
        )
    return Embedder(model)
