"""`heat_map`: values of rows and columns as shades of cells in SVG, with a table (pure)."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from web.display.chart_parts import LABELS, NOTHING, ROW, figure, labels_below, table
from web.display.svg import element, share

#: The darkest cell: a number in it is still easy to read.
_DARKEST = 0.55

Rows = Mapping[str, Mapping[str, int]]


def heat_map(rows: Rows, names: Sequence[str], *, what: str, by: str, unit: str) -> Markup:
    """Return the values of *rows* for each column of *names*; an absent value is 0."""
    cells = [(row, name, rows[row].get(name, 0)) for row in rows for name in names]
    row, name, most = max(cells, key=lambda cell: cell[2], default=("", "", 0))
    if not most:
        return NOTHING
    parts: list[str] = []
    for number, title in enumerate(rows):
        middle = ROW * number + ROW // 2
        parts.append(element("text", title, class_="chart-name", x=-8, y=middle))
    for number, cell in enumerate(cells):
        parts.append(_cell(number, len(names), cell, most, unit))
    width = 100 / len(names)
    middles = [(width * (number + 0.5), name) for number, name in enumerate(names)]
    parts += labels_below(middles, ROW * len(rows))
    label = f"{what}. Most: {row}, {name}, with {most:,} {unit}."
    height = ROW * len(rows) + LABELS
    return figure(label, height, parts, _table(rows, names, (by, unit), what), class_="chart-heat")


def _cell(number: int, columns: int, cell: tuple[str, str, int], most: int, unit: str) -> Markup:
    row, name, value = cell
    place, width, top = number % columns, 100 / columns, ROW * (number // columns)
    box = element(
        "rect",
        class_="chart-cell",
        x=share(place * width, 100),
        y=top,
        width=share(width, 100),
        height=ROW,
        # The square root, because otherwise only the largest would differ visibly from 0.
        fill_opacity=f"{_DARKEST * (value / most) ** 0.5:.3f}",
    )
    middle = share((place + 0.5) * width, 100)
    text = element("text", f"{value:,}", class_="chart-number", x=middle, y=top + ROW // 2)
    title = element("title", f"{row}, {name}: {value:,} {unit}")
    return element("g", title, box, text) if value else element("g", title, box)


def _table(rows: Rows, names: Sequence[str], head: tuple[str, str], what: str) -> Markup:
    # A table with a column for each name would be wider than a phone.
    listed = [
        (row, ", ".join(f"{name}: {cells[name]:,}" for name in names if cells.get(name)))
        for row, cells in rows.items()
    ]
    return table(what, head, listed, class_="chart-words")
