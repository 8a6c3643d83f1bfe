"""The description of the API v1: valid, complete, and true for all requests."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings

from web.v1.route import Route
from web.v1.table import ROUTES

ROOT = "/api/v1"
#: Values for parameters that random text hardly ever hits; None leaves one out.
KNOWN = {
    "movie": "5",
    "person": "Tom Hanks",
    "like": ["5", "8"],
    "unlike": ["6"],
    "cursor": None,
    "genre": None,
    "language": None,
}


@pytest.fixture(scope="module")
def description(served: str) -> dict:
    """Return the description that the server sends."""
    return requests.get(f"{served}{ROOT}/openapi.json", timeout=20).json()


def test_the_description_is_valid_openapi(description: dict):
    """It is OpenAPI 3.1, and has every address of the table."""
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert list(OpenAPIV31SpecValidator(description).iter_errors()) == []
    assert description["openapi"] == "3.1.0"
    assert {*description["paths"]} == {route.path for route in ROUTES}


def cases() -> Iterator[tuple[str, str]]:
    """Yield each path with the kinds of requests that there are for it."""
    for route in ROUTES:
        yield route.path, "positive"
        # Any text is allowed as a person.
        if set(route.query.model_fields) - {"person"}:
            yield route.path, "negative"


@pytest.mark.parametrize(("path", "mode"), [*cases()], ids=str)
def test_the_server_does_what_the_description_says(
    description: dict, served: str, path: str, mode: str
):
    """
    Requests that the description allows succeed, others are refused with a problem.

    Status, headers, content type and content of each response are those of the description.
    """
    # Only here: every worker collects this module.
    import schemathesis
    from schemathesis.generation import GenerationMode

    schema = schemathesis.openapi.from_dict(description)
    schema.config.update(base_url=f"{served}{ROOT}")
    statuses = set()

    @seed(1)
    @settings(
        max_examples=5,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(schema[path]["GET"].as_strategy(generation_mode=GenerationMode(mode)))
    def check(case: schemathesis.Case) -> None:
        if mode == "positive":
            use_known_values(case.path_parameters)
            use_known_values(case.query)
        response = case.call()
        statuses.add(response.status_code)
        case.validate_response(response, excluded_checks=checks_without_meaning(response))

    check()
    assert statuses
    assert (200 in statuses) == (mode == "positive") or path == "/runs/{run}"


def use_known_values(parameters: dict) -> None:
    """Replace those values of `KNOWN` that are among *parameters*."""
    for name in KNOWN.keys() & parameters.keys():
        if KNOWN[name] is None:
            del parameters[name]
        else:
            parameters[name] = KNOWN[name]


def checks_without_meaning(response: Any) -> list[Callable]:
    """Return the check for refusals if the data is the reason, such as an unknown quality."""
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    if response.status_code == 400 and _is_about_data(response.json()):
        return [positive_data_acceptance]
    return []


def _is_about_data(problem: dict) -> bool:
    return "errors" not in problem or problem["detail"].startswith("No movie ")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_the_examples_of_the_page_are_requests_of_their_routes(served: str, route: Route):
    """Each succeeds, except that of a run, because the mirror of the tests has none."""
    response = requests.get(f"{served}{ROOT}{route.example}", timeout=20)

    pattern = re.sub(r"\{\w+\}", "[^/]+", route.path)
    assert re.fullmatch(rf"{pattern}(\?.*)?", route.example)
    assert response.status_code == (404 if route.path == "/runs/{run}" else 200)


@pytest.mark.parametrize("path", ["", "/"])
def test_the_page_lists_every_address(served: str, path: str):
    """It is a page like all others, and names no other host."""
    response = requests.get(f"{served}{ROOT}{path}", timeout=20)

    assert response.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'; style-src 'self'" in response.headers["Content-Security-Policy"]
    for route in ROUTES:
        assert f"GET {ROOT}{route.path}" in response.text
        for name in route.query.model_fields:
            assert f"<code>{name}</code>" in response.text
        for name in route.response.model_fields:
            assert f"<code>{name}</code>" in response.text
    targets = set(re.findall(r'href="#(\w+)"', response.text))
    assert targets <= set(re.findall(r'id="(\w+)"', response.text))
    assert "://" not in response.text
