"""Opening a folder that is not a usable model raises `ModelMissing`, which names the file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from embeddings.errors import ModelMissing
from embeddings.minilm import MiniLm

SIZE, INNER = 12, 16
WORDS = ["[PAD]", "[UNK]", "one", "two"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the smallest valid model."""
    layer = "encoder.layer.0"
    dense = {
        f"{layer}.attention.output.dense": (SIZE, SIZE),
        f"{layer}.intermediate.dense": (INNER, SIZE),
        f"{layer}.output.dense": (SIZE, INNER),
        **{f"{layer}.attention.self.{name}": (SIZE, SIZE) for name in ("query", "key", "value")},
    }
    kinds = {"word": len(WORDS), "position": 8, "token_type": 2}
    shapes = {f"embeddings.{kind}_embeddings.weight": (rows, SIZE) for kind, rows in kinds.items()}
    for part, (rows, columns) in dense.items():
        shapes |= {f"{part}.weight": (rows, columns), f"{part}.bias": (rows,)}
    for part in ("embeddings", f"{layer}.attention.output", f"{layer}.output"):
        shapes |= {f"{part}.LayerNorm.{name}": (SIZE,) for name in ("weight", "bias")}
    generator = np.random.default_rng(3)
    tensors = {
        name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()
    }
    save_file(tensors, tmp_path / "model.safetensors")
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def change(folder: Path, name: str, edit: Callable[[np.ndarray], np.ndarray] | None) -> None:
    """Replace the tensor *name* by what *edit* returns for it; None removes it."""
    tensors = load_file(folder / "model.safetensors")
    tensor = tensors.pop(name)
    if edit is not None:
        tensors[name] = np.ascontiguousarray(edit(tensor))
    save_file(tensors, folder / "model.safetensors")


def test_the_smallest_model_opens(folder: Path):
    """
    The model that the other tests damage is valid, and needs no config.json.
    """
    assert MiniLm(folder).embed(["one two"]).shape == (1, SIZE)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", "version https://git-lfs.example"),
        ("tokenizer.json", "version https://git-lfs.example"),
        ("tokenizer.json", "[]"),
        ("tokenizer.json", "{}"),
        ("config.json", "no JSON"),
        ("config.json", "[]"),
        ("config.json", '{"num_attention_heads": 7}'),
        ("config.json", '{"num_attention_heads": "many"}'),
    ],
)
def test_a_file_that_is_something_else_is_named(folder: Path, file: str, content: str):
    """
    A clone without Git LFS holds pointer files instead of the model.
    """
    (folder / file).write_text(content)

    with pytest.raises(ModelMissing, match=file):
        MiniLm(folder)


def test_every_tensor_is_needed(folder: Path):
    """
    The message names the tensor that is missing or has a wrong shape.
    """
    whole = (folder / "model.safetensors").read_bytes()
    for name in load_file(folder / "model.safetensors"):
        is_free = name.endswith(("word_embeddings.weight", "position_embeddings.weight"))
        is_free |= name.endswith(("token_type_embeddings.weight", "intermediate.dense.bias"))
        for edit in (None, *([] if is_free else [lambda tensor: tensor[:-1]])):
            (folder / "model.safetensors").write_bytes(whole)
            change(folder, name, edit)
            with pytest.raises(ModelMissing, match=r"is not a BERT encoder \(\S+ is .*, not"):
                MiniLm(folder)


def test_a_tokenizer_of_another_model_is_refused(folder: Path):
    """
    It would give ids of tokens that have no vector.
    """
    change(folder, "embeddings.word_embeddings.weight", lambda tensor: tensor[:2])

    with pytest.raises(ModelMissing, match="more than 2 tokens"):
        MiniLm(folder)


def test_a_missing_folder_lacks_both_files(folder: Path):
    """
    The message names both files.
    """
    shutil.rmtree(folder)

    with pytest.raises(ModelMissing, match=r"model.safetensors and no tokenizer.json"):
        MiniLm(folder)
