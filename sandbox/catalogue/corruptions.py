"""`CORRUPTIONS`: functions by name that make the JSON of a movie invalid or extreme (pure)."""

from collections.abc import Callable

from sandbox.catalogue.movie_json import Json

INTACT = "intact"
_SENTENCE = "All work and no play makes a very long description. "
_TORRENTS = 5_000


def _many_torrents(movie: Json) -> Json:
    shown = movie.get("torrents")
    first = shown[0] if isinstance(shown, list) and shown else {}
    many = [first | {"hash": f"{number:040X}"} for number in range(_TORRENTS)]
    return movie | {"torrents": many}


#: The fields that a corruption replaces are both in lists and in details.
CORRUPTIONS: dict[str, Callable[[Json], Json]] = {
    # 10 MB, more than a client may want to read.
    "huge": lambda movie: movie | {"description_full": _SENTENCE * 200_000},
    "nul": lambda movie: movie | {"title": "Nul\0 and\0 void", "language": "\0"},
    "surrogates": lambda movie: movie | {"title": "Half \ud83d of a smile", "slug": "\udfff"},
    "wrong-types": lambda movie: movie | {"title": ["T"], "year": "soon", "torrents": "none"},
    "out-of-range": lambda movie: movie | {"year": 10**30, "runtime": -5, "rating": 1e300},
    "null-title": lambda movie: (
        movie | dict.fromkeys(("title", "title_english", "title_long", "slug", "torrents"))
    ),
    "many-torrents": _many_torrents,
    INTACT: lambda movie: movie,
}
