"""`find_page`: the movie whose page has a given slug."""

from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import Movie


def find_page(session: Session, slug: str) -> int | None:
    """Return the id at YTS of the movie with *slug*, not percent-encoded; None if there is none."""
    # YTS encodes slugs that are not ASCII, in lower case.
    spellings = {slug.lower(), quote(slug).lower()}
    return session.scalar(select(Movie.external_id).where(Movie.slug.in_(spellings)))
