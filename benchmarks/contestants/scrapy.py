"""Scrapy without extensions that slow it down, and a pipeline that writes sets of rows."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg2
from psycopg2.extras import execute_values
from scrapy import Spider
from scrapy.crawler import CrawlerProcess
from scrapy.http import Request, TextResponse

from benchmarks.contestants import movie_rows
from benchmarks.contestants.tables import KNOWN, TABLES
from benchmarks.contestants.work import Work, read_work

_MOVIES_A_COMMIT = 250
_ROWS_A_STATEMENT = 1000

Item = dict[str, Any]


class MovieSpider(Spider):
    """Asks for every id that is not stored."""

    name = "movies"
    work: Work

    async def start(self) -> AsyncIterator[Request]:
        """Yield the requests."""
        with psycopg2.connect(self.work.database_url) as connection, connection.cursor() as cursor:
            cursor.execute(TABLES)
            cursor.execute(KNOWN)
            known = {row[0] for row in cursor}
        for movie_id in self.work.ids:
            if movie_id not in known:
                url = f"{self.work.details_url}?movie_id={movie_id}&with_cast=true"
                yield Request(url, dont_filter=True, cb_kwargs={"movie_id": movie_id})

    def parse(self, response: TextResponse, movie_id: int) -> Iterator[Item]:  # type: ignore[override]  # all our responses are texts
        """Yield the movie, unless it is missing."""
        movie = response.json()["data"]["movie"]
        if movie["id"] == movie_id:
            yield movie


class BatchingPipeline:
    """Writes batches on a thread of its own, so that the reactor never waits."""

    def __init__(self) -> None:
        """Begin with an empty batch."""
        self._batch: list[Item] = []
        self._writer = ThreadPoolExecutor(1)
        self._writes: list[Future[None]] = []

    def open_spider(self, spider: MovieSpider) -> None:
        """Connect."""
        self._connection = psycopg2.connect(spider.work.database_url)

    def process_item(self, item: Item, spider: MovieSpider) -> Item:
        """Keep the movie until a batch is full."""
        self._batch.append(item)
        if len(self._batch) == _MOVIES_A_COMMIT:
            self._flush()
        return item

    def close_spider(self, spider: MovieSpider) -> None:
        """Write the rest; a write that failed raises here."""
        self._flush()
        for write in self._writes:
            write.result()
        self._connection.close()

    def _flush(self) -> None:
        self._writes.append(self._writer.submit(self._save, self._batch))
        self._batch = []

    def _save(self, movies: list[Item]) -> None:
        rows = movie_rows.gather(movies)
        genres = {(genre,) for _, genre in rows.genres}
        with self._connection, self._connection.cursor() as cursor:
            for table, records in (
                ("movies", rows.movies.values()),
                ("casts", rows.people.values()),
                ("genres", genres),
                ("torrents", rows.torrents.values()),
                ("movie_casts", rows.roles.values()),
                ("movie_genres", rows.genres),
            ):
                statement = f"INSERT INTO {table} VALUES %s ON CONFLICT DO NOTHING"  # noqa: S608 -- our own names
                execute_values(cursor, statement, list(records), page_size=_ROWS_A_STATEMENT)


def settings(work: Work) -> dict[str, Any]:
    """Return Scrapy's settings: all connections, and no features that this task does not need."""
    return {
        "CONCURRENT_REQUESTS": work.connections,
        "CONCURRENT_REQUESTS_PER_DOMAIN": work.connections,
        "DOWNLOAD_DELAY": 1 / work.rate if work.rate else 0,
        "RANDOMIZE_DOWNLOAD_DELAY": False,
        "ITEM_PIPELINES": {BatchingPipeline: 1},
        "LOG_LEVEL": "ERROR",
        "ROBOTSTXT_OBEY": False,
        "COOKIES_ENABLED": False,
        "REDIRECT_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "COMPRESSION_ENABLED": False,
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {},
    }


def main() -> None:
    """Mirror the movies."""
    MovieSpider.work = work = read_work()
    crawler = CrawlerProcess(settings(work))
    crawler.crawl(MovieSpider)
    crawler.start()


if __name__ == "__main__":
    main()
