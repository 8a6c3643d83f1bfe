"""`slugify`, `cover_images`, `screenshots`: slugs and image URLs as YTS makes them."""

import re
from unicodedata import combining, normalize
from urllib.parse import quote

from sandbox.catalogue.facts import Facts

SITE = "https://yts.gg"
_IMAGES = f"{SITE}/assets/images/movies"
_WORD = re.compile(r"\w+")


def slugify(facts: Facts) -> str:
    """Return the slug as YTS makes it: without accents, other non-ASCII as lower-case escapes."""
    title = (facts.title or "").lower().replace("'", "")
    if not title.isascii():
        title = "".join(c for c in normalize("NFD", title) if not combining(c))
    return f"{quote('-'.join(_WORD.findall(title))).lower()}-{facts.year or ''}"


def cover_images(facts: Facts, slug: str) -> dict[str, object]:
    """Return the URLs that every response about a movie has."""
    directory = _image_directory(facts, slug)
    return {
        "background_image": f"{directory}/background.jpg",
        "background_image_original": f"{directory}/background.jpg",
        "small_cover_image": f"{directory}/small-cover.jpg",
        "medium_cover_image": f"{directory}/medium-cover.jpg",
        "large_cover_image": f"{directory}/large-cover.jpg",
    }


def screenshots(facts: Facts, slug: str) -> dict[str, object]:
    """Return the URLs that `with_images` adds."""
    return _screenshots(_image_directory(facts, slug))


def _image_directory(facts: Facts, slug: str) -> str:
    """Return the URL of a movie's images, which cannot always be derived from its slug."""
    edition = "_remastered" if facts.like_count % 29 == 0 else ""
    return f"{_IMAGES}/{slug.replace('-', '_')}{edition}"


def _screenshots(directory: str) -> dict[str, object]:
    return {
        f"{size}_screenshot_image{number}": f"{directory}/{size}-screenshot{number}.jpg"
        for size in ("medium", "large")
        for number in (1, 2, 3)
    }


#: Screenshots of a movie that does not exist: its directory has no name.
GHOST_SCREENSHOTS = _screenshots(f"{_IMAGES}/")
