"""`HOSTILE`: movies whose texts would run scripts, break the layout or confuse, if they could."""

from tests.support.data.movies import Json, movie, person, torrent

#: Would run in a page that does not escape it: in text, in an attribute, in a script.
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
_LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 6
_RIGHT_TO_LEFT = "\u202eفيلم طويل جدا\u202c עברית"
_EMOJI = "👩‍👩‍👧‍👦🏳️‍🌈🧟" * 20
_COMBINED = "Z" + "\u0351\u0343\u035b" * 40
_URL = "javascript:alert(3)"

#: Text in each place where a movie has text.
_TEXTS = [SCRIPT, _LONG, _RIGHT_TO_LEFT, _EMOJI, _COMBINED, "{{ 7 * 7 }} ${7*7} %s &lt;b&gt;"]


def _movie_with(movie_id: int, text: str) -> Json:
    return movie(
        movie_id,
        title=text,
        title_english=text,
        title_long=text,
        slug=text,
        description_intro=text,
        description_full=text,
        genres=[text[:50], "Drama"],
        language=text[:20],
        mpa_rating=text[:20],
        yt_trailer_code=text[:30],
        url=_URL,
        large_cover_image='https://yts.gg/a.jpg" onerror="alert(4)',
        cast=[person(1, name=text, character_name=text, url_small_image=_URL)],
        torrents=[torrent(f"{movie_id:X}A", quality=text[:20], type=text[:20], url=_URL)],
    )


#: The last one knows nothing about itself.
HOSTILE = [
    *(_movie_with(number, text) for number, text in enumerate(_TEXTS, 1)),
    {"id": len(_TEXTS) + 1, "url": "", "title": "", "year": 0, "genres": [], "torrents": []},
]
