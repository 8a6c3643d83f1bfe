"""`PAGES`: all pages for people; requests are handled as it says."""

from web.pages.movie import read_movie
from web.pages.page import Page
from web.pages.queries import MoviePageQuery
from web.pages.start import read_start
from web.v1.parameters import Query

PAGES: tuple[Page, ...] = (
    Page("/", "start.html", Query, read_start, "start", is_daily=True),
    Page("/movies/{movie}", "movie.html", MoviePageQuery, read_movie, "browse"),
)
