"""
Measure the pages for people with nothing kept, and write pages.md.

\b
Examples:
  python -m benchmarks.serve.pages                      twenty minutes, most of it to fetch movies
  python -m benchmarks.serve.pages --home ~/movies      keep the filled database for next time
  python -m benchmarks.serve.pages --movies 1000 --rounds 1    a try: printed, not written
"""

import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import click
import psycopg2
from sqlalchemy import URL

from benchmarks.machine import describe
from benchmarks.markdown import origin, table
from benchmarks.serve.filled import fetch_practice, open_filled, read_postmaster
from benchmarks.serve.page_rounds import PageFigure, Processes, measure_pages
from benchmarks.serve.servers import open_ours

_MOVIES = 77_000
_ROUNDS = 3
#: Requests of one kind in a round; a clock of CPU time ticks a hundred times a second.
_REQUESTS = 40
_PAGE = Path(__file__).with_name("pages.md")
_HEAD = """\
# Pages for people

Written by `python -m benchmarks.serve.pages`; [README.md](../README.md) says how it is measured.
The mirror has {movies:,} movies of the practice data with details and vectors.

"""
_COLUMNS = ("page", "CPU", "CPU, PostgreSQL", "both", "in a row", "wait", "KB")
_LEGEND = """
*CPU*: milliseconds of the server and of PostgreSQL for one request, in the best of {rounds} rounds
of {requests} requests, because other programs of the machine can only add to them. Before each
request something is committed, and nothing happens for 0.12 seconds. *In a row*: both for requests
without a pause, of different addresses after one commit. *Wait*: the median of milliseconds from
the request to the end of the response, with pauses. *KB*: the largest page, not compressed.

"""
_LIKED = "SELECT external_id FROM movies WHERE gone_since IS NULL ORDER BY like_count DESC LIMIT %s"
_SPREAD = "SELECT external_id FROM movies WHERE id %% (SELECT 1 + count(*) / %s FROM movies) = 1"
_ACTORS = """
    SELECT name FROM casts JOIN movie_casts ON cast_id = casts.id
    GROUP BY casts.id ORDER BY count(*) DESC LIMIT %s
"""
_WORDS = ("war", "love", "night", "city", "girl", "house", "king", "dead", "secret", "road")


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--movies", type=click.IntRange(1000), default=_MOVIES, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=_ROUNDS, show_default=True)
@click.option("--requests", type=click.IntRange(1), default=_REQUESTS, show_default=True)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep PostgreSQL with the movies in this folder.  [default: a temporary one]",
)
def main(movies: int, rounds: int, requests: int, home: Path | None) -> None:
    """Fill a database, measure all pages, print the figures and write them."""
    with tempfile.TemporaryDirectory(prefix="pages-") as temporary:
        # If root starts it, PostgreSQL runs as another user, who must be able to enter.
        Path(temporary).chmod(0o711)
        place = home or Path(temporary) / "home"
        with open_filled(place, "pages", movies, fetch_practice, _say) as (databases, url):
            machine = describe(databases.version())
            with open_ours(url, 0) as ours:
                processes = Processes(ours.pid, read_postmaster(place), ours.port)
                kinds = _addresses(url, requests)
                figures = measure_pages(processes, url, kinds, rounds, _say)
    page = _HEAD.format(movies=movies)
    page += table(_COLUMNS, _rows(figures))
    page += _LEGEND.format(rounds=rounds, requests=requests)
    page += origin(datetime.now(UTC).date().isoformat(), machine)
    click.echo(page)
    if movies >= _MOVIES and rounds >= _ROUNDS and requests >= _REQUESTS:
        _PAGE.write_text(page)


def _addresses(url: URL, requests: int) -> dict[str, list[str]]:
    """Return addresses by kind; those of lists begin at different movies."""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:

        def read(query: str) -> list[str]:
            cursor.execute(query, (requests,))
            return [str(value) for (value,) in cursor.fetchall()][:requests]

        liked, spread, actors = read(_LIKED), read(_SPREAD), read(_ACTORS)
    pairs = [(first, second) for first in _WORDS for second in _WORDS if first < second]
    searches = [f"{first}+{second}" for first, second in pairs[:requests]]
    return {
        "start": ["/"] * requests,
        "browse": ["/browse"] * requests,
        "genre": ["/browse?genre=Drama&sort=likes"] * requests,
        "two genres by rating": ["/browse?genre=Drama&genre=Crime&sort=rating"] * requests,
        "quality": ["/browse?quality=3D"] * requests,
        "language and minutes": ["/browse?language=fr&runtime_from=90&runtime_to=95"] * requests,
        "movie, liked": [f"/movies/{movie}" for movie in liked],
        "movie, any": [f"/movies/{movie}" for movie in spread],
        "person": [f"/people/{quote(name, safe='')}" for name in actors],
        "search": [f"/search?q={words}" for words in searches],
        "charts": ["/charts"] * requests,
        "health": ["/health"] * requests,
        "feed": ["/feed.atom"] * requests,
        "search, API v1": [f"/api/v1/search?q={words}" for words in searches],
        "suggestions": [f"/suggest?q={first}+{second[0]}" for first, second in pairs[:requests]],
    }


def _rows(figures: dict[str, PageFigure]) -> list[list[str]]:
    return [
        [
            kind,
            *(f"{part:.1f}" for part in (*figure.cpu, sum(figure.cpu))),
            f"{min(figure.in_a_row):.1f}" if figure.in_a_row else "",
            f"{figure.p50:.1f}",
            f"{figure.size_bytes / 1000:.0f}",
        ]
        for kind, figure in figures.items()
    ]


def _say(message: str) -> None:
    click.echo(message, err=True)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.serve.pages")
