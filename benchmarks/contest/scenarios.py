"""`SCENARIOS`: the work that all contestants do; plain values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """The same work for all contestants."""

    name: str
    title: str
    movies: int
    connections: int
    latency_seconds: float = 0.0
    #: Requests a second that the server admits; 0 means no limit.
    limit: int = 0


SCENARIOS = (
    Scenario(
        "fresh-3000",
        "3,000 movies with details into an empty database, 8 connections",
        movies=3000,
        connections=8,
    ),
    Scenario(
        "fresh-20000",
        "20,000 movies with details into an empty database, 8 connections",
        movies=20000,
        connections=8,
    ),
    Scenario(
        "latency",
        "3,000 movies, each response takes 50 ms, 32 connections",
        movies=3000,
        connections=32,
        latency_seconds=0.05,
    ),
    Scenario(
        "limit",
        "5,000 movies, the server admits 100 requests a second, 8 connections",
        movies=5000,
        connections=8,
        limit=100,
    ),
)


@dataclass(frozen=True, slots=True)
class Frugality:
    """Numbers of movies for counting the requests of this project."""

    #: For the list without details.
    listed_movies: int = 77_000
    #: For a mirror with details, the new ones included.
    detailed_movies: int = 3000
    new_movies: int = 100


#: Name of the scenario that only this project runs.
FRUGALITY = "frugality"
