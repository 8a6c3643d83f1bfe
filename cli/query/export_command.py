"""`export`: the command that writes a table of the mirror; `check_export` checks its options."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import click

from cli.output import STDOUT
from cli.query.export import Format, choose_format, write_rows
from cli.query.export_tables import ExportTable, choose_table
from cli.query.movie_lookup import read_filters, read_since
from database.repository import MovieRepository

Options = Mapping[str, Any]


def check_export(options: Options) -> None:
    """
    Refuse contradictions before the database is opened.

    Raises:
        click.UsageError: the message names the options that do not fit.
    """
    _format_of(options)
    _table_of(options)


def export(repository: MovieRepository, options: Options) -> None:
    """Write all movies, or those that match the filters, as CSV, JSON Lines or Parquet."""
    table = _table_of(options)
    filters = replace(
        read_filters(repository, options),
        added_since=_read_since(repository, options["added_since"]),
        updated_since=_read_since(repository, options["updated_since"]),
        with_gone=_has_gone(options) and table.name == "movies",
    )
    count = write_rows(
        table.read(repository, filters, sort=options["sort"], is_descending=options["desc"]),
        table.columns,
        _format_of(options),
        options["output"],
        for_excel=options["excel"],
    )
    where = "stdout" if options["output"] in {None, STDOUT} else options["output"]
    click.echo(f"{count:,} {table.name} written to {where}.", err=True)


def _read_since(repository: MovieRepository, since: datetime | timedelta | None) -> datetime | None:
    return None if since is None else read_since(repository, since)


def _has_gone(options: Options) -> bool:
    """Return whether movies that YTS has removed are in an export: their removal is a change."""
    return options["updated_since"] is not None


def _table_of(options: Options) -> ExportTable:
    """
    Return what an export contains.

    Raises:
        click.UsageError: a column does not exist, or the options contradict each other.
    """
    try:
        return choose_table(
            options["table"],
            options["columns"],
            with_posters=options["posters"],
            with_gone=_has_gone(options),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _format_of(options: Options) -> Format:
    """
    Return the format of an export.

    Raises:
        click.UsageError: the options contradict each other, or no format fits the file's name.
    """
    kind: Format | None = options["kind"]
    if options["as_json"]:
        if kind not in {None, "jsonl"}:
            raise click.UsageError(f"--json writes JSON Lines, not {kind}; leave out one.")
        kind = "jsonl"
    try:
        chosen = choose_format(kind, options["output"])
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if options["excel"] and chosen != "csv":
        raise click.UsageError("--excel is for CSV only.")
    return chosen
