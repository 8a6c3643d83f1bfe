"""What a vector is made of: the parts of a movie's document (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MovieText:
    """The parts of one movie; empty or None where they are unknown."""

    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    description: str = ""
    cast: tuple[str, ...] = ()
