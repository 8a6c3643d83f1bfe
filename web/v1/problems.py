"""`Problem`, `ProblemFound`, `report_problems`: errors as problem details (RFC 9457)."""

from collections.abc import Sized
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import Field

from web.responses import RETRY_SECONDS
from web.v1.models import Model

PROBLEM_JSON = "application/problem+json"


class ParameterError(Model):
    """What is wrong with one parameter."""

    parameter: str
    message: str


class Problem(Model):
    """An error as described by RFC 9457."""

    type: Annotated[str, Field(description="Always about:blank: the status says which kind.")]
    title: str
    status: int
    detail: Annotated[str, Field(description="What is wrong, and what to do.")]
    errors: Annotated[
        list[ParameterError] | None, Field(description="For each parameter that is wrong.")
    ] = None


class ProblemFound(Exception):
    """A request that gets a problem instead of a result."""

    def __init__(
        self, status: int, detail: str, errors: list[ParameterError] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors


def check_complete(found: Sized, ids: Sized) -> None:
    """
    Check that all movies with *ids*, which were read just before, were *found*.

    Raises:
        ProblemFound: some are no longer there, because practice data gives way to real data.
    """
    if len(found) < len(ids):
        raise ProblemFound(503, "The movies of this mirror are being replaced. Try again soon.")


def problem_response(problem: ProblemFound) -> web.Response:
    """Return *problem* as a response."""
    headers = {"Cache-Control": "no-store"}
    if problem.status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return web.Response(
        status=problem.status,
        body=_body_of(problem.status, problem.detail, problem.errors),
        content_type=PROBLEM_JSON,
        headers=headers,
    )


def report_problems(root: str) -> Middleware:
    """Return the middleware that makes problems of all errors below the path *root*."""

    @web.middleware
    async def report(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        is_inside = request.path == root or request.path.startswith(f"{root}/")
        if not (is_inside and isinstance(response, web.Response)):
            return response
        if response.status >= 400 and response.content_type == "text/plain":
            detail = (response.text or "").strip()
            response.body = _body_of(response.status, detail, None)
            response.content_type = PROBLEM_JSON
            response.charset = None
        return response

    return report


def _body_of(status: int, detail: str, errors: list[ParameterError] | None) -> bytes:
    title = HTTPStatus(status).phrase
    problem = Problem(type="about:blank", title=title, status=status, detail=detail, errors=errors)
    return problem.model_dump_json(exclude_none=True).encode()
