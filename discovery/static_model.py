"""
The model that comes with the program: one vector a token, added up.

Only the two files of the package `wordllama` are read. The package itself is not imported: it looks
for its files in the wrong folder when there is no network, and changes everybody's logging.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from discovery.errors import ModelMissing
from discovery.models import Vectors, hash_files, unit

_PACKAGE = "wordllama"
_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
_MISSING = (
    "Vectors need the model of the package wordllama, which is not installed: "
    "pip install wordllama (there are wheels for Python 3.9 to 3.13 on x86_64 and on macOS), "
    "or give another model with --model DIR."
)
#: The rest of a longer text hardly moves the mean.
_MOST_TOKENS = 512
#: Together; bounds the memory of a call to some 100 MB.
_TOKENS_AT_ONCE = 50_000


class StaticModel:
    """The mean of the vectors of a text's tokens, 256 numbers."""

    name = _PACKAGE
    folder = None

    def __init__(self) -> None:
        """
        Read both files: a third of a second.

        Raises:
            ModelMissing: the package is not installed, or lacks its files.
        """
        folder = _find()
        weights, tokenizer = folder / _WEIGHTS, folder / _TOKENIZER
        if not (weights.is_file() and tokenizer.is_file()):
            raise ModelMissing(_MISSING)
        from safetensors.numpy import load_file  # noqa: PLC0415 -- only where the model is
        from tokenizers import Tokenizer  # noqa: PLC0415

        self._vectors = load_file(weights)["embedding.weight"]
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        self._files = (weights, tokenizer)

    @property
    def hash(self) -> str:
        """SHA-256 over both files."""
        return hash_files(self._files)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._vectors.shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimensions); zeros for a text without a token."""
        tokens = [it.ids for it in self._tokenizer.encode_batch(texts, add_special_tokens=False)]
        sums = np.zeros((len(tokens), self.dimensions), dtype=np.float32)
        first, size = 0, 0
        for last, ids in enumerate(tokens):
            size += len(ids)
            if size > _TOKENS_AT_ONCE or last == len(tokens) - 1:
                self._add_up(tokens[first : last + 1], sums[first : last + 1])
                first, size = last + 1, 0
        return unit(sums)

    def _add_up(self, tokens: Sequence[Sequence[int]], sums: Vectors) -> None:
        counts = np.array([len(ids) for ids in tokens])
        filled = np.flatnonzero(counts)
        if filled.size:
            ids = np.concatenate([ids for ids in tokens if ids])
            starts = np.concatenate(([0], np.cumsum(counts[filled])[:-1]))
            sums[filled] = np.add.reduceat(self._vectors[ids].astype(np.float32), starts)


def _find() -> Path:
    try:
        spec = importlib.util.find_spec(_PACKAGE)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(_MISSING)
    return Path(next(iter(spec.submodule_search_locations)))
