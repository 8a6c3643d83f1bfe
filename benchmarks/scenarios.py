"""What is measured, and what this project wants to reach; plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scenario:
    """The same work for all contestants."""

    name: str
    title: str
    movies: int
    connections: int
    latency_seconds: float = 0.0
    #: Requests a second that the server admits; 0 is no limit.
    limit: int = 0
    #: Contestant: its seconds divided by ours, at least.
    goals: Mapping[str, float] = field(default_factory=dict)


SCENARIOS = (
    Scenario(
        "fresh-3000",
        "3,000 movies with details into an empty database, 8 connections",
        movies=3000,
        connections=8,
        goals={"naive": 12, "dlt": 2.5, "scrapy": 3},
    ),
    Scenario(
        "fresh-20000",
        "20,000 movies with details into an empty database, 8 connections",
        movies=20000,
        connections=8,
        goals={"naive": 20, "dlt": 4, "scrapy": 5, "expert": 0.7},
    ),
    Scenario(
        "latency",
        "3,000 movies, each answer takes 50 ms, 32 connections",
        movies=3000,
        connections=32,
        latency_seconds=0.05,
        goals={"expert": 0.85},
    ),
    Scenario(
        "limit",
        "5,000 movies, the server admits 100 requests a second, 8 connections",
        movies=5000,
        connections=8,
        limit=100,
    ),
)


#: What ours wants under a limit: of the limit while it asks, and of requests / limit in all.
LEAST_SHARE_USED = 0.97
MOST_SECONDS_PER_SLOT = 1.05


@dataclass(frozen=True, slots=True)
class Frugality:
    """How many requests ours needs, as the server counts them."""

    #: For the list without details.
    listed_movies: int = 77_000
    #: For a mirror with details, the new ones included.
    detailed_movies: int = 3000
    new_movies: int = 100


#: The name of the scenario that only ours takes part in.
FRUGALITY = "frugality"
