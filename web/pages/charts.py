"""`Charts`: the page of charts, drawn again when movies have changed, but not for each request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from time import monotonic

from markupsafe import Markup
from sqlalchemy.orm import Session

from database.counts import read_counts
from database.monitoring.figures import read_figures
from database.serving.read_only import read_revision
from web.display import catalogue_charts
from web.v1.parameters import Query
from web.v1.route import Source

#: Charts that are younger are shown even if movies have changed since, in seconds: during a fetch
#: they change all the time, and figures of all movies cost PostgreSQL a fifth of a second.
KEPT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ChartsView:
    """The page of charts, as of one moment."""

    #: In UTC.
    time: datetime
    #: Movies that YTS has.
    movies: int
    growth: Markup
    decades: Markup
    genres: Markup
    ratings: Markup
    coverage: Markup


@dataclass(frozen=True, slots=True)
class _Drawn:
    view: ChartsView
    revision: str
    #: By the clock of this process.
    at: float


class Charts:
    """Reads the page of charts of one server, from all of its threads."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Measure the age of charts by *clock*, in seconds."""
        self._clock = clock
        self._lock = Lock()
        self._drawn: _Drawn | None = None

    def read(self, source: Source, _query: Query) -> ChartsView:
        """Return the charts; meanwhile other threads return the older ones, if there are any."""
        revision = read_revision(source.session)
        drawn = self._drawn
        if drawn is not None and (self._is_current(drawn, revision) or self._lock.locked()):
            return drawn.view
        with self._lock:
            # Another thread may have drawn them while this one waited.
            drawn = self._drawn
            if drawn is None or not self._is_current(drawn, revision):
                drawn = self._drawn = _Drawn(_draw(source.session), revision, self._clock())
        return drawn.view

    def _is_current(self, drawn: _Drawn, revision: str) -> bool:
        # The first movies are shown at once.
        is_young = drawn.view.movies > 0 and self._clock() - drawn.at < KEPT_SECONDS
        return is_young or drawn.revision == revision


def _draw(session: Session) -> ChartsView:
    counts, figures = read_counts(session), read_figures(session)
    return ChartsView(
        time=figures.time.astimezone(UTC),
        movies=counts.movies - counts.gone_movies,
        growth=catalogue_charts.growth(figures),
        decades=catalogue_charts.decades(figures),
        genres=catalogue_charts.genres(figures),
        ratings=catalogue_charts.ratings(figures),
        coverage=catalogue_charts.coverage(figures),
    )
