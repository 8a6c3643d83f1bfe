"""`describe`: the description of the API v1 in OpenAPI 3.1, made from the table of routes."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from web.v1.problems import PROBLEM_JSON, Problem
from web.v1.route import Route

Schema = dict[str, Any]

TITLE = "API v1 of a YTS mirror"
INTRODUCTION = (
    "Movies, people and fetch runs of a mirror of YTS. Lists come in pages, each with the URL of "
    "the next one, or as a whole: as NDJSON or CSV. All addresses are read with GET."
)
#: Problems that any request can get, and what they mean.
PROBLEMS = {
    400: "A parameter is wrong or unknown.",
    401: "The server has a key, and the request lacks it.",
    404: "There is no such thing.",
    405: "The server can only be read.",
    409: "Several movies or people have this code or name.",
    421: "The server is not known by this name.",
    500: "The server has a bug.",
    503: "The server is busy, or the database is away.",
}


def describe(routes: Sequence[Route], root: str) -> bytes:
    """Return the description as JSON; *root* is the path of the API."""
    models: list[type[BaseModel]] = [Problem, *(route.response for route in routes)]
    _, definitions = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(models)],
        ref_template="#/components/schemas/{model}",
    )
    description = {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1", "description": INTRODUCTION},
        "servers": [{"url": root}],
        "security": [{}, {"bearer": []}, {"header": []}],
        "paths": {route.path: {"get": _operation(route)} for route in routes},
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        },
    }
    return json.dumps(description, ensure_ascii=False, separators=(",", ":")).encode()


def _operation(route: Route) -> Schema:
    return {
        "operationId": route.name,
        "summary": route.summary,
        "description": _description(route),
        "parameters": parameters_of(route),
        "responses": {
            "200": {
                "description": route.summary,
                "headers": _headers(route),
                "content": _content(route),
            },
            "304": {"description": "The client has the current response: see If-None-Match."},
            **{str(status): _problem(text) for status, text in PROBLEMS.items()},
        },
    }


def _description(route: Route) -> str:
    if route.read_items is None:
        return f"{route.summary}."
    return (
        f"{route.summary}. As NDJSON, each line is a {route.item.__name__}; as CSV, each row is "
        "one. Both have the whole list."
    )


def parameters_of(route: Route) -> list[Schema]:
    """Return the descriptions of the parameters of *route*."""
    schema = route.query.model_json_schema()
    parameters = []
    for name in [*route.path_parameters, *route.query_parameters]:
        details = dict(schema["properties"][name])
        description = details.pop("description", "")
        parameters.append(
            {
                "name": name,
                "in": "path" if name in route.path_parameters else "query",
                "required": name in schema.get("required", []),
                "description": description,
                "schema": _without_null(details),
            }
        )
    return parameters


def _without_null(schema: Schema) -> Schema:
    """Return the schema of a parameter that is absent, where pydantic has null."""
    kept = {name: schema[name] for name in schema if name not in {"title", "default", "anyOf"}}
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **kept}
    if choices:
        kept["anyOf"] = choices
    if schema.get("default") not in (None, [], ()):
        kept["default"] = schema["default"]
    return kept


def _content(route: Route) -> Schema:
    content: Schema = {"application/json": {"schema": _reference(route.response)}}
    if route.read_items is not None:
        content["application/x-ndjson"] = {"schema": {"type": "string"}}
        content["text/csv"] = {"schema": {"type": "string"}}
    return content


def _headers(route: Route) -> Schema:
    texts = {"ETag": "For If-None-Match."}
    if route.read_items is not None:
        texts["Link"] = 'The URL of the next page, with rel="next".'
        if "next_since" in route.response.model_fields:
            texts["Next-Since"] = "Of a stream: what `next_since` is in a page."
    return {
        name: {"description": text, "schema": {"type": "string"}} for name, text in texts.items()
    }


def _problem(text: str) -> Schema:
    return {"description": text, "content": {PROBLEM_JSON: {"schema": _reference(Problem)}}}


def _reference(model: type[BaseModel]) -> Schema:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
