"""`list_movie`, `detailed_movie`, `ghost_movie`: movies as JSON, keys in the order of YTS."""

from sandbox.catalogue.catalogue import Catalogue
from sandbox.catalogue.facts import Facts
from sandbox.catalogue.film_cast import CastMember
from sandbox.catalogue.torrents import Torrent
from sandbox.catalogue.urls import GHOST_SCREENSHOTS, SITE, cover_images, screenshots, slugify

Json = dict[str, object]

_GHOST_GENRES = (
    "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama",
    "Family", "Fantasy", "History", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Sport",
    "Thriller", "War", "Western",
)  # fmt: skip


def list_movie(catalogue: Catalogue, movie_id: int) -> Json:
    """Return a movie as in lists: with summary, synopsis and state."""
    facts = catalogue.facts(movie_id)
    plot = catalogue.plot(movie_id)
    slug = slugify(facts)
    return {
        **_head(catalogue, movie_id, facts, slug),
        "summary": plot,
        "description_full": plot,
        "synopsis": plot,
        **_middle(facts, slug),
        "state": "ok",
        **_tail(catalogue, movie_id),
    }


def suggested_movie(catalogue: Catalogue, movie_id: int) -> Json:
    """Return a movie as in suggestions: no large cover, torrents without type."""
    movie = list_movie(catalogue, movie_id)
    del movie["large_cover_image"]
    torrents = movie.get("torrents")
    for torrent in torrents if isinstance(torrents, list) else ():
        del torrent["type"]
    return movie


def detailed_movie(
    catalogue: Catalogue,
    movie_id: int,
    cast: tuple[CastMember, ...] | None,
    *,
    has_screenshots: bool,
) -> Json:
    """Return a movie as in details: with likes and introduction; *cast* None leaves it out."""
    facts = catalogue.facts(movie_id)
    plot = catalogue.plot(movie_id)
    slug = slugify(facts)
    return {
        **_head(catalogue, movie_id, facts, slug),
        "like_count": facts.like_count,
        "description_intro": plot,
        "description_full": plot,
        **_middle(facts, slug),
        **(screenshots(facts, slug) if has_screenshots else {}),
        **({} if cast is None else {"cast": [_cast_entry(member) for member in cast]}),
        **_tail(catalogue, movie_id),
    }


def ghost_movie(*, has_screenshots: bool) -> Json:
    """Return a movie that does not exist as YTS sends it: id 0, nulls, and all genres."""
    texts = ("description_intro", "description_full", "yt_trailer_code", "language", "mpa_rating")
    return {
        "id": 0,
        "url": f"{SITE}/movies/",
        "imdb_code": "tt",
        "title": None,
        "title_english": None,
        "title_long": " ()",
        "slug": None,
        "year": 0,
        "rating": 0,
        "runtime": 0,
        "genres": _GHOST_GENRES,
        "like_count": 0,
        **dict.fromkeys(texts),
        **(GHOST_SCREENSHOTS if has_screenshots else {}),
    }


def _head(catalogue: Catalogue, movie_id: int, facts: Facts, slug: str) -> Json:
    rating = facts.rating
    head: Json = {
        "id": movie_id,
        "url": f"{SITE}/movies/{slug}",
        "imdb_code": catalogue.imdb_code(movie_id),
        "title": facts.title,
        "title_english": facts.title,
        "title_long": facts.title_long,
        "slug": slug,
        "year": facts.year,
        # PHP writes 7.0 as 7.
        "rating": int(rating) if rating.is_integer() else rating,
        "runtime": facts.runtime_minutes,
    }
    if facts.genres:
        head["genres"] = facts.genres
    return head


def _middle(facts: Facts, slug: str) -> Json:
    return {
        "yt_trailer_code": facts.yt_trailer_code,
        "language": facts.language,
        "mpa_rating": facts.mpa_rating,
        **cover_images(facts, slug),
    }


def _cast_entry(member: CastMember) -> Json:
    entry: Json = {"name": member.name, "character_name": member.role}
    if member.has_picture:
        entry["url_small_image"] = f"{SITE}/assets/images/actors/thumb/nm{member.imdb_code}.jpg"
    return entry | {"imdb_code": member.imdb_code}


def _tail(catalogue: Catalogue, movie_id: int) -> Json:
    torrents = catalogue.torrents(movie_id)
    quirks = catalogue.quirks(movie_id)
    first = torrents[0].uploaded
    tail: Json = {"date_uploaded": first.text, "date_uploaded_unix": first.unix}
    if "torrents absent" in quirks:
        return tail
    shown = None if "torrents null" in quirks else [_torrent(torrent) for torrent in torrents]
    return {"torrents": shown, **tail}


def _torrent(torrent: Torrent) -> Json:
    encoding = torrent.format
    return {
        "url": f"{SITE}/torrent/download/{torrent.hash}",
        "hash": torrent.hash,
        "quality": encoding.quality,
        "type": torrent.source,
        "is_repack": torrent.is_repack,
        "video_codec": encoding.video_codec,
        "bit_depth": encoding.bit_depth,
        "audio_channels": encoding.audio_channels,
        "seeds": torrent.seeds,
        "peers": torrent.peers,
        "size": torrent.size,
        "size_bytes": torrent.size_bytes,
        "date_uploaded": torrent.uploaded.text,
        "date_uploaded_unix": torrent.uploaded.unix,
    }
