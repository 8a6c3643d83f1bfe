"""`write_config`: print the value and the origin of every option, for `--show-config`."""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import click
from click.core import ParameterSource

from cli.command_line import MASKS
from cli.display.tables import write_json, write_table
from cli.display.text import duration
from cli.dotenv_file import find_variable
from database.connection.env_file import is_from_file
from ingest.ids import format_ids


def write_config(context: click.Context, defaults: Mapping[str, str], *, as_json: bool) -> None:
    """
    Write all options of *context* with their values and where these come from.

    *defaults* describes the effect of options without a value. No secret is shown.
    """
    rows = list(_rows(context, defaults))
    if as_json:
        write_json("option", rows)
    else:
        write_table(rows)


def _rows(context: click.Context, defaults: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for option in context.command.params:
        name = option.name or ""
        if not isinstance(option, click.Option) or not option.expose_value:
            continue
        value, typed_as = context.params[name], option.opts[-1]
        yield {
            "option": typed_as,
            "value": defaults.get(name, "none") if value is None else _shown(typed_as, value),
            "from": _source(context, option, name),
        }


def _shown(option: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return duration(value.total_seconds())
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return format_ids(value)
    return MASKS[option](value) if option in MASKS else str(value)


def _source(context: click.Context, option: click.Option, name: str) -> str:
    match context.get_parameter_source(name):
        case ParameterSource.COMMANDLINE:
            return "command line"
        case ParameterSource.ENVIRONMENT:
            used = find_variable(context, option) or ""
            return f"{'.env' if is_from_file(used) else 'environment'}: {used}"
        case _:
            if name == "database_url" and os.environ.get("DATABASE_URL_FILE"):
                return "DATABASE_URL_FILE"
            return "default"
