"""
`StaticModel`: the installed model, read from the files of the package `wordllama`.

The package itself is not imported: it looks for its files in the wrong folder when there is no
network, and changes the logging of the whole process.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from embeddings.packages import find_files
from embeddings.vectors import Vectors, unit

_FILES = (
    "weights/l2_supercat_256.safetensors",
    "tokenizers/l2_supercat_tokenizer_config.json",
)
#: Longer texts are cut: the rest hardly changes the mean.
_MOST_TOKENS = 512


class StaticModel:
    """The vector of a text is the mean of its token vectors, 256 numbers."""

    name = "wordllama"
    folder = None

    def __init__(self) -> None:
        """
        Read both files, which takes a tenth of a second.

        Raises:
            ModelMissing: the package is not installed, or lacks its files.
        """
        self._files = find_files("wordllama", _FILES, "wordllama==0.2.2.post0")
        weights, tokenizer = self._files
        self._stored = load_file(weights)["embedding.weight"]
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(_MOST_TOKENS)

    @property
    def hash(self) -> str:
        """SHA-256 of both files, with the same line ends on every system."""
        weights, tokenizer = (file.read_bytes() for file in self._files)
        digest = hashlib.sha256(weights)
        digest.update(tokenizer.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n")
        return digest.hexdigest()

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._stored.shape[1])

    @cached_property
    def _vectors(self) -> Vectors:
        return self._stored.astype(np.float32)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimensions); zeros for a text without a token."""
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        # A query needs a few of the 32,000 vectors; converting all takes longer than the rest.
        vectors = self._stored if len(texts) == 1 else self._vectors
        # One text at a time: numpy adds up rows twenty times as fast as it reduces slices of them.
        for text, total in zip(encoded, sums, strict=True):
            if text.ids:
                rows = vectors.take(text.ids, axis=0).astype(np.float32, copy=False)
                np.add.reduce(rows, axis=0, out=total)
        return unit(sums)
