"""Word lists of made-up titles and plots, read from `words.json` when imported."""

import json
from dataclasses import dataclass
from pathlib import Path

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GenrePhrases:
    """Phrases for plots of one genre: hero, incident and goal."""

    who: Words
    incident: Words
    goal: Words


_TEXT = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))


def _phrases(name: str) -> Words:
    return tuple(_TEXT[name].split("|"))


FIRST_NAMES: Words = tuple(_TEXT["first_names"].split())
LAST_NAMES: Words = tuple(_TEXT["last_names"].split())
ADJECTIVES: Words = tuple(_TEXT["adjectives"].split())
NOUNS: Words = tuple(_TEXT["nouns"].split())
PLACES = _phrases("places")
SETTINGS = _phrases("settings")
TITLE_PATTERNS = _phrases("title_patterns")
PLACE_ENDS = _phrases("place_ends")
NUMBERS = _phrases("numbers")
OCCUPATIONS = _phrases("occupations")
OPENINGS = _phrases("openings")
CLOSERS = _phrases("closers")
#: Language code to (beginnings, ends) of titles that are not plain ASCII.
ACCENTED_TITLES: dict[str, tuple[Words, Words]] = {
    language: (tuple(heads.split("|")), tuple(tails.split("|")))
    for language, (heads, tails) in _TEXT["accented_titles"].items()
}
GENRES: dict[str, GenrePhrases] = {
    genre: GenrePhrases(**{part: tuple(text.split("|")) for part, text in parts.items()})
    for genre, parts in _TEXT["genres"].items()
}
