"""`MiniLm` against a plain Python implementation of the same encoder."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from embeddings.errors import ModelMissing
from embeddings.load import open_model
from embeddings.minilm import MiniLm

SIZE, HEADS, INNER, LAYERS = 8, 2, 12, 2
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "one", "two", "three", "four"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny model of the same architecture and random weights."""
    path = tmp_path_factory.mktemp("model")
    generator = np.random.default_rng(7)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), SIZE),
        "embeddings.position_embeddings.weight": (16, SIZE),
        "embeddings.token_type_embeddings.weight": (2, SIZE),
        "embeddings.LayerNorm.weight": (SIZE,),
        "embeddings.LayerNorm.bias": (SIZE,),
    }
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        for part, rows, columns in (
            *((f"attention.self.{name}", SIZE, SIZE) for name in ("query", "key", "value")),
            ("attention.output.dense", SIZE, SIZE),
            ("intermediate.dense", INNER, SIZE),
            ("output.dense", SIZE, INNER),
        ):
            shapes |= {f"{layer}.{part}.weight": (rows, columns), f"{layer}.{part}.bias": (rows,)}
        for part in ("attention.output", "output"):
            shapes |= {f"{layer}.{part}.LayerNorm.{kind}": (SIZE,) for kind in ("weight", "bias")}
    tensors = {
        name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()
    }
    save_file(tensors, path / "model.safetensors")
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(path / "tokenizer.json"))
    (path / "config.json").write_text(json.dumps({"num_attention_heads": HEADS}))
    return path


def normalise(row, weights, part):
    """Return a row with mean 0 and variance 1, scaled and shifted."""
    mean = sum(row) / len(row)
    spread = math.sqrt(sum((value - mean) ** 2 for value in row) / len(row) + 1e-12)
    scale, shift = (weights[f"{part}.LayerNorm.{name}"] for name in ("weight", "bias"))
    return [(value - mean) / spread * scale[at] + shift[at] for at, value in enumerate(row)]


def dense(row, weights, part):
    """Return *row* after a dense layer."""
    matrix, bias = weights[f"{part}.weight"], weights[f"{part}.bias"]
    return [
        sum(float(one) * other for one, other in zip(line, row, strict=True)) + float(bias[at])
        for at, line in enumerate(matrix)
    ]


def attend(rows, weights, part):
    """Return the self-attention of *rows*, head by head."""
    width = SIZE // HEADS
    query, key, value = (
        [dense(row, weights, f"{part}.{name}") for row in rows]
        for name in ("query", "key", "value")
    )
    seen = [[0.0] * SIZE for _ in rows]
    for head in range(HEADS):
        span = range(head * width, (head + 1) * width)
        for at, mine in enumerate(query):
            scores = [sum(mine[i] * other[i] for i in span) / math.sqrt(width) for other in key]
            total = sum(math.exp(score) for score in scores)
            for i in span:
                seen[at][i] = sum(
                    math.exp(score) / total * other[i]
                    for score, other in zip(scores, value, strict=True)
                )
    return seen


def encode(ids, weights):
    """Return the unit vector of a text, by its tokens."""
    part = "embeddings"
    rows = [
        normalise(
            [
                float(
                    weights[f"{part}.word_embeddings.weight"][id_][i]
                    + weights[f"{part}.position_embeddings.weight"][at][i]
                    + weights[f"{part}.token_type_embeddings.weight"][0][i]
                )
                for i in range(SIZE)
            ],
            weights,
            part,
        )
        for at, id_ in enumerate(ids)
    ]
    for number in range(LAYERS):
        part = f"encoder.layer.{number}"
        seen = attend(rows, weights, f"{part}.attention.self")
        rows = [
            normalise(add(row, dense(one, weights, f"{part}.attention.output.dense")), weights,
                      f"{part}.attention.output")
            for row, one in zip(rows, seen, strict=True)
        ]  # fmt: skip
        inner = [
            [gelu(value) for value in dense(row, weights, f"{part}.intermediate.dense")]
            for row in rows
        ]
        rows = [
            normalise(
                add(row, dense(one, weights, f"{part}.output.dense")), weights, f"{part}.output"
            )
            for row, one in zip(rows, inner, strict=True)
        ]
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    length = math.sqrt(sum(value * value for value in mean))
    return [value / length for value in mean]


def add(one, other):
    """Return the sum of two rows."""
    return [float(left) + right for left, right in zip(one, other, strict=True)]


def gelu(value):
    """Return the exact GELU."""
    return 0.5 * value * (1 + math.erf(value / math.sqrt(2)))


def test_the_encoder_is_bert(folder: Path):
    """The vectors equal those of the definition."""
    from safetensors.numpy import load_file

    weights = load_file(folder / "model.safetensors")

    vectors = open_model(folder).embed(["one two three", "four"])

    for vector, ids in zip(vectors, ([2, 4, 5, 6, 3], [2, 7, 3]), strict=True):
        assert np.allclose(vector, encode(ids, weights), atol=2e-5)


def test_padding_and_other_texts_do_not_matter(folder: Path):
    """A short text has the same vector among long texts as alone."""
    model = MiniLm(folder)
    texts = ["one", "one two three four one two", "", "two two"]

    together = model.embed(texts)

    assert not together[2].any()
    for text, vector in zip(texts, together, strict=True):
        assert np.allclose(model.embed([text])[0], vector, atol=1e-5)


def test_longer_texts_are_cut(folder: Path):
    """Texts are cut at the number of positions of the model."""
    model = MiniLm(folder)

    short, long = model.embed(["one " * 14, "one " * 500])

    assert np.allclose(short, long, atol=1e-5)


def test_missing_and_wrong_files_are_named(folder: Path, tmp_path: Path):
    """For a missing file, a file of another model, or a file of another kind."""
    with pytest.raises(ModelMissing, match=r"no model\.safetensors and no tokenizer\.json"):
        MiniLm(tmp_path)

    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    save_file({"weight": np.zeros(3, dtype=np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelMissing, match="not a BERT encoder"):
        MiniLm(tmp_path)

    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelMissing, match="not a BERT encoder"):
        MiniLm(tmp_path)


def test_the_hash_tells_models_apart(folder: Path, tmp_path: Path):
    """Another tokenizer means another hash, thus another space."""
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert MiniLm(tmp_path).hash == MiniLm(folder).hash

    with (tmp_path / "tokenizer.json").open("a") as file:
        file.write("\n")
    assert MiniLm(tmp_path).hash != MiniLm(folder).hash
