"""`mistype`: a title with one typing error (pure)."""

import random


def mistype(title: str, rng: random.Random) -> str:
    """Return *title* with one error in one of its words of five letters or more."""
    word = rng.choice([part for part in title.split() if len(part) > 4])
    at = rng.randrange(1, len(word) - 1)
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
    wrong = rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return title.replace(word, wrong, 1)
