"""`KNOWN_GENRES`, `spell_genre`: the genre names of YTS, whatever their case and spaces (pure)."""

#: Names of IMDb: those seen in responses, and those that other clients offer.
# fmt: off
KNOWN_GENRES = frozenset({
    "Action", "Adult", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary",
    "Drama", "Family", "Fantasy", "Film-Noir", "Game-Show", "History", "Horror", "Music",
    "Musical", "Mystery", "News", "Reality-TV", "Romance", "Sci-Fi", "Short", "Sport",
    "Talk-Show", "Thriller", "War", "Western",
})
# fmt: on


def spell_genre(name: str | None) -> str | None:
    """Return the known spelling of *name*; an unknown name is returned as it is."""
    if not name or name in KNOWN_GENRES:
        return name
    return _SPELLINGS.get(_key(name), name)


def _key(name: str) -> str:
    return "".join(name.split()).casefold()


_SPELLINGS = {_key(name): name for name in KNOWN_GENRES}
