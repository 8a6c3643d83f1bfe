"""`ErrorView`, `make_error`: errors as pages in the look of all others."""

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from web.pages.frame.page import HTML
from web.pages.frame.policy import headers_of
from web.pages.frame.posters import Posters
from web.pages.frame.rendering import Renderer
from web.responses import RETRY_SECONDS
from web.v1.problems import ProblemFound

#: Errors that people meet, in plain words.
_TITLES = {
    400: "This address is not valid",
    401: "A key is needed",
    404: "Nothing is here",
    405: "This server can only be read",
    414: "This address is too long",
    421: "This name is not known",
    500: "Something went wrong",
    503: "Not available at the moment",
}
_BAD_POSITION = "This page of the list does not exist. Begin with the first one."


@dataclass(frozen=True, slots=True)
class ErrorView:
    """An error for people."""

    status: int
    message: str

    @property
    def title(self) -> str:
        """Return the error in a few words."""
        return _TITLES.get(self.status) or HTTPStatus(self.status).phrase


def view_of(error: Exception) -> ErrorView:
    """Return what people are told of an error in a request."""
    if isinstance(error, ProblemFound):
        return ErrorView(error.status, error.detail)
    return ErrorView(400, str(error) or _BAD_POSITION)


def make_error(renderer: Renderer, view: ErrorView) -> web.Response:
    """Return the page of an error; nothing is read for it."""
    posters = Posters(is_on=False)
    page = renderer.render("error.html", posters, view=view, place="", is_practice=False)
    headers = {**headers_of(page), "Cache-Control": "no-store"}
    if view.status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return web.Response(
        status=view.status, body=page, content_type=HTML, charset="utf-8", headers=headers
    )
