"""`make_page`: the addresses of the API v1 as an HTML page, without scripts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.v1.openapi import INTRODUCTION, PROBLEMS, TITLE, parameters_of
from web.v1.route import Route

#: Only the stylesheet beside the page may be loaded.
PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_FOLDER = Path(__file__).parent
STYLE = (_FOLDER / "style.css").read_bytes()


def make_page(routes: Sequence[Route], root: str) -> bytes:
    """Return the page; *root* is the path of the API."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["values_of"] = _values_of
    page = environment.get_template("page.html").render(
        title=TITLE,
        introduction=INTRODUCTION,
        root=root,
        routes=[(route, parameters_of(route)) for route in routes],
        problems=PROBLEMS,
    )
    return page.encode()


def _values_of(schema: dict[str, Any]) -> str:
    """Return which values a parameter may have, in words."""
    if "items" in schema:
        return _values_of(schema["items"])
    if "enum" in schema:
        return ", ".join(schema["enum"])
    examples = ", ".join(map(str, schema.get("examples", ())))
    if examples:
        return f"such as {examples}"
    if "minimum" in schema:
        end = f" to {schema['maximum']:g}" if "maximum" in schema else " or more"
        return f"{schema['minimum']:g}{end}"
    return {"boolean": "true, false"}.get(schema.get("type", ""), "text")
