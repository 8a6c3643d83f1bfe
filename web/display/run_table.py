"""`run_table`: past runs as an HTML table, which is a list on a phone (pure)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from web.display.charts import meter
from web.display.svg import element
from web.display.wording import counts_in_words, duration, end_in_words, utc_time

if TYPE_CHECKING:
    from database.monitoring.history import PastRun

#: Headings with the classes of their columns.
_HEAD = {
    "Began (UTC)": "runs-began",
    "Took": "runs-number",
    "": "runs-meter",
    "End": "runs-end",
    "Requests": "runs-number",
    "Movies": "runs-movies",
}


def run_table(runs: "Sequence[PastRun]") -> Markup:
    """Return *runs* with their times in UTC, how they ended and what came of them."""
    longest = max((past.seconds for past in runs), default=0)
    heads = [
        element("th", name, scope="col", class_=class_) if name else element("td")
        for name, class_ in _HEAD.items()
    ]
    return element(
        "table",
        element("thead", element("tr", *heads)),
        element("tbody", *(_row(past, longest) for past in runs)),
        class_="runs",
    )


def _row(past: "PastRun", longest: float) -> Markup:
    run = past.run
    return element(
        "tr",
        element("th", utc_time(run.started_at), scope="row"),
        element("td", duration(past.seconds), class_="runs-number"),
        element("td", meter(past.seconds, longest), class_="runs-meter"),
        element(
            "td", end_in_words(past), class_="runs-end runs-bad" if past.is_failure else "runs-end"
        ),
        element("td", f"{run.requests:,}", class_="runs-number", data_unit="requests"),
        element("td", counts_in_words(run.counts) or "nothing", class_="runs-movies"),
    )
