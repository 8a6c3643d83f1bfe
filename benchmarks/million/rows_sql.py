"""SQL that generates a large catalogue with realistic sizes, counts and word frequencies."""

#: Phrases that plots and titles are put together from. The word of rank r occurs 1/r times as
#: often as the first one, as in any language; the first 20 are left out, as stop words are.
TEXTS = """
    CREATE TEMP TABLE phrases AS
    SELECT id, string_agg(word, ' ') AS words
    FROM (
        SELECT id, floor(20 * power(%(words)s / 20.0, random()))::int - 19 AS rank
        FROM generate_series(1, %(phrases)s) AS id, generate_series(1, 10)
    ) AS drawn JOIN words USING (rank)
    GROUP BY id;
    ALTER TABLE phrases ADD PRIMARY KEY (id);

    CREATE TEMP TABLE titles AS
    SELECT id, CASE WHEN id %% 2 = 0 THEN 'The ' ELSE '' END || initcap(string_agg(word, ' '))
        AS title
    FROM (
        SELECT id, floor(20 * power(%(words)s / 20.0, random()))::int - 19 AS rank
        FROM generate_series(1, %(phrases)s) AS id, generate_series(1, 1 + id %% 3)
    ) AS drawn JOIN words USING (rank)
    GROUP BY id;
    ALTER TABLE titles ADD PRIMARY KEY (id);
    ANALYZE phrases, titles;
"""

#: Movies from `first` to `last`; every fiftieth YTS id is missing.
MOVIES = """
    WITH drawn AS MATERIALIZED (
        SELECT n, n + n / 49 AS yts_id, 2025 - floor(100 * power(random(), 3))::int AS year,
            nullif(round((10 * sqrt(random()))::numeric, 1), 0) AS rating,
            1 + floor(random() * (SELECT count(*) FROM titles))::int AS title_id,
            1 + floor(random() * (SELECT count(*) FROM phrases))::int AS one,
            1 + floor(random() * (SELECT count(*) FROM phrases))::int AS two,
            1 + floor(random() * (SELECT count(*) FROM phrases))::int AS three,
            1 + floor(random() * (SELECT count(*) FROM phrases))::int AS four,
            -- A page of 50 comes twice a second.
            now() - make_interval(secs => (%(movies)s - n) / 50 / 2.0) AS saved_at
        FROM generate_series(%(first)s, %(last)s) AS n
    ), movie_facts AS (
        SELECT drawn.*, title, yts_id || '-' || md5(yts_id::text) AS address,
            concat('A ', a.words, ' and the ', b.words, '. With ', c.words, ' for ', d.words, '.')
                AS plot
        FROM drawn JOIN titles ON titles.id = title_id
            JOIN phrases a ON a.id = one JOIN phrases b ON b.id = two
            JOIN phrases c ON c.id = three JOIN phrases d ON d.id = four
    )
    INSERT INTO movies (
        id, external_id, imdb_code, title, title_english, title_long, slug, year, rating, runtime,
        language, mpa_rating, summary, description_full, description_intro, synopsis,
        yt_trailer_code, like_count, url, background_image, background_image_original,
        small_cover_image, medium_cover_image, large_cover_image, date_uploaded,
        date_uploaded_unix, details_fetched_at, created_at, updated_at, fetched_at, gone_since)
    OVERRIDING SYSTEM VALUE
    SELECT n, yts_id, 'tt' || lpad(n::text, 8, '0'), title, title, title || ' (' || year || ')',
        replace(lower(title), ' ', '-') || '-' || year || '-' || yts_id, year, rating,
        80 + n %% 60, 'en', 'PG-13', plot, plot, plot, plot, left(md5(plot), 11), n %% 500,
        'https://yts.gg/movies/' || address,
        'https://yts.gg/assets/images/movies/' || address || '/background.jpg',
        'https://yts.gg/assets/images/movies/' || address || '/background.jpg',
        'https://yts.gg/assets/images/movies/' || address || '/small-cover.jpg',
        'https://yts.gg/assets/images/movies/' || address || '/medium-cover.jpg',
        'https://yts.gg/assets/images/movies/' || address || '/large-cover.jpg',
        saved_at, extract(epoch FROM saved_at)::bigint, saved_at, saved_at, saved_at, saved_at,
        CASE WHEN n %% 500 = 0 THEN saved_at END
    FROM movie_facts ORDER BY n
"""

