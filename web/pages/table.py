"""`make_pages`: all pages for people; requests are handled as it says."""

from web.pages.browse import read_browse
from web.pages.charts import Charts
from web.pages.feeds import ATOM, read_feed
from web.pages.found import read_found
from web.pages.frame.page import Page
from web.pages.health import read_health_page
from web.pages.movie import read_movie
from web.pages.person import read_person
from web.pages.queries import (
    BrowseQuery,
    FeedQuery,
    FoundQuery,
    HealthQuery,
    MoviePageQuery,
    PersonPageQuery,
)
from web.pages.start import read_start
from web.v1.parameters import Query


def make_pages() -> tuple[Page, ...]:
    """Return the pages of one server."""
    return (
        Page("/", "start.html", Query, read_start, "start", is_daily=True),
        Page("/browse", "browse.html", BrowseQuery, read_browse, "browse"),
        Page("/search", "found.html", FoundQuery, read_found),
        Page("/people/{person}", "person.html", PersonPageQuery, read_person, "browse"),
        Page("/movies/{movie}", "movie.html", MoviePageQuery, read_movie, "browse"),
        Page("/charts", "charts.html", Query, Charts().read, "charts", is_kept=False),
        Page("/health", "health.html", HealthQuery, read_health_page, "health", is_kept=False),
        Page("/feed.atom", "feed.atom", FeedQuery, read_feed, content_type=ATOM, is_absolute=True),
    )
