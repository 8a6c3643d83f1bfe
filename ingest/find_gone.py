"""After a complete sweep: movies that YTS neither lists nor knows any more are marked as gone."""

from database.sync import count_present, read_unlisted
from ingest.course import Course
from ingest.plan import MovieBatch, plan_movie_batches
from ingest.pool import BatchPool
from ingest.stop import EXIT_GUARD, Ending

#: More than this share at once is rather a fault of the source than so many removals.
GUARDED_SHARE = 0.01


def find_gone(course: Course, pool: BatchPool) -> None:
    """
    Ask for the details of every stored movie that the sweep has not seen.

    One that YTS does not know is marked; one that it knows is there, though unlisted.
    With too many of them at once nothing is asked, nothing is marked, and the run ends.
    """
    with course.db.get_session() as session:
        unlisted, present = read_unlisted(session), count_present(session)
    if len(unlisted) > present * GUARDED_SHARE:
        course.given_up = Ending(
            f"{len(unlisted):,} of {present:,} stored movies are not on the list any more, which "
            "is too many to believe; none was marked. If YTS really removed them, remove the rows",
            EXIT_GUARD,
        )
        return
    kind = MovieBatch((), update=True, is_known=True, is_unlisted=True)
    for _ in course.run_on(pool, plan_movie_batches(unlisted, course.settings.batch_size, kind)):
        pass