#: Torrents, genres and people of these movies: 2.5, 2.5 and 4 each, some of them often.
#: The search documents, which the writers compute with each movie.
DOCUMENTS = """
    UPDATE movies
    SET search_vector = movie_documents.search_vector,
        document_hash = movie_documents.document_hash
    FROM movie_documents
    WHERE movie_documents.movie_id = movies.id AND movies.id BETWEEN %(first)s AND %(last)s
"""

LINKS = (
    """
    INSERT INTO torrents (movie_id, hash, url, quality, type, is_repack, video_codec, bit_depth,
        audio_channels, seeds, peers, size, size_bytes, date_uploaded, date_uploaded_unix)
    SELECT n, hash, 'https://yts.gg/torrent/download/' || hash,
        (ARRAY['720p', '1080p', '2160p'])[k], 'web', false, 'x264', 8, '2.0', n %% 100, n %% 100,
        k || '.69 GB', k * 1690000000::bigint, now(), extract(epoch FROM now())::bigint
    FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, 2 + n %% 2) AS k,
        LATERAL (SELECT upper(md5(n || ' ' || k) || left(md5(k || ' ' || n), 8)) AS hash) AS made
    """,
    """
    INSERT INTO movie_genres (movie_id, genre_id)
    SELECT n, 1 + (first_genre + 5 * k) %% %(genres)s
    FROM (
        SELECT n, floor(%(genres)s * power(random(), 2))::int AS first_genre
        FROM generate_series(%(first)s, %(last)s) AS n
    ) AS drawn, generate_series(1, 2 + n %% 2) AS k
    """,
    """
    INSERT INTO casts (id, name, imdb_code, url_small_image)
    OVERRIDING SYSTEM VALUE
    SELECT n, name, lpad(n::text, 8, '0'), 'https://yts.gg/assets/images/actors/' || n || '.jpg'
    FROM generate_series(%(first)s, %(last)s) AS n
        JOIN names ON names.id = 1 + n %% (SELECT count(*) FROM names)
    """,
    """
    INSERT INTO movie_casts (movie_id, cast_id, character_name, position)
    SELECT n, 1 + (first_person + 7919 * k) %% %(movies)s, 'Role ' || k, k - 1
    FROM (
        SELECT n, floor(%(movies)s * power(random(), 2))::int AS first_person
        FROM generate_series(%(first)s, %(last)s) AS n
    ) AS drawn, generate_series(1, 4) AS k
    """,
)

#: Rows of the bookkeeping: missing ids, some failures, a thousand runs.
BOOKKEEPING = """
    SELECT setval(pg_get_serial_sequence('movies', 'id'), %(movies)s),
        setval(pg_get_serial_sequence('casts', 'id'), %(movies)s);
    INSERT INTO missing_movies (external_id, ask_again_at)
    SELECT n * 50 + 49, now() + interval '20 days'
    FROM generate_series(0, %(movies)s / 49 - 1) AS n;
    INSERT INTO listed_movies (external_id) SELECT external_id FROM movies;
    INSERT INTO fetch_failures (kind, key, stage, error_class, message, next_attempt_at)
    SELECT 'movie', external_id, 'fetch', 'YtsUnavailable', 'HTTP 500', now() + interval '1 day'
    FROM movies WHERE external_id %% 1000 = 7;
    INSERT INTO fetch_runs (command, phase, finished_at, exit_code)
    SELECT 'fetch_yts_data.py -q', 'ended', now(), 0 FROM generate_series(1, 1000);
    INSERT INTO sync_state (source, watermark_movie_id, movie_count, sweep_completed_at)
    SELECT 'yts', max(external_id), %(movies)s, now() FROM movies;
"""
