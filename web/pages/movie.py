"""`read_movie`: what the page of one movie shows."""

import json
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from database.search.similar.ranking import NoVector, similar_movies
from database.search.similar.reasons import Why, reasons_of
from database.serving.movie_cards import MovieCard, read_cards
from database.serving.movie_json import read_movies_json
from database.serving.movie_pages import find_page
from database.serving.suggestions import liked_movies_of_genres
from web.meaning import read_reasons
from web.pages.filter_chips import language_name
from web.pages.queries import MoviePageQuery
from web.v1.problems import ProblemFound, check_complete
from web.v1.route import Source

#: Rows of 2, 4 or 8 columns. To say what two movies have in common takes a millisecond.
_SIMILAR = 8
#: Reasons in the line below a card.
_MOST_REASONS = 2
_TRAILER = re.compile(r"[A-Za-z0-9_-]{11}", re.ASCII)
_IMDB = re.compile(r"tt[0-9]{5,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MovieView:
    """The page of a movie."""

    movie: MovieCard
    #: As in the API v1.
    values: dict[str, Any]
    plot: list[str]
    language: str | None
    runtime: str | None
    #: URLs; None if the movie has none that is well formed.
    trailer: str | None
    imdb: str | None
    #: Each with what it has in common with the movie.
    similar: list[tuple[MovieCard, str]]
    #: Why the similar movies are chosen by genres; None if they are not.
    note: str | None


def read_movie(source: Source, query: MoviePageQuery) -> MovieView:
    """
    Return the page of a movie.

    Raises:
        ProblemFound: there is no such movie.
    """
    session = source.session
    row_id = find_page(session, query.movie)
    if row_id is None:
        raise ProblemFound(404, "The mirror has no movie at this address. Search for its title.")
    near, note = _read_similar(session, row_id)
    movies, cards = read_movies_json(session, [row_id]), read_cards(session, near)
    check_complete([*movies, *cards], [row_id, *near])
    values = json.loads(movies[0])
    embedder = source.meaning.open(session)
    reasons = read_reasons(session, embedder, [(row_id, other) for other in near])
    code, trailer = values["imdb_code"] or "", values["yt_trailer_code"] or ""
    return MovieView(
        movie=card_of(values),
        values=values,
        plot=_paragraphs(values["description_full"] or values["summary"] or ""),
        language=values["language"] and language_name(values["language"]),
        runtime=_duration(values["runtime"]),
        trailer=f"https://www.youtube.com/watch?v={trailer}"
        if _TRAILER.fullmatch(trailer)
        else None,
        imdb=f"https://www.imdb.com/title/{code}/" if _IMDB.fullmatch(code) else None,
        similar=[(card, reason_line(why)) for card, why in zip(cards, reasons, strict=True)],
        note=note,
    )


def _read_similar(session: Session, row_id: int) -> tuple[list[int], str | None]:
    """Return the movies most like one and, if they are chosen by genres, why."""
    try:
        near = similar_movies(session, row_id, limit=_SIMILAR)
    except NoVector as error:
        return liked_movies_of_genres(session, row_id, _SIMILAR), f"By genres: {error}"
    return [each.row_id for each in near], None


def reason_line(why: Why | None) -> str:
    """Return the best reasons as one line; empty if there are none."""
    line = "; ".join(reasons_of(why)[:_MOST_REASONS]) if why else ""
    return line[:1].upper() + line[1:]


def card_of(values: dict[str, Any]) -> MovieCard:
    """Return the card of a movie of the API v1."""
    return MovieCard(
        id=values["id"],
        slug=values["slug"],
        title=values["title"],
        year=values["year"],
        rating=values["rating"],
        runtime=values["runtime"],
        poster=values["large_cover_image"] or values["medium_cover_image"],
        genres=tuple(values["genres"]),
        is_gone=values["gone_since"] is not None,
    )


def _paragraphs(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _duration(minutes: int | None) -> str | None:
    """Return minutes in words, such as 2 h 16 min."""
    if not minutes:
        return None
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest else [])])
