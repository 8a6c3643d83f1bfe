"""`Posters`: which images of the catalogue a page shows, and the hosts that it needs for them."""

from collections.abc import Sequence
from urllib.parse import urlsplit
from zlib import crc32

from web.pages.frame.links import checked_url

#: Hues of the style sheet.
TINTS = 12
#: The most common genres have a hue of their own.
_GENRES = (
    "drama", "comedy", "thriller", "action", "romance", "horror", "crime", "documentary",
    "adventure", "animation", "sci-fi", "family",
)  # fmt: skip
_TINT_OF_GENRE = {genre: number for number, genre in enumerate(_GENRES)}


class Posters:
    """The images of one page."""

    def __init__(self, *, is_on: bool) -> None:
        """Show none unless *is_on*."""
        self._is_on = is_on
        self._hosts: set[str] = set()

    @property
    def sources(self) -> list[str]:
        """Return the sources of all images so far, as a content security policy names them."""
        return sorted(f"https://{host}" for host in self._hosts)

    def use(self, url: str | None) -> str | None:
        """Return *url* if the page may load this image; None: the drawn card stands alone."""
        checked = checked_url(url, ["https"]) if self._is_on else None
        if checked:
            self._hosts.add(urlsplit(checked).netloc.lower())
        return checked


def tint_of(genres: Sequence[str]) -> int:
    """Return the number of the hue of a drawn card, from the first genre."""
    if not genres:
        return TINTS
    genre = genres[0].lower()
    return _TINT_OF_GENRE.get(genre, crc32(genre.encode()) % TINTS)
