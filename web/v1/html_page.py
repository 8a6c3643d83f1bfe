"""`make_page`: the addresses and objects of the API v1 as an HTML page, without scripts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from web.v1.openapi import INTRODUCTION, PROBLEMS, TITLE, parameters_of
from web.v1.parameters import Filters
from web.v1.route import Route

#: Only the stylesheet beside the page may be loaded.
PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_FOLDER = Path(__file__).parent
STYLE = (_FOLDER / "style.css").read_bytes()

Schema = dict[str, Any]


def make_page(routes: Sequence[Route], openapi: bytes, root: str) -> bytes:
    """Return the page; *root* is the path of the API, *openapi* its description."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"values": _values_of, "type": _type_of, "marked": _mark_code}
    filters = Filters.model_fields
    filtered = next(route for route in routes if issubclass(route.query, Filters))
    page = environment.get_template("page.html").render(
        title=TITLE,
        introduction=INTRODUCTION,
        root=root,
        routes=[(route, _parameters(route), issubclass(route.query, Filters)) for route in routes],
        filters=[each for each in parameters_of(filtered) if each["name"] in filters],
        objects=json.loads(openapi)["components"]["schemas"],
        problems=PROBLEMS,
    )
    return page.encode()


def _parameters(route: Route) -> list[Schema]:
    """Return the parameters of *route* besides the filters, its own ones first."""
    own = [each for each in parameters_of(route) if each["name"] not in Filters.model_fields]
    return sorted(own, key=lambda each: each["name"] in {"format", "limit", "cursor"})


def _values_of(schema: Schema) -> str:
    """Return which values a parameter may have, in words."""
    if "items" in schema:
        return _values_of(schema["items"])
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if examples := schema.get("examples"):
        return f"such as {' or '.join(map(str, examples))}"
    if "minimum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    return "true, false" if schema.get("type") == "boolean" else "text"


def _type_of(schema: Schema) -> Markup:
    """Return the type of a field, in words, with links to other objects."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(map(_type_of, schema["anyOf"]))
    if "prefixItems" in schema:
        return escape("pair of texts")
    if "items" in schema:
        return Markup("list of {}").format(_type_of(schema["items"]))
    return escape(_name_of(schema))


def _name_of(schema: Schema) -> str:
    if choices := schema.get("enum"):
        return " or ".join(choices)
    if schema.get("format") == "date-time":
        return "time"
    kind = str(schema.get("const", schema.get("type")))
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)


def _mark_code(text: str) -> Markup:
    """Return *text* with its parts between backticks as code."""
    parts = [Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
             for number, part in enumerate(text.split("`"))]  # fmt: skip
    return Markup("").join(parts)
