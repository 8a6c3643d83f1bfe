"""SQL conditions for the movies that a text names: `has_imdb_code`, `has_page`, `has_title`."""

import re
from urllib.parse import unquote

from sqlalchemy import ColumnElement, and_, func, or_

from database.models import Movie

#: Longer texts are not titles.
LONGEST_TITLE = 300
_IMDB_CODE = re.compile(r"\btt(\d{5,10})\b", re.IGNORECASE)
_YTS_PAGE = re.compile(
    r"(?:https?://)?[\w.-]+(?::\d+)?(?:/\w+)*/movies?/([^/?#\s]+)\S*", re.IGNORECASE
)
_TITLE_AND_YEAR = re.compile(
    r"(?P<title>.*\S)\s+(?:\(?(?P<year>(?:18|19|20)\d\d)\)?|\(year unknown\))", re.DOTALL
)


def has_imdb_code(text: str) -> ColumnElement[bool] | None:
    """Return the condition for the IMDb codes in *text*, which may be in URLs; None without one."""
    codes = _IMDB_CODE.findall(text)
    # Some programs write more leading zeros, or fewer.
    spellings = {spelling for code in codes for spelling in _spellings(code)}
    return Movie.imdb_code.in_(spellings) if codes else None


def _spellings(digits: str) -> tuple[str, str]:
    return f"tt{digits}", f"tt{int(digits):07}"


def has_page(text: str) -> ColumnElement[bool] | None:
    """Return the condition for the URL of a page at YTS; None if *text* is not one."""
    match = _YTS_PAGE.fullmatch(text.strip())
    if match is None:
        return None
    slug = unquote(match[1]).lower()
    # Movies with the same slug at YTS share a URL, but only one of them stores this slug.
    return or_(Movie.slug == slug, Movie.url.endswith(f"/movies/{slug}", autoescape=True))


def has_title(text: str) -> ColumnElement[bool]:
    """Return the condition for a title, alone or followed by the year, as in `Dune (1984)`."""
    condition = _is_called(text)
    if match := _TITLE_AND_YEAR.fullmatch(text.strip()):
        of_year = Movie.year == int(match["year"]) if match["year"] else Movie.year.is_(None)
        condition = or_(condition, and_(_is_called(match["title"]), of_year))
    return condition


def _is_called(title: str) -> ColumnElement[bool]:
    """Compare titles without case, accents, spaces and signs, unless they consist of signs."""
    key = func.search_key(title)
    as_it_is = and_(
        key.is_(None),
        func.search_key(Movie.title).is_(None),
        func.lower(Movie.title) == func.lower(title.strip()),
    )
    return or_(func.search_key(Movie.title) == key, as_it_is)
