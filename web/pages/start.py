"""`read_start`: what the start page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice

from database.counts import Counts, read_counts
from database.monitoring.history import read_session_freshness
from database.search.filters import MovieFilter
from database.serving.movie_cards import MovieCard, read_cards
from database.serving.movie_lists import MovieList, read_movie_part, read_years
from database.stats import GenreTotal, read_top_genres
from web.pages.browse import MOST_GENRES
from web.pages.filter_chips import Pair
from web.v1.parameters import Query
from web.v1.route import Source

#: The columns of the widest window; other windows leave out the last ones of them.
_IN_ROW = 7
#: A genre of the day has at least this many movies.
_FEWEST_OF_GENRE = 20
#: The movies of a genre that are shown in turn, with the most likes: for seven of its days.
_OF_GENRE = 7 * _IN_ROW
#: What counts as well rated.
_WELL_RATED = 7


@dataclass(frozen=True, slots=True)
class Row:
    """Some movies with a title, and the parameters of the list that has all of them."""

    title: str
    movies: list[MovieCard]
    parameters: list[Pair]


@dataclass(frozen=True, slots=True)
class StartView:
    """The start page."""

    rows: list[Row]
    genres: list[GenreTotal]
    #: The first years of decades, the newest first.
    decades: list[int]
    counts: Counts
    #: When the mirror was last complete.
    completed_at: datetime | None

    @property
    def suggested(self) -> list[str]:
        """Return what the search offers before one types: genres, and the titles of this page."""
        genres = [genre.name for genre in self.genres]
        return [
            *dict.fromkeys([*genres, *(each.title for row in self.rows for each in row.movies)])
        ]


def read_start(source: Source, _query: Query) -> StartView:
    """Return the start page of today."""
    session, today = source.session, datetime.now(UTC).date()
    genres = read_top_genres(session, MOST_GENRES)
    decade = today.year // 10 * 10
    of_decade = MovieFilter(years=(decade, None), rating=(_WELL_RATED, None))
    lists = [
        ("Newest", MovieList(order="newest"), []),
        (
            f"Popular and well rated, {decade}s",
            MovieList(of_decade, "likes"),
            [("year_from", str(decade)), ("rating_from", str(_WELL_RATED)), ("sort", "likes")],
        ),
    ]
    parts = [read_movie_part(session, movies, limit=_IN_ROW).ids for _, movies, _ in lists]
    if chosen := genre_of_day(today, genres):
        genre, turn = chosen
        of_genre = MovieList(MovieFilter(genres=(genre,)), "likes")
        lists.append(
            (f"Genre of the day: {genre}", of_genre, [("genre", genre), ("sort", "likes")])
        )
        liked = read_movie_part(session, of_genre, limit=_OF_GENRE).ids
        parts.append(shown_in_turn(liked, turn))
    cards = iter(read_cards(session, [id_ for part in parts for id_ in part]))
    rows = [
        Row(title, [*islice(cards, len(part))], of_all)
        for (title, _, of_all), part in zip(lists, parts, strict=True)
    ]
    first, last = read_years(session)
    return StartView(
        rows=[row for row in rows if row.movies],
        genres=sorted(genres, key=lambda genre: genre.name),
        decades=[*range(last // 10 * 10, first // 10 * 10 - 1, -10)] if first and last else [],
        counts=read_counts(session),
        completed_at=read_session_freshness(session).completed_at,
    )


def genre_of_day(day: date, genres: Sequence[GenreTotal]) -> tuple[str, int] | None:
    """
    Return the genre of *day* and how often it has come: each one with enough movies, in turn.

    None if there is none.
    """
    names = sorted(genre.name for genre in genres if genre.movies >= _FEWEST_OF_GENRE)
    if not names:
        return None
    turn, place = divmod(day.toordinal(), len(names))
    return names[place], turn


def shown_in_turn(ids: list[int], turn: int) -> list[int]:
    """Return the next row of *ids* for each *turn*; only whole rows, if there are any."""
    begin = turn % max(1, len(ids) // _IN_ROW) * _IN_ROW
    return ids[begin : begin + _IN_ROW]
