"""`split_words`: which words of a query name years, decades and genres (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: Words that say that a movie is wanted, and nothing about it.
_SAID_OF_ALL = frozenset(
    ["movie", "movies", "film", "films", "watch", "online", "full", "streaming", "torrent", "yts"]
)
#: Words of users, and the genres of YTS. `_` stands between two words.
_GENRE_NAMES = """
    action=Action adventure=Adventure adventures=Adventure animated=Animation animation=Animation
    anime=Animation biography=Biography biopic=Biography biopics=Biography cartoon=Animation
    cartoons=Animation comedies=Comedy comedy=Comedy crime=Crime documentaries=Documentary
    documentary=Documentary drama=Drama dramas=Drama family=Family fantasy=Fantasy
    film_noir=Film-Noir funny=Comedy historical=History history=History horror=Horror music=Music
    musical=Musical musicals=Musical mystery=Mystery noir=Film-Noir romance=Romance
    romances=Romance romantic=Romance scary=Horror sci_fi=Sci-Fi science_fiction=Sci-Fi scifi=Sci-Fi
    sport=Sport sports=Sport thriller=Thriller thrillers=Thriller war=War western=Western
    westerns=Western
"""
_GENRES = {
    tuple(words.split("_")): genre
    for words, genre in (pair.split("=") for pair in _GENRE_NAMES.split())
}
#: Names that users write, and the genres of YTS in lower case.
GENRE_NAMES = {" ".join(words): genre.lower() for words, genre in _GENRES.items()}
_DECADES = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960,
    "seventies": 1970, "eighties": 1980, "nineties": 1990,
}  # fmt: skip
_YEAR = re.compile(r"(?:18|19|20)\d\d")
_DECADE = re.compile(r"((?:18|19|20)?)(\d)0s")
#: `00s` and `10s` without a century are of this one, the others of the last one.
_TENS_OF_THIS_CENTURY = "01"


@dataclass(frozen=True, slots=True)
class Part:
    """One word of a query, or two words that name a genre."""

    words: tuple[str, ...]
    #: As YTS writes it.
    genre: str | None = None
    #: First and last year.
    years: tuple[int, int] | None = None


def split_words(words: Sequence[str]) -> list[Part]:
    """Return the parts of *words*, in their order, without those that are said of all movies."""
    parts = []
    place = 0
    while place < len(words):
        pair = tuple(words[place : place + 2])
        if pair in _GENRES:
            parts.append(Part(pair, genre=_GENRES[pair]))
        else:
            pair = pair[:1]
            parts.append(Part(pair, genre=_GENRES.get(pair), years=read_years(pair[0])))
        place += len(pair)
    return [part for part in parts if part.words[0] not in _SAID_OF_ALL] or parts


def read_years(word: str) -> tuple[int, int] | None:
    """Return the first and the last year that *word* names; None if it names none."""
    if _YEAR.fullmatch(word):
        return int(word), int(word)
    decade = _DECADES.get(word)
    if match := _DECADE.fullmatch(word):
        century, tens = match.groups()
        century = century or ("20" if tens in _TENS_OF_THIS_CENTURY else "19")
        decade = int(f"{century}{tens}0")
    return None if decade is None else (decade, decade + 9)
