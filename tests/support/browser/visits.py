"""`Visit`: a page in a window, and what happened while it was open; `Look`: size and colours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect

#: Much longer than anything takes that tests wait for, also on a busy machine; in milliseconds.
_TIMEOUT = 60_000
expect.set_options(timeout=_TIMEOUT)
_MEASURES = (Path(__file__).parent / "measures.js").read_text(encoding="utf-8")
#: Everything that is not on the loopback address.
_FOREIGN = re.compile(r"https?://(?!127\.0\.0\.1[:/])")
#: A grey image with the shape of a poster.
_POSTER = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="3">'
    '<rect width="2" height="3" fill="#888"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Look:
    """The window and the settings of a user."""

    width: int = 1280
    colours: Literal["light", "dark"] = "light"
    has_scripts: bool = True

    def __str__(self) -> str:
        """Return the name of the look in the names of tests."""
        return f"{self.width}-{self.colours}" + ("" if self.has_scripts else "-no-scripts")


PHONE, DESK = Look(390, "dark"), Look(1280, "light")
#: As many as the window of a phone or of a desktop shows.
_HEIGHTS = {390: 844, 820: 1180, 1280: 800}


@dataclass
class Visit:
    """A page of the server at *root*; everything that it complains about and asks for is kept."""

    page: Page
    root: str
    look: Look
    #: Errors of scripts, of the content security policy and of requests.
    complaints: list[str] = field(default_factory=list)
    #: Requests to other hosts.
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to the page."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _note(self, url: str) -> None:
        if _FOREIGN.match(url):
            self.foreign.append(url)

    def go(self, path: str) -> int:
        """Open *path* of the server, and return the status of the response."""
        response = self.page.goto(f"{self.root}{path}")
        assert response is not None
        return response.status

    @property
    def path(self) -> str:
        """Return the path of the page that is open, with its query."""
        parts = urlsplit(self.page.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def faults(self, *, status: int = 200) -> list[str]:
        """
        Return what is wrong with the page that is open: its layout, its structure, what it did.

        *status* is the one of the response; the browser complains about errors.
        """
        self.page.keyboard.press("Tab")
        measured: list[str] = self.page.evaluate(_MEASURES, {"phone": self.look.width < 500})
        expected = f"the server responded with a status of {status} "
        return measured + [it for it in self.complaints if status == 200 or expected not in it]

    def barriers(self) -> list[str]:
        """Return what keeps people from using the page, serious for them or worse."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {each['help']}: {node['html'][:120]} {node['failureSummary'][-200:]}"
            for each in found
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"][:3]
        ]


@contextmanager
def open_context(
    browser: Browser, look: Look, *, has_posters: bool = True
) -> Iterator[BrowserContext]:
    """Open a window without a past; other hosts answer with a grey image, or cannot be reached."""
    context = browser.new_context(
        viewport={"width": look.width, "height": _HEIGHTS[look.width]},
        color_scheme=look.colours,
        java_script_enabled=look.has_scripts,
        reduced_motion="reduce",
    )
    with context:
        context.set_default_timeout(_TIMEOUT)
        context.route(_FOREIGN, _send_poster if has_posters else _refuse)
        yield context


def _send_poster(route: Route) -> None:
    route.fulfill(body=_POSTER, content_type="image/svg+xml")


def _refuse(route: Route) -> None:
    route.abort()
