"""`StaticModel`: its hash, by which stored vectors are found again, and its tokens."""

import random
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from embeddings import wordllama_model
from embeddings.wordllama_model import StaticModel


def test_vectors_of_earlier_installations_stay_valid():
    """The hash of the installed model is that of 0.4.0 on Linux, whose vectors are bit-equal."""
    known = "4d243a4b2daee65802d68699e288b9347fd45097303dc232205a660a82b5171e"

    assert StaticModel().hash == known


def test_the_hash_does_not_depend_on_line_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Wheels for Windows have other line ends; another token is another model."""
    weights, tokenizer = tmp_path / "weights", tmp_path / "tokenizer"
    monkeypatch.setattr(wordllama_model, "find_files", lambda *_: (weights, tokenizer))
    save_file({"embedding.weight": np.ones((2, 3), dtype=np.float16)}, weights)
    Tokenizer(WordLevel({"one": 0, "two": 1}, "one")).save(str(tokenizer))
    content = tokenizer.read_bytes().rstrip()

    def hash_with(content: bytes) -> str:
        tokenizer.write_bytes(content)
        return StaticModel().hash

    expected = hash_with(content)
    assert b"\n" in content
    assert hash_with(content + b"\n") == expected
    assert hash_with(content.replace(b"\n", b"\r\n")) == expected
    assert hash_with(content.replace(b'"two"', b'"too"')) != expected


def test_tokens_of_words_are_those_of_their_text(monkeypatch: pytest.MonkeyPatch):
    """Texts are split into words, also those with other spaces, tokens, or words beyond a limit."""
    monkeypatch.setattr(wordllama_model, "_MOST_WORDS", 500)
    rng = random.Random(1)
    parts = [
        "a",
        "dog's",
        "Zoë,",
        "日本",
        " ",
        "  ",
        "\n",
        "\t",
        "▁",
        "<s>",
        "x</s>y",
        "",
        "-",
        "😀",
    ]
    texts = ["".join(rng.choices([*parts, *(8 * " ")], k=12)) for _ in range(2000)]
    texts += ["many words " * 300, " ".join(map(str, range(1000))), "x" * 3000]
    model = StaticModel()
    tokenizer = model._tokenizer

    for first in range(0, len(texts), 100):
        some = texts[first : first + 100]
        expected = [
            each.ids for each in tokenizer.encode_batch_fast(some, add_special_tokens=False)
        ]
        assert [tokens.tolist() for tokens in model._tokens(some)] == expected
