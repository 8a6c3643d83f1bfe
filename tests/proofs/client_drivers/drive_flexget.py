"""Calls of the plugin `yts` of FlexGet, which a task makes for `from: [yts: yes]`."""

from flexget.components.sites.sites.yts import UrlRewriteYTS
from flexget.entry import Entry
from report import group, read_plan, report

plan = read_plan()


def search(**wanted: str) -> list[dict]:
    """Return the movies that the plugin finds for an entry of a task."""
    found = UrlRewriteYTS().search(None, Entry(**wanted, url=""), config=True)
    return group(
        (
            {
                "imdb_code": entry["imdb_id"],
                "title": entry["movie_name"],
                "title_long": entry["title"],
            },
            entry["torrent_info_hash"],
        )
        for entry in found
    )


report(
    search=search(title=plan["word"]), by_code=search(title=plan["word"], imdb_id=plan["imdb_code"])
)
