"""Titles with one typing error (pure)."""

import re
import string
from random import Random

KINDS = ("left out", "added", "replaced", "swapped")
#: Of shorter words one letter is too much to guess.
_WORD = re.compile(r"[A-Za-z]{4,}")


def misspell(title: str, kind: str, dice: Random) -> str | None:
    """Return *title* with one error of this *kind* in one word; None if no word is long enough."""
    words = [match.span() for match in _WORD.finditer(title)]
    dice.shuffle(words)
    for start, end in words:
        if (wrong := _spoil(title[start:end], kind, dice)) is not None:
            return title[:start] + wrong + title[end:]
    return None


def _spoil(word: str, kind: str, dice: Random) -> str | None:
    if kind == "swapped":
        places = [i for i in range(len(word) - 1) if word[i].lower() != word[i + 1].lower()]
        if not places:
            return None
        i = dice.choice(places)
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    i = dice.randrange(len(word))
    if kind == "left out":
        return word[:i] + word[i + 1 :]
    letter = dice.choice([it for it in string.ascii_lowercase if it != word[i].lower()])
    return word[:i] + letter + word[i if kind == "added" else i + 1 :]
