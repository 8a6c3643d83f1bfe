"""`Renderer`: templates to bytes, with all text of the catalogue escaped and printable."""

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.pages.frame.files import StaticFiles
from web.pages.frame.links import Links, checked_url
from web.pages.frame.posters import Posters, tint_of
from yts.printable import printable

#: The last line of a page names the sources of its images: see `web.pages.frame.policy`.
IMAGES_BEGIN, IMAGES_END = b"\n<!-- images: ", b" -->\n"


class Renderer:
    """Renders the templates of the pages."""

    def __init__(self, links: Links, files: StaticFiles) -> None:
        """Prepare the environment of all templates."""
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_finalize,
            auto_reload=False,
        )
        self._environment.globals |= {"link": links, "asset": files.address, "tint_of": tint_of}
        self._environment.filters |= {
            "number": _number,
            "day": _day,
            "moment": _moment,
            "http": checked_url,
        }

    def render(self, template: str, posters: Posters, **values: Any) -> bytes:
        """Return the page, with the sources of its images in the last line."""
        page = self._environment.get_template(template).render(poster_source=posters.use, **values)
        sources = " ".join(posters.sources).encode()
        return page.encode() + (IMAGES_BEGIN + sources + IMAGES_END if sources else b"")


def _finalize(value: Any) -> Any:
    """Return what a template shows of *value*: text without control characters."""
    # Text that the templates have made is Markup, a kind of str.
    return printable(value) if type(value) is str else value


def _number(value: float) -> str:
    return f"{value:,}"


def _day(value: datetime) -> str:
    return f"{value.day} {value:%B %Y}"


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC"
