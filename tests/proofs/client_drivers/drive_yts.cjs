// Calls of yts, which adds a magnet link to each torrent.
"use strict";

const yts = require("yts");

const plan = JSON.parse(process.argv[2]);

function take({ id, imdb_code, title, title_long, torrents }) {
  const hashes = torrents.map(({ magnet_url }) => /urn:btih:(\w+)/.exec(magnet_url)[1]);
  return { id, imdb_code, title, title_long, hashes };
}

const takeAll = ({ movies }) => movies.map(take);

async function main() {
  const movie_id = plan.movie_id;
  const filter = {
    limit: 50,
    quality: "1080p",
    genre: "Drama",
    minimum_rating: 6,
    sort_by: "rating",
    order_by: "asc",
  };
  return {
    list: takeAll(await yts.listMovies()),
    second_page: takeAll(await yts.listMovies({ limit: 10, page: 2 })),
    search: takeAll(await yts.listMovies({ query_term: plan.word })),
    filtered: takeAll(await yts.listMovies(filter)),
    details: [take(await yts.movieDetails({ movie_id, with_images: true, with_cast: true }))],
    suggestions: takeAll(await yts.movieSuggestions({ movie_id })),
  };
}

main().then((calls) => process.stdout.write(JSON.stringify(calls)));
