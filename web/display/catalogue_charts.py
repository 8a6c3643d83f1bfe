"""`growth`, `decades`, `genres`, `ratings`, `coverage`: charts of the catalogue (pure)."""

from datetime import date
from itertools import accumulate
from typing import TYPE_CHECKING

from markupsafe import Markup

from web.display.charts import Bar, Column, Point, area, bars, columns
from web.display.heat_map import heat_map

if TYPE_CHECKING:
    from database.monitoring.figures import Figures

#: Rows of the chart of genres, those with the most movies.
GENRES = 16
_UNIT = "movies"
#: Fewer years are not labels of an axis.
_FEW_YEARS = 3


def growth(figures: "Figures") -> Markup:
    """Return the movies by the time of their upload, summed up."""
    name, by = ("%-d %B %Y", "day") if figures.is_by_day else ("%B %Y", "month")
    sums = dict(zip(figures.uploads, accumulate(figures.uploads.values()), strict=True))
    points = [Point(f"{day:{name}}", day.toordinal(), movies) for day, movies in sums.items()]
    years = {day.year for day in sums}
    if len(years) < _FEW_YEARS:
        marks = {day.toordinal(): f"{day:{'%-d %b' if by == 'day' else '%b %Y'}}" for day in sums}
        listed = points
    else:
        marks = {date(year, 1, 1).toordinal(): str(year) for year in years}
        # The last month of each year.
        ends = {day.year: point for day, point in zip(sums, points, strict=True)}
        listed = [*ends.values()]
    return area(points, marks, listed, what="Movies, by their upload", by=by, unit=_UNIT)


def decades(figures: "Figures") -> Markup:
    """Return the movies by the decade of their release."""
    rows = [Column(f"{first}s", decade.movies) for first, decade in figures.decades.items()]
    return columns(rows, what="Movies by decade of release", by="decade", unit=_UNIT)


def genres(figures: "Figures") -> Markup:
    """Return the movies of the largest genres by decade."""
    largest = [*figures.genres.items()][:GENRES]
    rows = {
        genre: {f"{first}s": movies for first, movies in movies_in.items()}
        for genre, movies_in in largest
    }
    names = [f"{first}s" for first in figures.decades]
    return heat_map(rows, names, what="Movies by genre and decade", by="genre", unit=_UNIT)


def ratings(figures: "Figures") -> Markup:
    """Return the movies by half points of their rating."""
    counts = [figures.ratings.get(half, 0) for half in range(20)]
    counts[-1] += figures.ratings.get(20, 0)
    rows = []
    for half, movies in enumerate(counts):
        last = "10" if half == 19 else f"{half / 2 + 0.4:.1f}"
        label = "" if half % 2 else str(half // 2)
        rows.append(Column(f"{half / 2:.1f} to {last}", movies, label))
    return columns(rows, what="Movies by rating at IMDb", by="rating", unit=_UNIT)


def coverage(figures: "Figures") -> Markup:
    """Return the share of movies whose details were fetched, by decade, newest first."""
    rows = [
        Bar(f"{first}s", decade.with_details, decade.movies)
        for first, decade in reversed([*figures.decades.items()])
    ]
    return bars(rows, what="Movies with details", by="decade", unit=_UNIT)
