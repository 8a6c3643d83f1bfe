"""Everything a run was told, as one value that goes to every worker."""

from dataclasses import dataclass

from sqlalchemy import URL

from yts.settings import ClientSettings


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What to mirror, and how; the doors fill it from flags and environment."""

    #: Base URLs of the API, in the order they are tried.
    api_urls: tuple[str, ...]
    #: Resolved before the workers start: the embedded server has a URL too.
    database_url: URL
    workers: int = 4
    #: Concurrent requests within one worker.
    threads: int = 4
    #: Movies of one details batch.
    batch_size: int = 25
    #: Requests a second for all together; 0 means no limit.
    rate: float = 2.0
    #: The longest silence of the server within one answer, in seconds.
    timeout_seconds: float = 30.0
    #: List pages of this run at the most; None means all.
    max_pages: int | None = None
    #: Fetch these ids by their details instead of sweeping the list.
    ids: tuple[range, ...] | None = None
    #: Fetch cast, likes and intro of movies that lack them, one request each.
    details: bool = True
    #: Write what changed in stored movies, instead of leaving them alone.
    update: bool = False
    #: Sweep the whole list, even where an earlier sweep was complete.
    full: bool = False

    def client_settings(self, api_url: str) -> ClientSettings:
        """Return how to talk to *api_url*."""
        return ClientSettings(
            api_url,
            connect_seconds=min(10.0, self.timeout_seconds),
            read_seconds=self.timeout_seconds,
        )
