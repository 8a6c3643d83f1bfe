"""`write_page`: the overview as one self-contained HTML page, without network or scripts."""

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cli.display.text import utc_time
from cli.monitor.polling import look_once
from cli.output import open_output
from database.monitoring.overview import Overview, read_overview
from database.sessions import Database
from web.display import catalogue_charts
from web.display.health_words import totals
from web.display.run_table import run_table

#: The style sheets of the server's pages, which this page contains.
_STYLES = ("style.css", "charts.css")


def write_page(db: Database, path: Path) -> None:
    """
    Read the overview, and write the page to *path*, see `open_output`.

    Raises:
        DatabaseNotReady: as `look_once`.
        OSError: the file cannot be written.
    """
    page = _render(look_once(db, read_overview)).encode()
    with open_output(path) as file:
        file.write(page)


def _render(overview: Overview) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        style=Markup("").join(map(_read_style, _STYLES)),
        time=utc_time(overview.time),
        is_practice=overview.sync is not None and overview.sync.is_practice,
        totals=totals(overview.stats, overview.sync),
        runs=run_table(overview.runs) if overview.runs else "",
        charts=catalogue_charts,
        figures=overview.figures,
    )


def _read_style(name: str) -> Markup:
    text = (files("web.pages") / "static" / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 -- a file of this program
