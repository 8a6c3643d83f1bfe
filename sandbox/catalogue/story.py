"""`make_title`, `make_plot`: titles and plots of made-up movies."""

from random import Random

from sandbox.catalogue import words
from sandbox.catalogue.random_streams import pick


def make_title(rng: Random) -> str:
    """Return a made-up English title."""
    return pick(rng, words.TITLE_PATTERNS).format(
        adjective=pick(rng, words.ADJECTIVES),
        adjective2=pick(rng, words.ADJECTIVES),
        noun=pick(rng, words.NOUNS),
        noun2=pick(rng, words.NOUNS),
        name=pick(rng, words.FIRST_NAMES),
        surname=pick(rng, words.LAST_NAMES),
        place=pick(rng, words.PLACES),
        place_end=pick(rng, words.PLACE_ENDS),
        number=pick(rng, words.NUMBERS),
    )


def make_accented_title(rng: Random, language: str) -> str:
    """Return a made-up title that is not plain ASCII, in one of `ACCENTED_TITLES`."""
    heads, tails = words.ACCENTED_TITLES[language]
    # Japanese puts no space between words.
    return pick(rng, heads) + ("" if language == "ja" else " ") + pick(rng, tails)


def make_plot(rng: Random, genres: tuple[str, ...]) -> str:
    """Return a plot of two or three sentences that mixes *genres*."""
    phrases = [words.GENRES[genre] for genre in genres]
    place = pick(rng, words.PLACES)
    details = {
        "who": pick(rng, pick(rng, phrases).who),
        "incident": pick(rng, pick(rng, phrases).incident),
        "goal": pick(rng, phrases[0].goal),
        "setting": pick(rng, words.SETTINGS),
        "place": place,
        "name": pick(rng, words.FIRST_NAMES),
    }
    opening = pick(rng, words.OPENINGS).format(**details)
    closer = pick(rng, words.CLOSERS).format(place=place, name=details["name"])
    return f"{opening[0].upper()}{opening[1:]} {closer}"
