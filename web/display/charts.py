"""
`columns`, `bars`, `area`, `meter`: values as charts in SVG, each with a table (pure).

The width of a chart is that of its place: positions along it are percentages, so that texts keep
their size. Colours are classes of `charts.css`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from web.display.chart_parts import (
    ABOVE,
    HEIGHT,
    LABELS,
    NOTHING,
    ROW,
    figure,
    grid,
    labels_below,
    pixels,
    table,
)
from web.display.scale import ticks
from web.display.svg import element, share

#: Height of a bar and radius of its corners, in pixels.
_BAR, _CORNER = 16, 3


@dataclass(frozen=True, slots=True)
class Column:
    """A value with its name."""

    name: str
    value: int
    #: The label at the axis; None is the name, the empty text none.
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a whole, with its name."""

    name: str
    part: int
    whole: int

    @property
    def percent(self) -> str:
        """Return the share in whole percent, rounded down, so that 100 % means all."""
        return f"{100 * self.part // self.whole} %" if self.whole else "none"


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a place of an axis."""

    name: str
    place: int
    value: int


def columns(rows: Sequence[Column], *, what: str, by: str, unit: str) -> Markup:
    """
    Return values side by side.

    *what* is what the chart shows, *by* what the names are, *unit* what is counted.
    """
    top = max(rows, key=lambda row: row.value, default=Column("", 0))
    if not top.value:
        return NOTHING
    axis, width = ticks(top.value), 100 / len(rows)
    parts: list[str] = [grid(axis)]
    for number, row in enumerate(rows):
        height = HEIGHT * row.value / axis[-1]
        column = element(
            "rect",
            element("title", f"{row.name}: {row.value:,} {unit}"),
            class_="chart-fill",
            x=share(width * (number + 0.1), 100),
            y=pixels(ABOVE + HEIGHT - height),
            width=share(width * 0.8, 100),
            height=pixels(height),
        )
        parts.append(column)
    labels = [row.name if row.label is None else row.label for row in rows]
    middles = [width * (number + 0.5) for number in range(len(rows))]
    parts += labels_below(zip(middles, labels, strict=True), ABOVE + HEIGHT)
    label = f"{what}. Most: {top.name} with {top.value:,} {unit}."
    data = table(what, (by, unit), [(row.name, f"{row.value:,}") for row in rows])
    return figure(label, ABOVE + HEIGHT + LABELS, parts, data, class_="chart-axis")


def bars(rows: Sequence[Bar], *, what: str, by: str, unit: str) -> Markup:
    """Return parts of wholes below each other, each as a bar in a bar of equal length."""
    if not any(row.whole for row in rows):
        return NOTHING
    parts: list[str] = []
    for number, row in enumerate(rows):
        middle, top = ROW * number + ROW // 2, ROW * number + (ROW - _BAR) // 2
        place = {"y": top, "height": _BAR, "rx": _CORNER}
        width = share(row.part, row.whole)
        parts += [
            element("text", row.name, class_="chart-name", x=-8, y=middle),
            element(
                "g",
                element("title", f"{row.name}: {row.part:,} of {row.whole:,} {unit}"),
                element("rect", class_="chart-track", width="100%", **place),
                element("rect", class_="chart-fill", width=width, **place),
            ),
            element("text", row.percent, class_="chart-value", x="100%", dx=8, y=middle),
        ]
    cells = [(row.name, f"{row.part:,}", f"{row.whole:,}", row.percent) for row in rows]
    label = f"{what}. {'; '.join(f'{row.name}: {row.percent}' for row in rows)}."
    data = table(what, (by, unit, "of", "share"), cells)
    return figure(label, ROW * len(rows), parts, data, class_="chart-bars")


def area(
    points: Sequence[Point],
    marks: Mapping[int, str],
    listed: Sequence[Point],
    *,
    what: str,
    by: str,
    unit: str,
) -> Markup:
    """
    Return values as a line over places, which ascend; *marks* are the labels of some places.

    The table has the points *listed*. A single value is a line from edge to edge.
    """
    most = max((point.value for point in points), default=0)
    if not most:
        return NOTHING
    axis, first, last = ticks(most), points[0], points[-1]
    labels = [
        (_along(place, points), text)
        for place, text in sorted(marks.items())
        if first.place <= place <= last.place
    ]
    label = f"{what}. {first.name}: {first.value:,} {unit}; {last.name}: {last.value:,} {unit}."
    data = table(what, (by, unit), [(point.name, f"{point.value:,}") for point in listed])
    parts = [grid(axis), _line(points, axis[-1]), *labels_below(labels, ABOVE + HEIGHT)]
    return figure(label, ABOVE + HEIGHT + LABELS, parts, data, class_="chart-axis")


def _line(points: Sequence[Point], top: int) -> Markup:
    spots = [(_along(point.place, points), point.value) for point in points]
    if len(spots) == 1:
        spots.append((100.0, points[0].value))
    line = " ".join(f"{x:.2f},{100 - 100 * value / top:.2f}" for x, value in spots)
    # As markup, because text is cut where it is too long for a line.
    outline = Markup("0,100 {} 100,100").format(line)
    return element(
        "svg",
        element("polygon", class_="chart-area", points=outline),
        element("polyline", class_="chart-line", points=Markup("{}").format(line)),
        view_box="0 0 100 100",
        keep_ratio="none",
        y=ABOVE,
        width="100%",
        height=HEIGHT,
    )


def _along(place: int, points: Sequence[Point]) -> float:
    """Return where *place* is between the first and the last of *points*, in percent."""
    length = points[-1].place - points[0].place
    return 100 * (place - points[0].place) / length if length else 0.0


def meter(part: float, whole: float) -> Markup:
    """Return a small bar for a value that stands beside it in the same row."""
    return element(
        "svg",
        element("rect", class_="chart-track", width="100%", height="100%", rx=_CORNER),
        element("rect", class_="chart-fill", width=share(part, whole), height="100%", rx=_CORNER),
        class_="meter",
        aria_hidden="true",
    )
