"""`open_browser`: a headless Chromium of this machine, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

#: Programs that are looked for, the fastest first. The variable CHROMIUM names another.
PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
_ARGUMENTS = (
    # The tests need no network: names of other hosts are unknown.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    # Nobody looks: fewer processes and no emulated graphics card save a third of the CPU time.
    "--disable-gpu",
    "--disable-gpu-compositing",
    "--renderer-process-limit=1",
    "--disable-features=IsolateOrigins,SitePerProcess",
)


class NoChromium(Exception):
    """No Chromium is installed here."""


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, or None."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named) or named
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """
    Start Chromium, and end it after the block. Without an installed one, take Playwright's own.

    Raises:
        NoChromium: there is neither.
    """
    program = find_chromium()
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        except Error as error:
            if program:
                raise
            raise NoChromium(
                "There is no Chromium. On Debian: apt-get install chromium-headless-shell. "
                "Elsewhere: playwright install chromium, or name a program with CHROMIUM."
            ) from error
        with browser:
            yield browser
