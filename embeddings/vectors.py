"""Models that turn texts into vectors."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class TextModel(Protocol):
    """What every model can do."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def folder(self) -> str | None:
        """Where its files lie; None: in an installed package."""

    @property
    def hash(self) -> str:
        """SHA-256 over its files: vectors of two hashes are never compared."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimensions); zeros for a text without a token."""


def open_model(folder: Path | None = None) -> TextModel:
    """
    Return the model of *folder*, or the one that is installed with this program.

    Raises:
        ModelMissing: it is not there, or cannot be read.
    """
    if folder is None:
        from embeddings.wordllama_model import StaticModel  # noqa: PLC0415 -- loads the one in use

        return StaticModel()
    from embeddings.minilm import MiniLm  # noqa: PLC0415

    return MiniLm(folder)


def unit(vectors: Vectors) -> Vectors:
    """Return *vectors* with length 1 each; zeros stay zeros. Shape (n, dimensions)."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units


def hash_files(files: Sequence[Path]) -> str:
    """Return the SHA-256 over the contents of *files*, in this order, in hex."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
