"""The ways of a visitor: from page to page, and back."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenVisit
from tests.support.browser.visits import DESK, PHONE, Look, Visit

NO_SCRIPTS = Look(390, "light", has_scripts=False)
LONG = pytest.mark.long


def query_of(opened: Visit) -> dict[str, str]:
    """Return the query of the page that is open."""
    return dict(parse_qsl(urlsplit(opened.page.url).query))


def test_each_entry_of_the_navigation_leads_to_its_page(visit: OpenVisit):
    """It has a heading and a title of its own, and the entry is marked as the current one."""
    opened = visit("/")
    names = opened.page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()
    titles = []

    for name in names:
        opened.page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        current = opened.page.get_by_role("navigation", name="Main").locator("[aria-current=page]")
        expect(current).to_have_text(name)
        expect(opened.page.get_by_role("heading", level=1)).to_be_visible()
        titles.append(opened.page.title())

    assert names == ["Start", "Browse", "Charts", "Health", "API"]
    assert len({*titles}) == len(titles)
    assert opened.complaints == []


@pytest.mark.parametrize("look", [pytest.param(DESK, marks=LONG), NO_SCRIPTS], ids=str)
def test_filters_are_in_the_address_and_can_be_taken_back_one_by_one(visit: OpenVisit, look: Look):
    """A filter that was not chosen is not in the address; each chip removes one."""
    opened = visit("/browse", look)
    heading = opened.page.get_by_role("heading", level=1)
    everything = heading.inner_text()
    if look.width < 500:
        opened.page.locator("summary", has_text="Filters").click()

    opened.page.locator("summary", has_text="Genres").click()
    opened.page.get_by_label("Drama").check()
    opened.page.get_by_role("group", name="Year").get_by_label("from").fill("2000")
    opened.page.get_by_role("button", name="Apply").click()
    opened.page.wait_for_url("**/browse?*")
    assert query_of(opened) == {"genre": "Drama", "year_from": "2000"}
    filtered = opened.page.locator("main .card").count()
    assert filtered > 0
    assert heading.inner_text() != everything

    chips = opened.page.get_by_role("list", name="Active filters")
    chips.get_by_role("link", name="Remove Drama").click()
    opened.page.wait_for_url("**/browse?year_from=2000")
    chips.get_by_role("link", name="Remove").first.click()
    opened.page.wait_for_url("**/browse")

    assert heading.inner_text() == everything
    assert opened.complaints == []


@pytest.mark.parametrize("look", [pytest.param(PHONE, marks=LONG), NO_SCRIPTS], ids=str)
def test_pages_of_a_list_follow_each_other(visit: OpenVisit, look: Look):
    """The next page has other movies; the page before it is the first one again."""
    opened = visit("/browse?sort=title", look)
    names = opened.page.locator("main .card .name")
    first = names.all_inner_texts()

    opened.page.locator("main a[rel=next]").click()
    opened.page.wait_for_url("**/browse?*sort=title&*")
    second = names.all_inner_texts()
    opened.page.locator("main a[rel=prev]").click()
    expect(names.first).to_have_text(first[0])

    assert {*first}.isdisjoint(second)
    assert names.all_inner_texts() == first


@pytest.mark.parametrize("look", [PHONE, pytest.param(NO_SCRIPTS, marks=LONG)], ids=str)
def test_from_a_search_to_a_movie_to_its_cast_and_back(visit: OpenVisit, look: Look):
    """Each page has the name of what it shows as its heading, and back is back."""
    opened = visit("/", look)
    heading = opened.page.get_by_role("heading", level=1)

    opened.page.locator("input[type=search]").fill("matrix")
    opened.page.get_by_role("button", name="Search").click()
    opened.page.get_by_role("link", name="The Matrix", exact=True).click()
    expect(heading).to_have_text("The Matrix")
    opened.page.get_by_role("link", name="Keanu Reeves").click()
    expect(heading).to_have_text("Keanu Reeves")
    expect(opened.page.locator("main .card .name", has_text="The Matrix").first).to_be_visible()
    opened.page.go_back()

    expect(heading).to_have_text("The Matrix")
    assert opened.complaints == []


def test_a_title_with_a_typing_error_gets_a_suggestion(visit: OpenVisit):
    """Or the movie itself; in any case the way to it is one link."""
    opened = visit("/search?q=matrxi")

    link = opened.page.locator("main").get_by_role("link", name="matrix").first
    expect(link).to_be_visible()
