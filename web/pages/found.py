"""`read_found`: results of a search, each with how it was found; `suggest_texts`: as one types."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from database.counts import read_movie_count
from database.search.facets import GENRE_NAMES
from database.search.filters import MovieFilter
from database.search.query import How, NothingToSearch
from database.serving.movie_cards import MovieCard, read_cards
from database.serving.name_hints import suggest
from database.serving.people import find_people
from web.pages.queries import FOUND_ON_PAGE, FOUND_PAGES, FoundQuery
from web.v1.movies import search_all
from web.v1.parameters import SuggestQuery
from web.v1.problems import ProblemFound, check_complete
from web.v1.route import Source
from yts.printable import printable

_REASONS: dict[How, str] = {
    "imdb": "Has this IMDb code",
    "page": "Has this page at YTS",
    "title": "Matches the title",
    "person": "With {query}",
    "words": "Matches the words",
    "meaning": "Matches the meaning",
    "both": "Matches the words and the meaning",
}


@dataclass(frozen=True, slots=True)
class FoundView:
    """Results of a search."""

    query: FoundQuery
    #: Each movie, and why it was found.
    movies: list[tuple[MovieCard, str]]
    #: The genre or the person that the query is; else None. They have lists of their own.
    genre: str | None
    person: str | None
    total: int
    #: Whether the list ends because it is long enough.
    is_cut: bool
    has_next: bool
    #: Titles and names that are written nearly like the query, if nothing was found.
    hints: list[str]
    #: Why meaning did not count.
    note: str | None
    is_empty: bool

    @property
    def suggested(self) -> list[str]:
        """Return what the search offers for another one: nearly equal names, and found titles."""
        return [*dict.fromkeys([*self.hints, *(card.title for card, _ in self.movies)])]


def read_found(source: Source, query: FoundQuery) -> FoundView:
    """
    Return a page of results.

    Raises:
        ProblemFound: there is nothing to search for.
    """
    try:
        result = search_all(source, query.q, MovieFilter())
    except NothingToSearch as error:
        raise ProblemFound(400, str(error)) from error
    session, begin = source.session, (query.page - 1) * FOUND_ON_PAGE
    shown = result.found[begin : begin + FOUND_ON_PAGE]
    cards = read_cards(session, [each.row_id for each in shown])
    check_complete(cards, shown)
    total = len(result.found)
    text = query.q.strip()
    is_person = bool(shown) and shown[0].how == "person" and bool(find_people(session, text, 1))
    return FoundView(
        query=query,
        genre=_genre_of(text, cards),
        person=text if is_person else None,
        movies=[
            (card, _REASONS[each.how].format(query=text))
            for card, each in zip(cards, shown, strict=True)
        ],
        total=total,
        is_cut=total >= FOUND_ON_PAGE * FOUND_PAGES,
        has_next=begin + FOUND_ON_PAGE < total,
        hints=result.hints,
        note=result.note,
        is_empty=not total and not read_movie_count(session),
    )


def _genre_of(text: str, cards: Iterable[MovieCard]) -> str | None:
    """Return the genre that *text* is, as it is stored, if any movie found is of it."""
    genre = GENRE_NAMES.get(text.lower())
    return next((name for card in cards for name in card.genres if name.lower() == genre), None)


def suggest_texts(query: SuggestQuery, session: Session) -> bytes:
    """Return what the query may become when it is typed to its end, as a JSON list of texts."""
    texts = [each.text for each in suggest(session, query.q.strip(), query.limit)]
    return json.dumps([printable(each) for each in texts], ensure_ascii=False).encode()
