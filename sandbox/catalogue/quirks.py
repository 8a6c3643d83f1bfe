"""`draw_quirks`: the oddities of YTS data that a made-up movie has, each with its own share."""

from sandbox.catalogue.random_streams import Purpose, random_for

#: Quirk to its share of the generated movies. The first generated movies have one each,
#: in this order, so that even a small catalogue shows them all.
QUIRKS: dict[str, float] = {
    "rating 0": 0.035,
    "whole rating": 0.05,
    "runtime 0": 0.03,
    "year 0": 0.001,
    "null title": 0.0005,
    "accented title": 0.05,
    "genres absent": 0.001,
    "torrents absent": 0.001,
    "torrents null": 0.0005,
    "torrents doubled": 0.03,
    "empty mpa_rating": 0.4,
    "empty language": 0.003,
    "language cn": 0.004,
    "language eng": 0.003,
    "empty texts": 0.04,
    "cast absent": 0.01,
    "cast empty": 0.005,
    "short cast": 0.08,
    "large cast": 0.15,
}
#: Same title and year as the movie with the previous id, thus the same slug. Guaranteed once:
#: for the first movie after the others whose neighbour has no quirks.
NAMESAKE = "namesake"
NAMESAKE_SHARE = 0.002

Quirks = frozenset[str]


def draw_quirks(seed: int, movie_id: int) -> Quirks:
    """Draw the quirks of a movie; most have none, or only an empty mpa_rating."""
    rng = random_for(seed, movie_id, Purpose.QUIRKS)
    quirks = {quirk for quirk, share in QUIRKS.items() if rng.random() < share}
    if rng.random() < NAMESAKE_SHARE:
        quirks.add(NAMESAKE)
    return frozenset(quirks)
