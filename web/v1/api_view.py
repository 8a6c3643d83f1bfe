"""`view_api`: what the page of the API v1 shows: addresses, filters, objects and problems."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from web.v1.openapi import INTRODUCTION, PROBLEMS, TITLE, parameters_of
from web.v1.parameters import Filters
from web.v1.route import Route

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldView:
    """A parameter, or a field of an object."""

    name: str
    values: str | Markup
    meaning: Markup
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class RouteView:
    """An address, its own parameters, and whether it has the filters of movies too."""

    route: Route
    parameters: list[FieldView]
    has_filters: bool


@dataclass(frozen=True, slots=True)
class ObjectView:
    """An object of the responses."""

    name: str
    meaning: Markup
    fields: list[FieldView]


@dataclass(frozen=True, slots=True)
class ApiView:
    """The page; *root* is the path of the API."""

    root: str
    routes: list[RouteView]
    filters: list[FieldView]
    objects: list[ObjectView]
    title: str = TITLE
    introduction: str = INTRODUCTION
    problems: tuple[tuple[int, str], ...] = tuple(PROBLEMS.items())


def view_api(routes: Sequence[Route], openapi: bytes, root: str) -> ApiView:
    """Return the page of *routes*, which *openapi* describes."""
    filtered = next(route for route in routes if issubclass(route.query, Filters))
    filters = [each for each in parameters_of(filtered) if each["name"] in Filters.model_fields]
    return ApiView(
        root,
        [RouteView(it, _own_parameters(it), issubclass(it.query, Filters)) for it in routes],
        [_parameter(each) for each in filters],
        [_object(name, it) for name, it in json.loads(openapi)["components"]["schemas"].items()],
    )


def _own_parameters(route: Route) -> list[FieldView]:
    """Return the parameters of *route* besides the filters, its own ones first."""
    own = [each for each in parameters_of(route) if each["name"] not in Filters.model_fields]
    own.sort(key=lambda each: each["name"] in {"format", "limit", "cursor"})
    return [_parameter(each) for each in own]


def _parameter(described: Schema) -> FieldView:
    name, meaning = described["name"], _mark_code(described["description"])
    is_required = bool(described.get("required"))
    return FieldView(name, _values_of(described["schema"]), meaning, is_required)


def _object(name: str, schema: Schema) -> ObjectView:
    fields = [
        FieldView(field, _type_of(each), _mark_code(each.get("description", "")))
        for field, each in schema["properties"].items()
    ]
    return ObjectView(name, _mark_code(schema["description"]), fields)


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
