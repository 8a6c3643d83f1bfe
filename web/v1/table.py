"""`ROUTES`: all addresses of the API v1; requests, OpenAPI and the page are made from it."""

from web.v1.bookkeeping import list_failures, list_runs, one_run, read_health
from web.v1.catalogue import (
    list_genres,
    list_groups,
    list_movies_of_person,
    list_people,
    one_person,
    read_totals,
)
from web.v1.models import Health, Movie, Person, Run, Stats, Suggestions
from web.v1.movies import list_movies, one_movie, read_suggestions, search
from web.v1.page_models import (
    FailurePage,
    FoundPage,
    GenrePage,
    GroupPage,
    MoviePage,
    PersonPage,
    RecommendedPage,
    RunPage,
    SimilarPage,
)
from web.v1.parameters import (
    GroupsQuery,
    ListQuery,
    MovieQuery,
    MoviesQuery,
    PeopleQuery,
    PersonMoviesQuery,
    PersonQuery,
    Query,
    RecommendQuery,
    RunQuery,
    SearchQuery,
    SimilarQuery,
    SuggestQuery,
)
from web.v1.route import Route
from web.v1.similar import recommend, similar

ROUTES: tuple[Route, ...] = (
    Route(
        "/movies", "listMovies", "List movies, with filters, in an order",
        "/movies?genre=drama&rating_from=8&sort=rating",
        MoviesQuery, MoviePage, read_items=list_movies,
    ),
    Route(
        "/movies/{movie}", "getMovie", "One movie",
        "/movies/5",
        MovieQuery, Movie, read_object=one_movie,
    ),
    Route(
        "/movies/{movie}/similar", "listSimilarMovies", "The movies most like one, with reasons",
        "/movies/5/similar?limit=5",
        SimilarQuery, SimilarPage, read_items=similar,
    ),
    Route(
        "/recommend", "recommendMovies", "The movies most like several, with reasons",
        "/recommend?like=5&like=6&unlike=7&limit=5",
        RecommendQuery, RecommendedPage, read_items=recommend,
    ),
    Route(
        "/search", "search", "Find movies by title, IMDb code, person, words or meaning",
        "/search?q=a+ship+lost+at+sea",
        SearchQuery, FoundPage, read_items=search,
    ),
    Route(
        "/suggest", "suggest", "Titles, people and genres as one types",
        "/suggest?q=the+mat",
        SuggestQuery, Suggestions, read_object=read_suggestions,
    ),
    Route(
        "/people", "listPeople", "People by name",
        "/people?name=hanks",
        PeopleQuery, PersonPage, read_items=list_people,
    ),
    Route(
        "/people/{person}", "getPerson", "One person",
        "/people/Tom%20Hanks",
        PersonQuery, Person, read_object=one_person,
    ),
    Route(
        "/people/{person}/movies", "listMoviesOfPerson", "The movies of a person",
        "/people/Tom%20Hanks/movies?sort=year",
        PersonMoviesQuery, MoviePage, read_items=list_movies_of_person,
    ),
    Route(
        "/genres", "listGenres", "All genres with the numbers of their movies",
        "/genres",
        ListQuery, GenrePage, read_items=list_genres,
    ),
    Route(
        "/stats", "getStats", "The mirror in numbers",
        "/stats",
        Query, Stats, read_object=read_totals,
    ),
    Route(
        "/stats/{by}", "listGroups", "Movies by genre, year, decade, language, month or actor",
        "/stats/decade",
        GroupsQuery, GroupPage, read_items=list_groups,
    ),
    Route(
        "/runs", "listRuns", "Fetch runs, the newest first",
        "/runs?limit=5",
        ListQuery, RunPage, read_items=list_runs, is_kept=False,
    ),
    Route(
        "/runs/{run}", "getRun", "One fetch run",
        "/runs/1",
        RunQuery, Run, read_object=one_run, is_kept=False,
    ),
    Route(
        "/failures", "listFailures", "Pages and movies that failed and are tried again",
        "/failures?format=csv",
        ListQuery, FailurePage, read_items=list_failures, is_kept=False,
    ),
    Route(
        "/health", "getHealth", "How current the mirror is, and what works",
        "/health",
        Query, Health, read_object=read_health, is_kept=False,
    ),
)  # fmt: skip
