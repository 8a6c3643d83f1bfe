"""All that can be done with the keys alone."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenVisit


def test_a_search_needs_no_pointer(visit: OpenVisit):
    """`/` focuses the search, also on a page that has it in its header; Enter searches."""
    opened = visit("/browse")

    opened.page.keyboard.press("/")
    opened.page.keyboard.type("the matrix")
    opened.page.keyboard.press("Enter")

    opened.page.wait_for_url("**/search?q=the+matrix")
    results = opened.page.locator("main .row")
    expect(results.first.get_by_role("link", name="The Matrix", exact=True)).to_be_visible()
    assert opened.complaints == []


def test_the_first_key_leads_past_the_navigation(visit: OpenVisit):
    """Tab shows a link to the content, which is where the focus goes."""
    opened = visit("/browse")

    opened.page.keyboard.press("Tab")
    link = opened.page.locator(":focus")
    expect(link).to_be_in_viewport()
    expect(link).to_have_text("Skip to the content")
    opened.page.keyboard.press("Enter")

    expect(opened.page.locator("main")).to_be_focused()


def test_arrows_move_in_a_grid_of_movies(visit: OpenVisit):
    """To the movie beside or below, as the eye sees it; not out of the grid."""
    opened = visit("/browse")
    links = opened.page.locator("main .grid .card a")
    first, second = links.nth(0), links.nth(1)

    first.focus()
    opened.page.keyboard.press("ArrowLeft")
    expect(first).to_be_focused()
    opened.page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    opened.page.keyboard.press("ArrowDown")
    below = opened.page.locator(":focus")
    box, above = below.bounding_box(), second.bounding_box()

    assert box is not None
    assert above is not None
    assert box["x"] == above["x"]
    assert box["y"] > above["y"]


def test_titles_are_suggested_while_one_types(visit: OpenVisit):
    """After a pause of 150 ms, which the clock of the page skips."""
    opened = visit("/", is_frozen=True)

    opened.page.keyboard.press("/")
    opened.page.keyboard.type("the mat")
    with opened.page.expect_response("**/suggest?q=the%20mat"):
        opened.page.clock.run_for(1000)

    suggested = opened.page.locator("datalist option[value='The Matrix']")
    expect(suggested).to_have_count(1)
