"""`grid`, `labels_below`, `table`, `figure`: what the charts have in common (pure)."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from web.display.scale import shown_labels
from web.display.svg import element, share

#: Pixels: the height of the part with the values, the space above it, and that of its labels.
HEIGHT, ABOVE, LABELS = 180, 12, 26
#: Height of a row of bars or of a heat map, in pixels.
ROW = 28
#: Instead of a chart without values.
NOTHING = Markup('<p class="chart-empty">There is nothing to show yet.</p>')
#: Labels at an axis that have space, on a phone and elsewhere.
_FEW, _MANY = 6, 16


def grid(axis: Sequence[int]) -> Markup:
    """Return a line and a number for each value of an axis, which begins at 0."""
    lines: list[str] = []
    for value in axis:
        y = pixels(ABOVE + HEIGHT - HEIGHT * value / axis[-1])
        lines += [
            element("line", class_="chart-grid", x2="100%", y1=y, y2=y),
            element("text", f"{value:,}", class_="chart-name", x=-8, y=y),
        ]
    return Markup("").join(lines)


def labels_below(labels: Iterable[tuple[float, str]], height: int) -> list[str]:
    """Return texts below a chart, each at a percentage of its width; a phone shows a few."""
    named = [(x, text) for x, text in labels if text]
    named = [named[number] for number in sorted(shown_labels(len(named), _MANY))]
    few = shown_labels(len(named), _FEW)
    return [
        element(
            "text",
            text,
            class_="chart-label" if number in few else "chart-label chart-wide",
            x=share(x, 100),
            y=height + 18,
        )
        for number, (x, text) in enumerate(named)
    ]


def table(
    what: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, class_: str = "chart-numbers"
) -> Markup:
    """Return the values as a table that opens on demand; the first cell of a row is its name."""
    heads = [element("th", name, scope="col") for name in head]
    body = [
        element("tr", element("th", name, scope="row"), *(element("td", cell) for cell in cells))
        for name, *cells in rows
    ]
    return element(
        "details",
        element("summary", "Show the numbers"),
        element(
            "table",
            element("caption", what),
            element("thead", element("tr", *heads)),
            element("tbody", *body),
            class_=f"chart-table {class_}",
        ),
        class_="chart-data",
    )


def figure(label: str, height: int, parts: Iterable[str], data: Markup, *, class_: str) -> Markup:
    """
    Return a chart, *height* pixels high and as wide as its place, and the table *data* below it.

    *label* says what the chart shows, for those who do not see it.
    """
    image = element(
        "svg",
        *parts,
        class_=f"chart {class_}",
        role="img",
        aria_label=label,
        width="100%",
        height=height,
    )
    return element("figure", image, data, class_="chart-figure")


def pixels(number: float) -> str:
    """Return a number of pixels, to a tenth."""
    return f"{number:.1f}".removesuffix(".0")
