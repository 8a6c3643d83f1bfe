"""
A plain schema for the contestants that write sets of rows.

It has the same facts and unique keys as the schema of this project, but natural primary keys, fewer
indexes and no search, which is less work.
"""

TABLES = """
CREATE TABLE IF NOT EXISTS movies (
    external_id int PRIMARY KEY, imdb_code text, title text NOT NULL, title_english text,
    title_long text, slug text, year smallint, rating real, runtime smallint, language text,
    mpa_rating text, description_full text, description_intro text, yt_trailer_code text,
    like_count int, url text, background_image text, background_image_original text,
    small_cover_image text, medium_cover_image text, large_cover_image text, date_uploaded text,
    date_uploaded_unix bigint
);
CREATE TABLE IF NOT EXISTS casts (
    imdb_code text PRIMARY KEY, name text NOT NULL, url_small_image text
);
CREATE TABLE IF NOT EXISTS genres (name text PRIMARY KEY);
CREATE TABLE IF NOT EXISTS torrents (
    movie_id int NOT NULL REFERENCES movies ON DELETE CASCADE, hash text NOT NULL, url text,
    quality text, type text, is_repack boolean, video_codec text, bit_depth smallint,
    audio_channels text, seeds int, peers int, size text, size_bytes bigint, date_uploaded text,
    date_uploaded_unix bigint, PRIMARY KEY (movie_id, hash)
);
CREATE TABLE IF NOT EXISTS movie_genres (
    movie_id int NOT NULL REFERENCES movies ON DELETE CASCADE,
    genre text NOT NULL REFERENCES genres, PRIMARY KEY (movie_id, genre)
);
CREATE TABLE IF NOT EXISTS movie_casts (
    movie_id int NOT NULL REFERENCES movies ON DELETE CASCADE,
    imdb_code text NOT NULL REFERENCES casts, character_name text, position smallint,
    PRIMARY KEY (movie_id, imdb_code)
);
"""
KNOWN = "SELECT external_id FROM movies"
