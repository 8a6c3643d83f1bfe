"""Charts as SVG: numbers become lengths, texts are escaped, and a table has the same numbers."""

import re
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.data.examples import examples
from web.display.chart_parts import HEIGHT, NOTHING
from web.display.charts import Bar, Column, Point, area, bars, columns, meter
from web.display.heat_map import heat_map
from web.display.scale import shown_labels, ticks
from yts.printable import one_line

COUNTS = st.integers(0, 10**9)
NASTY = """a<b>&"c'</svg>\x00\x1b\u202e\n"""
#: Values of attributes that are numbers.
NUMBERS = ("x", "y", "x2", "y1", "y2", "width", "height", "fill-opacity", "rx", "dx")


def draw_columns(values: Sequence[int], name: str = "n") -> str:
    """Return a chart of columns."""
    rows = [Column(f"{name}{number}", value) for number, value in enumerate(values)]
    return columns(rows, what=name, by=name, unit=name)


def draw_bars(values: Sequence[int], name: str = "n") -> str:
    """Return a chart of bars, each of a value in the largest one."""
    rows = [Bar(f"{name}{number}", value, max(values)) for number, value in enumerate(values)]
    return bars(rows, what=name, by=name, unit=name)


def draw_area(values: Sequence[int], name: str = "n") -> str:
    """Return a chart of a line."""
    points = [Point(f"{name}{number}", 3 * number, value) for number, value in enumerate(values)]
    marks = {point.place: point.name for point in points}
    return area(points, marks, points, what=name, by=name, unit=name)


def draw_heat_map(values: Sequence[int], name: str = "n") -> str:
    """Return a heat map with a row for each value, beside an absent one."""
    rows = {f"{name}{number}": {name: value} for number, value in enumerate(values)}
    return heat_map(rows, ["absent", name], what=name, by=name, unit=name)


ALL = pytest.mark.parametrize("draw", [draw_columns, draw_bars, draw_area, draw_heat_map])


def attributes(chart: Element, name: str) -> list[str]:
    """Return the values of an attribute in a chart."""
    return [each.attrib[name] for each in chart.iter() if name in each.attrib]


def of_class(chart: Element, name: str) -> list[Element]:
    """Return the elements of a class."""
    return [each for each in chart.iter() if name in each.get("class", "").split()]


def number(text: str) -> float:
    """Return the number of a length or percentage."""
    return float(text.removesuffix("%"))


@ALL
@examples(20)
@given(values=st.lists(COUNTS, min_size=1, max_size=30))
def test_every_length_is_a_number_within_its_place(draw, values):
    """Percentages are from 0 to 100, and nothing is infinite, NaN or negative."""
    if not any(values):
        assert draw(values) == NOTHING
        return
    chart = fromstring(draw(values))
    for name in NUMBERS:
        for text in attributes(chart, name):
            assert re.fullmatch(r"-?\d+(\.\d+)?%?", text), (name, text)
            assert (name == "x" and text == "-8") or number(text) >= 0
            assert not text.endswith("%") or number(text) <= 100
    for text in attributes(chart, "points"):
        assert all(0 <= float(each) <= 100 for each in re.split("[ ,]", text))


@ALL
@examples(20)
@given(values=st.lists(COUNTS, min_size=1, max_size=30))
def test_the_table_has_the_values(draw, values):
    """In the order of the chart, one row for each."""
    if not any(values):
        return
    rows = fromstring(draw(values)).findall(".//tbody/tr")
    cells = ["".join(row[1].itertext()) for row in rows]

    assert [int(cell.rpartition(" ")[2].replace(",", "") or 0) for cell in cells] == values


@ALL
def test_texts_are_escaped_and_printable(draw):
    """Names cannot end an element or an attribute, and have no control characters."""
    chart = fromstring(draw([1, 2], NASTY))

    texts = {*chart.itertext(), *attributes(chart, "aria-label")}
    assert any(one_line(NASTY) in text for text in texts)
    assert all(text.isprintable() for text in texts)
    assert {each.tag for each in chart.iter()}.isdisjoint({"b", "script"})


@ALL
@pytest.mark.parametrize("values", [[], [0], [0, 0]])
def test_nothing_to_show_is_a_sentence(draw, values):
    """Neither an empty chart nor a division by zero."""
    assert draw(values) == NOTHING


