"""`read_films`: the real films of `films.jsonl`, with real facts and plots in our own words."""

import json
from dataclasses import dataclass
from pathlib import Path

FILMS_PATH = Path(__file__).with_name("films.jsonl")


@dataclass(frozen=True, slots=True)
class Film:
    """One line of `films.jsonl`."""

    title: str
    year: int
    genres: tuple[str, ...]
    runtime_minutes: int
    language: str
    rating: float
    mpa_rating: str
    #: (actor, role), four of them.
    cast: tuple[tuple[str, str], ...]
    plot: str


def read_films(path: Path = FILMS_PATH) -> tuple[Film, ...]:
    """Read all films in the order of the file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(_parse_film(line) for line in lines if line.strip())


def _parse_film(line: str) -> Film:
    fields = json.loads(line)
    return Film(
        title=fields["title"],
        year=fields["year"],
        genres=tuple(fields["genres"]),
        runtime_minutes=fields["runtime"],
        language=fields["language"],
        rating=fields["rating"],
        mpa_rating=fields["mpa_rating"],
        cast=tuple((actor, role) for actor, role in fields["cast"]),
        plot=fields["plot"],
    )
