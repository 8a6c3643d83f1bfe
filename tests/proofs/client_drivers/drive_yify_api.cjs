// Calls of yify-api; its constructor takes the base URL.
"use strict";

const { YifyService, Quality, Sort, Order } = require("yify-api");

const plan = JSON.parse(process.argv[2]);
const service = new YifyService(`${plan.api_url}/`);

function take({ id, imdb_code, title, title_long, torrents }) {
  return { id, imdb_code, title, title_long, hashes: torrents.map(({ hash }) => hash) };
}

const takeAll = ({ data }) => data.movies.map(take);

async function main() {
  const movie_id = plan.movie_id;
  const filter = {
    limit: 50,
    quality: Quality.TEN_EIGHTY_P,
    genre: "Drama",
    minimum_rating: 6,
    sort_by: Sort.RATING,
    order_by: Order.ASC,
    with_rt_ratings: true,
  };
  const details = await service.getMovie({ movie_id, with_images: true, with_cast: true });
  return {
    list: takeAll(await service.getMovies()),
    second_page: takeAll(await service.getMovies({ limit: 10, page: 2 })),
    search: takeAll(await service.getMovies({ query_term: plan.word })),
    filtered: takeAll(await service.getMovies(filter)),
    details: [take(details.data.movie)],
    suggestions: takeAll(await service.getSuggestions({ movie_id })),
  };
}

main().then((calls) => process.stdout.write(JSON.stringify(calls)));
