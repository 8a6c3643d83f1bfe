"""`list_json`, `details_json`: SQL that makes movies as JSON of the YTS API (pure)."""

from typing import Final

#: For URLs that the mirror does not have, because no key of a movie may be absent.
_SITE: Final = "https://yts.gg"

# Sessions of the server have the DateStyle ISO, in which text is much cheaper than to_char().
# The order of the columns is the order of the keys at YTS. Nothing is null: clients break.
_UPLOADED = """
    coalesce(left(({0}.date_uploaded AT TIME ZONE 'Europe/Paris')::text, 19),
        '1970-01-01 01:00:00') AS date_uploaded,
    coalesce({0}.date_uploaded_unix, extract(epoch FROM {0}.date_uploaded)::bigint, 0)
        AS date_uploaded_unix
"""
_TORRENTS = f"""
    array_to_json(ARRAY(
        SELECT row_to_json(torrent) FROM (
            SELECT coalesce(t.url, '{_SITE}/torrent/download/' || t.hash) AS url,
                t.hash, coalesce(t.quality, '') AS quality, {{type}}
                CASE t.is_repack WHEN true THEN '1' WHEN false THEN '0' ELSE '' END AS is_repack,
                coalesce(t.video_codec, '') AS video_codec,
                coalesce(t.bit_depth::text, '') AS bit_depth,
                coalesce(t.audio_channels, '') AS audio_channels,
                coalesce(t.seeds, 0) AS seeds, coalesce(t.peers, 0) AS peers,
                coalesce(t.size, '') AS size, coalesce(t.size_bytes, 0) AS size_bytes,
                {_UPLOADED.format("t")}
            FROM torrents t WHERE t.movie_id = m.id ORDER BY t.id
        ) torrent)) AS torrents
"""  # noqa: S608 -- only constants of this module
_TYPE = "coalesce(t.type, '') AS type,"
_HEAD = f"""
    m.external_id AS id,
    coalesce(m.url, '{_SITE}/movies/' || coalesce(m.yts_slug, '')) AS url,
    coalesce(m.imdb_code, '') AS imdb_code, m.title,
    coalesce(m.title_english, m.title) AS title_english,
    coalesce(m.title_long, m.title) AS title_long,
    coalesce(m.yts_slug, '') AS slug, coalesce(m.year, 0) AS year,
    coalesce(trim_scale(m.rating), 0) AS rating, coalesce(m.runtime, 0) AS runtime,
    array_to_json(ARRAY({{genres}})) AS genres
"""
_GENRES = """
    SELECT g.name FROM movie_genres l JOIN genres g ON g.id = l.genre_id
    WHERE l.movie_id = m.id ORDER BY g.name
"""
#: The same for many movies: a look-up in all names, made once, instead of a join for each movie.
_ALL_GENRES = """
    SELECT names, md5(names::text) AS revision
    FROM (SELECT jsonb_object_agg(id, name) AS names FROM genres OFFSET 0) genres OFFSET 0
"""
_GENRES_OF_MANY = """
    SELECT g.names ->> l.genre_id::text FROM movie_genres l WHERE l.movie_id = m.id ORDER BY 1
"""
#: All that the JSON of a list is made of: which transaction wrote the row of the movie and those of
#: its torrents, and where they are; its genres, and the names of all genres.
_REVISION = """
    concat_ws(';', m.ctid::text || m.xmin::text,
        (SELECT string_agg(t.ctid::text || t.xmin::text, '') FROM torrents t
        WHERE t.movie_id = m.id),
        coalesce((SELECT string_agg(l.genre_id::text, '.') FROM movie_genres l
        WHERE l.movie_id = m.id), '-'), g.revision)
"""
_DESCRIPTION = "coalesce(m.description_full, m.summary, m.synopsis, m.description_intro, '')"
_MIDDLE = """
    coalesce(m.yt_trailer_code, '') AS yt_trailer_code,
    coalesce(m.language, '') AS language, coalesce(m.mpa_rating, '') AS mpa_rating,
    coalesce(m.background_image, '') AS background_image,
    coalesce(m.background_image_original, m.background_image, '') AS background_image_original,
    coalesce(m.small_cover_image, '') AS small_cover_image,
    coalesce(m.medium_cover_image, '') AS medium_cover_image
"""
_LARGE_COVER = ", coalesce(m.large_cover_image, '') AS large_cover_image"
_TEXTS = f"""
    coalesce(m.summary, {_DESCRIPTION}) AS summary, {_DESCRIPTION} AS description_full,
    coalesce(m.synopsis, m.summary, {_DESCRIPTION}) AS synopsis
"""
_SCREENSHOTS = "".join(
    f", coalesce(i.folder || '/{size}-screenshot{number}.jpg', '') "
    f"AS {size}_screenshot_image{number}"
    for size in ("medium", "large")
    for number in (1, 2, 3)
)
#: The first four of the union; YTS shows a changing sample of four.
_CAST = """,
    array_to_json(ARRAY(
        SELECT json_strip_nulls(row_to_json(member)) FROM (
            SELECT c.name, coalesce(l.character_name, '') AS character_name, c.url_small_image,
                coalesce(c.imdb_code, '') AS imdb_code
            FROM movie_casts l JOIN casts c ON c.id = l.cast_id
            WHERE l.movie_id = m.id ORDER BY l.position, l.cast_id LIMIT 4
        ) member)) AS "cast"
"""


