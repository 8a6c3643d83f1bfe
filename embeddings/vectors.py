"""`TextModel`: the protocol of models that turn texts into vectors; `unit`, `hash_files` (pure)."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class TextModel(Protocol):
    """The protocol of a text model."""

    @property
    def name(self) -> str:
        """Shown to users."""

    @property
    def folder(self) -> str | None:
        """Folder of its files; None if they are in an installed package."""

    @property
    def hash(self) -> str:
        """SHA-256 of its files: vectors with different hashes are never compared."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimensions); zeros for a text without a token."""


def unit(vectors: Vectors) -> Vectors:
    """Return *vectors* with length 1 each; zeros stay zeros. Shape (n, dimensions)."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units


def hash_files(files: Sequence[Path]) -> str:
    """Return the SHA-256 of the contents of *files*, in this order, in hex."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