@ALL
def test_one_value_is_a_chart(draw):
    """The label of the image has it, for those who do not see it."""
    (image,) = (each for each in fromstring(draw([7])).iter("svg") if each.get("role"))

    assert image.get("role") == "img"
    assert re.search(r"\b7\b|100 %", image.attrib["aria-label"])


@ALL
def test_colours_come_from_the_style_sheet(draw):
    """The policy of the server forbids style attributes, and a misspelled class has no colour."""
    style = (files("web.pages") / "static" / "charts.css").read_text()
    chart = fromstring(draw([5, 0, 100] * 4))
    used = {name for names in attributes(chart, "class") for name in names.split()}

    assert attributes(chart, "style") == []
    assert used <= {*re.findall(r"\.([a-z][\w-]*)", style)}


@examples(50)
@given(values=st.lists(COUNTS, min_size=1, max_size=30).filter(any))
def test_heights_of_columns_add_up(values: list[int]):
    """Together they are as high as a column of the sum would be."""
    chart = fromstring(draw_columns(values))
    heights = sum(float(each.attrib["height"]) for each in of_class(chart, "chart-fill"))

    expected = HEIGHT * sum(values) / ticks(max(values))[-1]
    assert heights == pytest.approx(expected, abs=0.05 * len(values) + 1e-6)


@examples(50)
@given(part=st.integers(0, 1000), rest=st.integers(0, 1000))
def test_a_bar_is_full_only_if_nothing_is_missing(part: int, rest: int):
    """The number beside it is rounded down."""
    drawn = bars([Bar("a", part, part + rest)], what="w", by="b", unit="u")
    if drawn == NOTHING:
        assert part + rest == 0
        return
    chart = fromstring(drawn)
    (value,), (fill,) = of_class(chart, "chart-value"), of_class(chart, "chart-fill")

    assert (value.text == "100 %") == (rest == 0)
    assert number(fill.attrib["width"]) == pytest.approx(100 * part / (part + rest), abs=0.006)


@examples(50)
@given(values=st.lists(COUNTS, min_size=2, max_size=20).filter(any))
def test_a_larger_value_is_darker(values: list[int]):
    """And 0 has the colour of the page."""
    cells = of_class(fromstring(draw_heat_map(values)), "chart-cell")
    shades = [float(cell.attrib["fill-opacity"]) for cell in cells]

    assert shades[::2] == [0] * len(values)
    for one, other in pairwise(sorted(zip(values, shades[1::2], strict=True))):
        assert one[1] <= other[1]


@examples(100)
@given(most=st.integers(0, 10**12), count=st.integers(1, 10))
def test_ticks_are_round_and_hold_all_values(most: int, count: int):
    """They begin at 0, are equally far apart, and the last is the first that is large enough."""
    axis = ticks(most, count)
    step = axis[1]

    assert axis == [*range(0, axis[-1] + 1, step)]
    assert len(axis) <= count + 1
    assert axis[-2] < max(most, 1) <= axis[-1]
    assert str(step).rstrip("0") in {"1", "2", "5"}


@examples(100)
@given(count=st.integers(0, 60), most=st.integers(1, 20))
def test_shown_labels_are_evenly_spaced(count: int, most: int):
    """There are at most as many as have space, and the last one is among them."""
    shown = sorted(shown_labels(count, most))

    assert len(shown) <= most
    assert count == 0 or shown[-1] == count - 1
    assert len({after - before for before, after in pairwise(shown)}) <= 1


def test_a_line_has_all_of_its_points():
    """However many there are: a mirror of YTS has a point for each month since 2011."""
    chart = fromstring(draw_area(range(1, 1001)))

    (line,) = of_class(chart, "chart-line")
    assert len(line.attrib["points"].split()) == 1000
    assert line.attrib["points"].endswith(" 100.00,0.00")


def test_a_meter_is_only_for_the_eye():
    """The number stands beside it; of nothing, it is empty."""
    assert fromstring(meter(1, 4))[1].get("width") == "25%"
    assert fromstring(meter(0, 0))[1].get("width") == "0%"
    assert fromstring(meter(1, 4)).get("aria-hidden") == "true"
