"""
`MiniLm`: all-MiniLM-L6-v2 or a similar model from a folder, as a BERT encoder in numpy.

The vector of a text is the mean of its token vectors. Slower than the installed model, and better
with combinations of words.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embeddings.bert_files import (
    TOKENIZER,
    WEIGHTS,
    count_layers,
    read_heads,
    read_tokenizer,
    read_weights,
)
from embeddings.errors import ModelMissing
from embeddings.vectors import Vectors, hash_files, unit

#: Maximum number of tokens, as in the training of the model; longer texts are cut.
_MOST_TOKENS = 256
#: Padded tokens of one pass: the values between two layers then fit into the caches of a core.
_TOKENS_AT_ONCE = 1024
_EPSILON = 1e-12
_FAR = np.float32(-1e9)


class MiniLm:
    """A BERT encoder; all-MiniLM-L6-v2 makes vectors of 384 numbers."""

    def __init__(self, folder: Path) -> None:
        """
        Read the files of *folder*.

        Raises:
            ModelMissing: a file is missing, or is not of a BERT encoder.
        """
        self._folder = folder.resolve()
        self._files = (self._folder / WEIGHTS, self._folder / TOKENIZER)
        if missing := [file.name for file in self._files if not file.is_file()]:
            raise ModelMissing(f"There is no {' and no '.join(missing)} in {self._folder}.")
        self._weights = read_weights(self._files[0])
        self._words = self._weights["embeddings.word_embeddings.weight"]
        self._layers = count_layers(self._weights)
        self._heads = read_heads(self._folder, self.dimensions)
        positions = len(self._weights["embeddings.position_embeddings.weight"])
        self._tokenizer = read_tokenizer(
            self._files[1], len(self._words), min(_MOST_TOKENS, positions)
        )

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._folder.name

    @property
    def folder(self) -> str:
        """Folder of its files."""
        return str(self._folder)

    @property
    def hash(self) -> str:
        """SHA-256 of both files."""
        return hash_files(self._files)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._words.shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimensions); zeros for a text without a token."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        bare = [
            encoding.ids
            for encoding in self._tokenizer.encode_batch(texts, add_special_tokens=False)
        ]
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        # Texts of similar length go together, so that little is padded.
        order = sorted(
            (row for row in range(len(texts)) if bare[row]), key=lambda row: len(tokens[row])
        )
        while order:
            count = max(1, _TOKENS_AT_ONCE // len(tokens[order[-1]]))
            rows, order = order[-count:], order[:-count]
            vectors[rows] = self._encode([tokens[row] for row in rows])
        return unit(vectors)

    def _encode(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        longest = max(map(len, tokens))
        ids = np.array([[*row, *[0] * (longest - len(row))] for row in tokens])
        mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in tokens])
        part = "embeddings"
        hidden = (
            self._words[ids]
            + self._weights[f"{part}.position_embeddings.weight"][:longest]
            + self._weights[f"{part}.token_type_embeddings.weight"][0]
        )
        hidden = self._normalise(hidden, part)
        unseen = np.where(mask[:, None, None, :] == 0, _FAR, np.float32(0))
        for number in range(self._layers):
            hidden = self._layer(hidden, unseen, f"encoder.layer.{number}")
        weights = mask[:, :, None].astype(np.float32)
        mean: Vectors = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        return mean

    def _layer(self, hidden: Vectors, unseen: Vectors, part: str) -> Vectors:
        seen = self._attend(hidden, unseen, f"{part}.attention.self")
        seen = self._dense(seen, f"{part}.attention.output.dense")
        hidden = self._normalise(hidden + seen, f"{part}.attention.output")
        inner = _gelu(self._dense(hidden, f"{part}.intermediate.dense"))
        return self._normalise(
            hidden + self._dense(inner, f"{part}.output.dense"), f"{part}.output"
        )

    def _attend(self, hidden: Vectors, unseen: Vectors, part: str) -> Vectors:
        texts, length, size = hidden.shape
        query, key, value = (
            self._dense(hidden, f"{part}.{name}")
            .reshape(texts, length, self._heads, -1)
            .transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(np.float32(size // self._heads))
        scores = np.exp(scores + unseen - (scores + unseen).max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        joined: Vectors = (scores @ value).transpose(0, 2, 1, 3).reshape(texts, length, size)
        return joined

    def _dense(self, hidden: Vectors, part: str) -> Vectors:
        dense: Vectors = hidden @ self._weights[f"{part}.weight"].T + self._weights[f"{part}.bias"]
        return dense

    def _normalise(self, hidden: Vectors, part: str) -> Vectors:
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPSILON)
        weight, bias = (self._weights[f"{part}.LayerNorm.{name}"] for name in ("weight", "bias"))
        normal: Vectors = centred / spread * weight + bias
        return normal


def _gelu(values: Vectors) -> Vectors:
    """Return the exact GELU, its error function to seven places (Abramowitz and Stegun 7.1.26)."""
    scaled = np.abs(values) / np.sqrt(np.float32(2))
    t = 1 / (1 + np.float32(0.3275911) * scaled)
    factors = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    series = np.zeros_like(t)
    for factor in factors:
        series = (series + np.float32(factor)) * t
    erf = np.sign(values) * (1 - series * np.exp(-(scaled**2)))
    gelu: Vectors = np.float32(0.5) * values * (1 + erf)
    return gelu
