"""`page_step`, `report_page`: list pages and details of their movies as one step to save (pure)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from database.bookkeeping.failures import Failure
from database.step import Step, SweptPage
from ingest.plan import ListPage
from ingest.report import PageReport
from ingest.worker.fetcher import Fetched, failure_of
from yts.errors import MalformedMovie
from yts.join_details import join_details
from yts.payload import MoviePayload
from yts.responses import MoviePage

#: A page that was requested, and the response.
FetchedPage = tuple[ListPage, MoviePage]


def page_step(
    pages: Sequence[FetchedPage], details: Mapping[int, Fetched], asked_at: datetime
) -> Step:
    """
    Return the step that saves *pages* and *details* of their movies, by YTS id.

    All were requested at *asked_at*, by the clock of the database, or later. A movie with details
    is one row, as if it had been saved from the list first.
    """
    given = {id_: movie for id_, movie in details.items() if isinstance(movie, MoviePayload)}
    rows = {row.id: row for _, page in pages for row in page.movies}
    return Step(
        tuple(join_details(row, given[id_]) if id_ in given else row for id_, row in rows.items()),
        detailed=frozenset(given),
        update=any(wanted.update for wanted, _ in pages),
        asked_at=asked_at,
        swept=tuple(
            SweptPage(page.ids, wanted.page, wanted.reading, wanted.size)
            for wanted, page in pages
            if wanted.reading is not None
        ),
        failures=(
            *(_failure_of_row(wanted, error) for wanted, page in pages for error in page.malformed),
            *(result for result in details.values() if isinstance(result, Failure)),
        ),
        # The sweep decides whether a page that is not full is the end.
        pages_read=tuple(
            wanted.key for wanted, page in pages if page.rows >= wanted.size or not page.is_doubtful
        ),
        counters={"pages_read": len(pages), "details_read": len(details)},
    )


def _failure_of_row(wanted: ListPage, error: MalformedMovie) -> Failure:
    """Return a row that cannot be parsed as a failure: of its page if it has no readable id."""
    if error.movie_id is None:
        return failure_of("page", wanted.key, error)
    return failure_of("movie", str(error.movie_id), error)


def report_page(wanted: ListPage, page: MoviePage) -> PageReport:
    """Return the contents of a page that was saved."""
    return PageReport(
        page=wanted.page,
        movie_count=page.movie_count,
        rows=page.rows,
        digest=hash(page.ids) if page.ids else None,
        size=wanted.size,
        has_repeats=page.rows > len(page.movies) + len(page.malformed),
        is_doubtful=page.is_doubtful,
        is_collapsed=page.is_collapsed,
    )
