"""`MoviePageQuery` and others: the parameters of pages, checked like those of the API v1."""

from web.v1.parameters import Query, Text


class MoviePageQuery(Query):
    """The page of one movie."""

    #: Its slug, or its id at YTS.
    movie: Text
