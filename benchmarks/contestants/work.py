"""`Work`, `read_work`: the command line options of every contestant."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """Mirror the movies with these ids, with details, into this database."""

    api_url: str
    database_url: str
    ids: range
    connections: int
    #: Requests a second that the server allows; 0 means no limit.
    rate: float

    @property
    def details_url(self) -> str:
        """Return the URL of the endpoint for one movie."""
        return f"{self.api_url}/movie_details.json"


def read_work() -> Work:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--api-url", required=True)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--ids", required=True, help="as 1-3000")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rate", type=float, default=0.0)
    options = parser.parse_args()
    first, last = map(int, options.ids.split("-"))
    return Work(
        options.api_url,
        options.database_url,
        range(first, last + 1),
        options.connections,
        options.rate,
    )
