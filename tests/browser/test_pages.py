"""Each page, in each look: contrast, structure, sizes, no errors."""

import re

import pytest
import requests

from tests.browser.conftest import OpenVisit
from tests.support.browser.visits import DESK, PHONE, Look, Visit

#: Name: the path of a page, and the status of its response.
PAGES = {
    "start": ("/", 200),
    "browse": ("/browse?genre=Drama&year_from=1990&added_since=2020-01-01", 200),
    "search": ("/search?q=matrix", 200),
    "no-results": ("/search?q=xyzzyqwv", 200),
    "movie": ("/movies/the-matrix-1999", 200),
    "person": ("/people/Keanu%20Reeves", 200),
    "charts": ("/charts", 200),
    "health": ("/health", 200),
    "api": ("/api/v1/", 200),
    "not-found": ("/nowhere", 404),
}
#: Their parts have other places in a wide window than on a phone.
_OTHERWISE_WHEN_WIDE = {"browse", "movie", "health"}
#: All looks: those of the tests that always run, and others.
_LOOKS = [
    DESK,
    PHONE,
    Look(390, "light"),
    Look(820, "light"),
    Look(820, "dark"),
    Look(1280, "dark"),
]


def _visits() -> list[object]:
    return [
        pytest.param(*page, look, id=f"{name}-{look}", marks=_marks(name, look))
        for name, page in PAGES.items()
        for look in _LOOKS
    ]


def _marks(name: str, look: Look) -> list[pytest.MarkDecorator]:
    # The page of the API is large: axe takes several seconds for it.
    is_usual = look == PHONE or (look == DESK and name in _OTHERWISE_WHEN_WIDE)
    return [] if name != "api" and is_usual else [pytest.mark.long]


@pytest.mark.parametrize(("path", "status", "look"), _visits())
def test_a_page_is_fit_for_everybody(visit: OpenVisit, path: str, status: int, look: Look):
    """
    Contrast, names for screen readers, landmarks, one heading, the focus, no sideways scrolling.

    On a phone, links and controls are large enough for a finger. Nothing moves, because the
    visitor wants no motion. No script fails, and the policy of the page blocks nothing.
    """
    opened = visit(path, look)

    faults = opened.faults(status=status) + opened.barriers()

    assert not faults, "\n".join(faults)


def test_each_page_has_a_title_of_its_own(site: str):
    """Titles tell tabs, bookmarks and entries of the history apart."""
    titles = {}
    for name, (path, _status) in PAGES.items():
        page = requests.get(f"{site}{path}", timeout=20).text
        titles[name] = re.search("<title>(.*?)</title>", page, re.DOTALL)[1]

    assert len({*titles.values()}) == len(titles), titles


def test_the_colours_follow_the_system(visit: OpenVisit):
    """Dark ink on light paper, or light ink on dark paper, as soon as the setting changes."""
    opened = visit("/browse")
    opened.page.emulate_media(color_scheme="light")
    paper, ink = _brightness(opened)
    opened.page.emulate_media(color_scheme="dark")
    dark_paper, light_ink = _brightness(opened)

    assert paper - ink > 400
    assert light_ink - dark_paper > 400


def _brightness(opened: Visit) -> list[int]:
    """Return the sums of red, green and blue of the background and of the text."""
    colours = opened.page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    return [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours]
