"""`SandboxSettings`: host, port, catalogue, latency, rate limit and faults of one sandbox."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """
    The settings of one sandbox. The same movies and seed always give the same responses.

    Raises:
        ValueError: a number is out of range; the message is for the user.
    """

    host: str = "127.0.0.1"
    #: 0 picks a free one.
    port: int = 0
    #: Number of movies, real films included.
    movies: int = 400
    seed: int = 1
    #: Waiting time before each response.
    latency_seconds: float = 0.0
    #: Requests admitted within any one second; 0 means no limit.
    rate_limit: int = 0
    #: Fault name (or "all") to its share of the requests, 0 to 1.
    faults: Mapping[str, float] = field(default_factory=dict)
    #: Sent as Retry-After with 429 and 503; None leaves the header out, as YTS does.
    retry_after_seconds: int | None = None
    #: Length of a stall.
    stall_seconds: float = 60.0
    #: False: the four cast members of a movie change between responses, as at YTS.
    steady_cast: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"The port must be between 0 and 65535, not {self.port}.")
        numbers = {
            "number of movies": self.movies,
            "seed": self.seed,
            "rate limit": self.rate_limit,
            "Retry-After": self.retry_after_seconds or 0,
            "latency": self.latency_seconds,
            "stall": self.stall_seconds,
        }
        for name, value in numbers.items():
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"The {name} must be zero or more, not {value}.")
