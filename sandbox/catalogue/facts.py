"""`Facts`: title, year, rating, genres and so on of a movie, drawn from the seed or from a film."""

from random import Random
from typing import NamedTuple

from sandbox.catalogue.films import Film
from sandbox.catalogue.quirks import NAMESAKE, Quirks
from sandbox.catalogue.random_streams import Purpose, pick, random_for
from sandbox.catalogue.story import make_accented_title, make_title
from sandbox.catalogue.words import ACCENTED_TITLES, GENRES

_GENRES = tuple(GENRES)
_ACCENTED = tuple(ACCENTED_TITLES)
_LANGUAGES = ("en",) * 12 + ("fr", "es", "de", "it", "ja", "ko", "hi", "zh", "tr", "pt", "sv")
_MPA_RATINGS = ("R", "R", "PG-13", "PG-13", "PG", "12", "16", "0", "TV-14", "MA15+", "Approved",
                "Not Rated", "Unrated")  # fmt: skip
_TRAILER_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_NEWEST_YEAR = 2024


class Facts(NamedTuple):
    """The fields of a movie that lists filter and sort by. 0 means unknown, as at YTS."""

    title: str | None
    year: int
    rating: float
    runtime_minutes: int
    #: In alphabetical order, as YTS sends them; empty means that the key is absent.
    genres: tuple[str, ...]
    language: str
    mpa_rating: str
    yt_trailer_code: str
    like_count: int

    @property
    def title_long(self) -> str:
        """The title as YTS renders it, with " (2012)" for a null and "(0000)" for a 0."""
        return f"{self.title or ''} ({self.year:04d})"


def film_facts(film: Film, seed: int, movie_id: int) -> Facts:
    """Return the facts of a real film; likes are drawn."""
    rng = random_for(seed, movie_id, Purpose.FACTS)
    return Facts(
        title=film.title,
        year=film.year,
        rating=film.rating,
        runtime_minutes=film.runtime_minutes,
        genres=tuple(sorted(film.genres)),
        language=film.language,
        mpa_rating=film.mpa_rating,
        yt_trailer_code="",  # a made-up code might be that of a real video
        like_count=rng.randrange(200, 2000),
    )


def draw_facts(seed: int, movie_id: int, quirks: Quirks) -> Facts:
    """Return a made-up movie with *quirks*."""
    rng = random_for(seed, movie_id, Purpose.FACTS)
    title, year = _draw_name(seed, movie_id - 1 if NAMESAKE in quirks else movie_id)
    language = pick(rng, _LANGUAGES)
    if "accented title" in quirks:
        language = pick(rng, _ACCENTED)
        title = make_accented_title(rng, language)
    return Facts(
        title=None if "null title" in quirks else title,
        year=0 if "year 0" in quirks else year,
        rating=_draw_rating(rng, quirks),
        runtime_minutes=0 if "runtime 0" in quirks else max(41, int(rng.gauss(98, 17))),
        genres=() if "genres absent" in quirks else _draw_genres(rng),
        language=_odd_language(quirks) or ("" if "empty language" in quirks else language),
        mpa_rating="" if "empty mpa_rating" in quirks else pick(rng, _MPA_RATINGS),
        yt_trailer_code=_draw_trailer_code(rng),
        like_count=int(rng.expovariate(1 / 60)),
    )


def _draw_name(seed: int, movie_id: int) -> tuple[str, int]:
    rng = random_for(seed, movie_id, Purpose.NAME)
    age_years = min(int(rng.expovariate(1 / 16)), 105)
    return make_title(rng), _NEWEST_YEAR - age_years


def _draw_rating(rng: Random, quirks: Quirks) -> float:
    rating = round(min(max(rng.gauss(6.2, 1.1), 1.1), 9.4), 1)
    if "rating 0" in quirks:
        return 0.0
    return float(round(rating)) if "whole rating" in quirks else rating


def _draw_genres(rng: Random) -> tuple[str, ...]:
    return tuple(sorted({pick(rng, _GENRES) for _ in range(rng.randrange(1, 5))}))


def _odd_language(quirks: Quirks) -> str:
    return next((code for code in ("cn", "eng") if f"language {code}" in quirks), "")


def _draw_trailer_code(rng: Random) -> str:
    if rng.random() < 0.2:
        return ""
    return "".join(rng.choices(_TRAILER_LETTERS, k=11))
