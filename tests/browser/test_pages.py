"""Each page, in each look: contrast, structure, sizes, no errors."""

import pytest

from tests.browser.conftest import OpenVisit
from tests.support.browser.visits import DESK, Look

#: Name: the path of a page.
PAGES = {"api": "/api/v1/"}


@pytest.mark.parametrize("look", [DESK], ids=str)
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_is_fit_for_everybody(visit: OpenVisit, path: str, look: Look):
    """
    Contrast, names for screen readers, landmarks, the focus, hit areas, no sideways scrolling.
    """
    opened = visit(path, look)

    faults = opened.faults()
    assert not faults, "\n".join(faults)
