"""`read_weights`, `read_heads`, `read_tokenizer`: read and check the files of a BERT encoder."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from embeddings.errors import ModelMissing
from embeddings.vectors import Vectors

WEIGHTS, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.json", "config.json"
#: The heads of all-MiniLM-L6-v2; config.json can give another number.
_HEADS = 12
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.")
_WORDS, _POSITIONS, _TYPES = (
    f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type")
)


def read_weights(file: Path) -> dict[str, Vectors]:
    """
    Return all tensors that the encoder needs, by their names.

    Raises:
        ModelMissing: the file has another format, or a tensor is missing or has a wrong shape.
    """
    try:
        tensors = load_file(file)
    except (SafetensorError, OSError) as error:
        raise ModelMissing(f"{file} is not a BERT encoder ({error}).") from error
    weights = {
        name.removeprefix("bert."): tensor.astype(np.float32)
        for name, tensor in tensors.items()
        if tensor.dtype.kind == "f"
    }
    shapes = {name: tensor.shape for name, tensor in weights.items()}
    for name, expected in _expected_shapes(shapes).items():
        if shapes.get(name) != expected:
            shape = shapes.get(name, "missing")
            raise ModelMissing(f"{file} is not a BERT encoder ({name} is {shape}, not {expected}).")
    return weights


def count_layers(names: Mapping[str, object]) -> int:
    """Return the number of layers that have tensors of these names."""
    return len({match[1] for name in names if (match := _LAYER.match(name))})


def _expected_shapes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return the expected shapes; sizes that may vary are taken from the tensors in the file."""
    words, size = (*shapes.get(_WORDS, ()), 0, 0)[:2]
    inner = shapes.get("encoder.layer.0.intermediate.dense.bias", (0,))[0]
    expected = {
        _WORDS: (words, size),
        _POSITIONS: (shapes.get(_POSITIONS, (0,))[0], size),
        _TYPES: (shapes.get(_TYPES, (0,))[0], size),
        **_norm("embeddings", size),
    }
    for number in range(max(count_layers(shapes), 1)):
        layer = f"encoder.layer.{number}"
        for name in ("query", "key", "value"):
            expected |= _dense(f"{layer}.attention.self.{name}", size, size)
        expected |= _dense(f"{layer}.attention.output.dense", size, size)
        expected |= _dense(f"{layer}.intermediate.dense", inner, size)
        expected |= _dense(f"{layer}.output.dense", size, inner)
        expected |= _norm(f"{layer}.attention.output", size) | _norm(f"{layer}.output", size)
    return expected


def _dense(part: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    return {f"{part}.weight": (rows, columns), f"{part}.bias": (rows,)}


def _norm(part: str, size: int) -> dict[str, tuple[int, ...]]:
    return {f"{part}.LayerNorm.weight": (size,), f"{part}.LayerNorm.bias": (size,)}


def read_heads(folder: Path, size: int) -> int:
    """
    Return the number of attention heads, which share vectors of length *size*.

    Raises:
        ModelMissing: config.json cannot be read, or names a number that does not divide *size*.
    """
    file = folder / CONFIG
    config = _read_object(file) if file.is_file() else {}
    heads = config.get("num_attention_heads", _HEADS)
    if not isinstance(heads, int) or heads < 1 or size % heads:
        raise ModelMissing(
            f"{heads!r} attention heads cannot share vectors of {size} numbers: {file}."
        )
    return heads


def read_tokenizer(file: Path, vocabulary_size: int, most_tokens: int) -> Any:
    """
    Return the tokenizer; it cuts texts after *most_tokens*.

    Raises:
        ModelMissing: it cannot be read, or has more than *vocabulary_size* tokens.
    """
    # The library raises plain `Exception`, which cannot be distinguished from bugs.
    if not isinstance(_read_object(file).get("model"), dict):
        raise ModelMissing(f"{file} is not a tokenizer.")
    tokenizer = Tokenizer.from_file(str(file))
    if tokenizer.get_vocab_size() > vocabulary_size:
        raise ModelMissing(
            f"{file} belongs to another model: it has more than {vocabulary_size} tokens."
        )
    tokenizer.enable_truncation(most_tokens)
    tokenizer.no_padding()
    return tokenizer


def _read_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except ValueError as error:
        raise ModelMissing(f"{file} is not JSON ({error}).") from error
    if not isinstance(content, dict):
        raise ModelMissing(f"{file} is not a JSON object.")
    return content
