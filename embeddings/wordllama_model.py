"""
`StaticModel`: the installed model, read from the files of the package `wordllama`.

The package itself is not imported: it looks for its files in the wrong folder when there is no
network, and changes the logging of the whole process.
"""

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
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
#: Words whose tokens are kept.
_MOST_WORDS = 200_000


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
        weights, tokenizer = find_files("wordllama", _FILES, "wordllama==0.2.2.post0")
        with ThreadPoolExecutor(1) as thread:
            computed = thread.submit(_hash_of, weights, tokenizer)
            self._stored = load_file(weights)["embedding.weight"]
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        #: SHA-256 of both files, with the same line ends on every system.
        self.hash = computed.result()
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        #: The tokens of each word, as an array of 64-bit numbers: joined faster than lists.
        self._words: dict[str, bytes] = {}

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._stored.shape[1])

    @cached_property
    def _vectors(self) -> Vectors:
        return self._stored.astype(np.float32)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimensions); zeros for a text without a token."""
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        # A query needs a few of the 32,000 vectors; converting all takes longer than the rest.
        vectors = self._stored if len(texts) == 1 else self._vectors
        # One text at a time: numpy adds up rows twenty times as fast as it reduces slices of them.
        for tokens, total in zip(self._tokens(texts), sums, strict=True):
            if tokens.size:
                rows = vectors.take(tokens, axis=0).astype(np.float32, copy=False)
                np.add.reduce(rows, axis=0, out=total)
        return unit(sums)

    def _tokens(self, texts: Sequence[str]) -> Iterator[NDArray[np.int64]]:
        """
        Yield the tokens of each text.

        No token of the model has a space after another character, so the tokens of a text are those
        of its words, of which most are known from other texts.
        """
        if len(texts) == 1:  # A query is not kept.
            (encoded,) = self._encode(texts)
            yield np.frombuffer(encoded, dtype=np.int64)
            return
        split = [_words_of(text) for text in texts]
        known, words_of_all = self._words, set(chain.from_iterable(split))
        new = [word for word in words_of_all if word not in known]
        if len(known) + len(new) > _MOST_WORDS:
            known, new = {}, [*words_of_all]
            self._words = known
        known.update(zip(new, self._encode(new), strict=True))
        for words in split:
            joined = b"".join(map(known.__getitem__, words))
            yield np.frombuffer(joined, dtype=np.int64)[:_MOST_TOKENS]

    def _encode(self, texts: Sequence[str]) -> list[bytes]:
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [array("q", each.ids).tobytes() for each in encoded]


def _hash_of(weights: Path, tokenizer: Path) -> str:
    digest = hashlib.sha256(weights.read_bytes())
    digest.update(tokenizer.read_bytes().replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n")
    return digest.hexdigest()


def _words_of(text: str) -> list[str]:
    """Return the parts of *text* that do not share tokens."""
    words = text.split(" ")
    # Several spaces can be one token, which is written with ▁; <s> and </s> are tokens as well.
    return [text] if "" in words or "▁" in text or "<" in text else words
