"""`Links`: the addresses of the pages; `checked_url`: URLs of the catalogue that may be used."""

import re
from collections.abc import Iterable
from urllib.parse import quote, urlencode, urlsplit

from database.serving.movie_cards import MovieCard

#: Slugs that can stand in a path as they are. YTS percent-encodes letters outside ASCII.
_SLUG = re.compile(r"(?:[a-z0-9_-]|%[0-9a-f]{2})+", re.IGNORECASE | re.ASCII)
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
#: What a URL may have after its host: neither spaces, quotes nor letters outside ASCII.
_REST = re.compile(r"[!#$%&()*+,./0-9:;=?@A-Z\[\]_a-z~-]*", re.ASCII)
_LONGEST_URL = 2000

Value = str | int | float | None


def checked_url(url: str | None, schemes: Iterable[str] = ("http", "https")) -> str | None:
    """
    Return a URL from the catalogue if a page may link to it; None for all others.

    It has a scheme of *schemes*, a host without a user, and no character that must be encoded.
    """
    if not url or len(url) > _LONGEST_URL or not _REST.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in schemes and _HOST.fullmatch(parts.netloc) else None


class Links:
    """Makes the addresses of pages below a base path."""

    def __init__(self, base_path: str) -> None:
        """Put *base_path* before all addresses; it is empty or begins with a slash."""
        self.root = base_path

    def page(self, path: str, **parameters: Value) -> str:
        """Return the address of *path*, with the parameters that have a value."""
        return self.with_query(path, parameters.items())

    def with_query(self, path: str, parameters: Iterable[tuple[str, Value]]) -> str:
        """Do the same for parameters of which some may come several times."""
        given = [(name, value) for name, value in parameters if value not in (None, "")]
        return f"{self.root}{path}{'?' if given else ''}{urlencode(given)}"

    def movie(self, movie: MovieCard) -> str:
        """Return the address of the page of a movie."""
        is_usable = movie.slug is not None and _SLUG.fullmatch(movie.slug)
        return f"{self.root}/movies/{movie.slug if is_usable else movie.id}"

    def person(self, name: str, imdb_code: str | None = None) -> str:
        """Return the address of the page of a person; the code has no nm."""
        return f"{self.root}/people/{quote(f'nm{imdb_code}' if imdb_code else name, safe='')}"

    def imdb_person(self, imdb_code: str) -> str:
        """Return the address of a person at IMDb; the code has no nm."""
        return f"https://www.imdb.com/name/nm{quote(imdb_code, safe='')}/"

    def genre(self, name: str) -> str:
        """Return the address of the movies of a genre."""
        return self.page("/browse", genre=name)

    def decade(self, first_year: int) -> str:
        """Return the address of the movies of ten years."""
        return self.page("/browse", year_from=first_year, year_to=first_year + 9)
