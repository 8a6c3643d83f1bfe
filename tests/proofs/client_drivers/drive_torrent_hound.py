"""Calls of torrent-hound: its search of YTS, and the details that it shows for a result."""

from urllib.parse import parse_qs, urlsplit

from report import group, read_plan, report
from torrent_hound.sources.yts import _fetch_yts_movie_details, searchYTS

plan = read_plan()


def search(words: str) -> list[dict]:
    """Return the movies of a search, without its limit of torrents."""
    return group(
        (
            {
                "id": result["metadata"]["_yts_movie_id"],
                "title_long": result["name"].rpartition(" [")[0],
            },
            parse_qs(urlsplit(result["magnet"]).query)["xt"][0].removeprefix("urn:btih:"),
        )
        for result in searchYTS(words, limit=1000)
    )


details = _fetch_yts_movie_details(plan["movie_id"])
report(
    search_by_likes=search(plan["word"]),
    search_1080p=search(f"{plan['word']} 1080p"),
    details=[{"cast": details["cast"]}],
)
