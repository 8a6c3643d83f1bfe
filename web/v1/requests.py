"""`read_query`, `choose_format`: a request of the API v1 as values, or a problem with reasons."""

from typing import Any, Literal, TypeVar, get_origin

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from web.v1.parameters import Query
from web.v1.problems import ParameterError, ProblemFound

AnyQuery = TypeVar("AnyQuery", bound=Query)
Format = Literal["json", "ndjson", "csv"]
#: Media type: the format that a client asks for with it in the header Accept.
MEDIA_TYPES: dict[str, Format] = {
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "text/csv": "csv",
}
#: Of a request that has more, the first ones are reported.
_MOST_ERRORS = 10


def read_query(model: type[AnyQuery], request: web.Request) -> AnyQuery:
    """
    Return the checked parameters of a *request*.

    Raises:
        ProblemFound: 404 for a parameter in the path, 400 for one in the query.
    """
    path, sent = request.match_info, request.query
    known = [name for name in model.model_fields if name not in path]
    errors = [_unknown(name, known) for name in sorted({*sent} - {*known})]
    values: dict[str, Any] = {**path}
    for name in {*sent} & {*known}:
        every = sent.getall(name)
        is_list = _is_list(model, name)
        if len(every) > 1 and not is_list:
            errors.append(ParameterError(parameter=name, message="Give it only once."))
        values[name] = every if is_list else every[0]
    try:
        query = model.model_validate(values)
    except ValidationError as error:
        errors += [_explain(model, each) for each in error.errors(include_url=False)]
    if not errors:
        return query
    status = 404 if any(error.parameter in path for error in errors) else 400
    shown = errors[:_MOST_ERRORS]
    detail = " ".join(f"{error.parameter}: {error.message}" for error in shown)
    raise ProblemFound(status, detail, shown)


def choose_format(asked: Format | None, accept: str) -> Format:
    """Return the format that the parameter or else the header Accept asks for; else JSON."""
    if asked is not None:
        return asked
    best: tuple[float, Format] = (0.0, "json")
    for part in accept.split(","):
        media_type, *parameters = (each.strip().lower() for each in part.split(";"))
        chosen = MEDIA_TYPES.get(media_type)
        weight = _weight(parameters)
        if chosen and weight > best[0]:
            best = weight, chosen
    return best[1]


def _weight(parameters: list[str]) -> float:
    text = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return float(text)
    except ValueError:
        return 0.0


def _is_list(query: type[Query], name: str) -> bool:
    return get_origin(query.model_fields[name].annotation) is tuple


def _unknown(name: str, known: list[str]) -> ParameterError:
    listed = f"The known ones are: {', '.join(known)}." if known else "There are none here."
    return ParameterError(parameter=name[:100], message=f"This parameter is unknown. {listed}")


def _explain(model: type[Query], error: ErrorDetails) -> ParameterError:
    name = str(error["loc"][0])
    message = error["msg"].removeprefix("Value error, ").partition(" after validation")[0]
    for standard in ("Input", "String", "Tuple"):
        message = message.replace(f"{standard} should", "It should")
    if error["type"] == "missing":
        message = "It is required"
    elif error["type"] == "string_pattern_mismatch":
        message = f"It should be this: {model.model_fields[name].description}"
    return ParameterError(parameter=name, message=f"{message.rstrip('.')}.")
