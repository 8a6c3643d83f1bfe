"""Calls of yipy; its base URL is a constant of its module `config`."""

from typing import Any

from report import read_plan, report
from yipy import config
from yipy.api import Yipy

plan = read_plan()
config.YTS_API_URL = f"{plan['api_url']}/"
client = Yipy()


def take(movie: dict[str, Any]) -> dict[str, Any]:
    """Return what the proof compares."""
    hashes = [torrent["hash"] for torrent in movie["torrents"]]
    return {key: movie[key] for key in ("id", "imdb_code", "title", "title_long")} | {
        "hashes": hashes
    }


def take_all(response: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the proof compares of each movie of a list."""
    return [take(movie) for movie in response["data"]["movies"]]


movie_id = plan["movie_id"]
report(
    list=take_all(client.list()),
    second_page=take_all(client.list(limit=10, page=2)),
    search=take_all(client.list(query_term=plan["word"])),
    filtered=take_all(
        client.list(
            limit=50,
            quality="1080p",
            genre="Drama",
            minimum_rating=6,
            sort_by="rating",
            order_by="asc",
            with_rt_ratings=True,
        )
    ),
    details=[
        take(client.movie_details(movie_id, with_images=True, with_cast=True)["data"]["movie"])
    ],
    suggestions=take_all(client.movie_suggestions(movie_id)),
)