def list_json(*, is_suggestion: bool = False) -> str:
    """
    Return the query for the movies whose YTS ids are the array $1, in any order.

    Its columns are `place` in $1, `revision`, and `movie` as in `list_movies.json`, or as in
    `movie_suggestions.json`, null if there is no such movie. $2 has a revision for each id, divided
    by spaces: movies that still have it are left out. Sorting or joining the others in PostgreSQL
    would cost a fifth more.
    """
    large_cover, type_ = ("", "") if is_suggestion else (_LARGE_COVER, _TYPE)
    head = _HEAD.format(genres=_GENRES_OF_MANY)
    return f"""
        SELECT o.place, r.revision, CASE WHEN m.id IS NOT NULL THEN (
            SELECT row_to_json(movie)::text FROM (
                SELECT {head}, {_TEXTS}, {_MIDDLE} {large_cover}, 'ok' AS state,
                    {_TORRENTS.format(type=type_)}, {_UPLOADED.format("m")}
            ) movie) END AS movie
        FROM unnest($1, string_to_array($2, ' ')) WITH ORDINALITY o(id, revision, place)
        CROSS JOIN ({_ALL_GENRES}) g
        LEFT JOIN movies m ON m.external_id = o.id
        CROSS JOIN LATERAL (SELECT {_REVISION} AS revision OFFSET 0) r
        WHERE r.revision IS DISTINCT FROM o.revision"""  # noqa: S608 -- as above


def details_json(ids: str, column: str, *, with_images: bool, with_cast: bool) -> str:
    """
    Return the query for movies whose *column* is in *ids*, an SQL array; those gone are left out.

    Its columns are `place` in *ids*, `movie`, and `is_complete`: whether details of it were ever
    fetched.
    """
    return f"""
        SELECT o.place, row_to_json(movie)::text AS movie,
            CASE WHEN m.details_fetched_at IS NOT NULL THEN 't' END AS is_complete
        FROM unnest({ids}) WITH ORDINALITY o(id, place)
        CROSS JOIN LATERAL (
            SELECT * FROM movies WHERE {column} = o.id AND gone_since IS NULL
            ORDER BY external_id LIMIT 1
        ) m
        CROSS JOIN LATERAL (
            SELECT regexp_replace(coalesce(m.medium_cover_image, m.background_image),
                '/[^/]*$', '') AS folder
        ) i
        CROSS JOIN LATERAL (
            SELECT {_HEAD.format(genres=_GENRES)}, coalesce(m.like_count, 0) AS like_count,
                coalesce(m.description_intro, {_DESCRIPTION}) AS description_intro,
                {_DESCRIPTION} AS description_full, {_MIDDLE} {_LARGE_COVER}
                {_SCREENSHOTS if with_images else ""} {_CAST if with_cast else ""},
                {_TORRENTS.format(type=_TYPE)}, {_UPLOADED.format("m")}
        ) movie"""  # noqa: S608 -- as above
