"""`read_arrays`, `read_tokenizer`: the files of the Universal Sentence Encoder."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

#: Ids of tokens that every text has: unknown characters, and the ends of a text.
UNKNOWN, FIRST, LAST = 0, 1, 2
#: What stands for a space in tokens.
SPACE = "\u2581"
#: Fields of the format of SentencePiece.
_PIECES, _NORMALIZER = 1, 3
_TEXT, _SCORE = 1, 2
_CHARACTERS = 2
#: Sizes of the values whose size is not stored, by their kind in Protocol Buffers.
_SIZES = {1: 8, 5: 4}


def read_arrays(file: Path) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """
    Return the table of the token vectors, and all other arrays by name.

    The table has shape (parts, rows, 512): the token *id* has row *id* // parts of the part
    *id* % parts, in units of `scale[part]` above `lo[part]`.
    """
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
        count = len(arrays["scale"])
        table = np.stack([arrays[f"q{part}"] for part in range(1, count + 1)])
        return table, {name: arrays[name] for name in arrays.files if not name.startswith("q")}


def read_tokenizer(file: Path, most_tokens: int) -> Any:
    """Return the tokenizer of a file of SentencePiece; it cuts texts after *most_tokens*."""
    fields = list(_read_fields(file.read_bytes()))
    pieces = [_read_piece(value) for number, value in fields if number == _PIECES]
    characters = dict(_read_fields(dict(fields)[_NORMALIZER]))[_CHARACTERS]
    tokenizer = Tokenizer(models.Unigram(pieces, UNKNOWN, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(characters),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, "always")
    tokenizer.enable_truncation(most_tokens)
    return tokenizer


def _read_piece(message: bytes) -> tuple[str, float]:
    fields = dict(_read_fields(message))
    (score,) = struct.unpack("<f", fields.get(_SCORE, bytes(4)))
    return fields[_TEXT].decode(), score


def _read_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the value of each field of a message, except integers."""
    at = 0
    while at < len(message):
        key, at = _read_integer(message, at)
        kind = key & 7
        if kind == 0:
            _, at = _read_integer(message, at)
            continue
        size, at = (_SIZES[kind], at) if kind in _SIZES else _read_integer(message, at)
        yield key >> 3, message[at : at + size]
        at += size


def _read_integer(message: bytes, at: int) -> tuple[int, int]:
    """Return the integer that begins at *at*, and the place after it."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
