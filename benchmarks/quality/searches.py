"""`measure_searches`, `search_table`: how often searches find the films that they should find."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from sqlalchemy.orm import Session

from benchmarks.markdown import table
from benchmarks.quality.bootstrap import limits
from benchmarks.quality.query_sets import Question
from database.search.query import search_movies
from embeddings.embedder import Embedder

#: Number of results that are looked at.
FIRST = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """The figures of one query, each between 0 and 1."""

    question: Question
    #: Whether the first result is right.
    first: float
    #: Whether one of the first ten results is right.
    among_ten: float
    #: 1 / rank of the first right result; 0 if it is not among the first ten.
    reciprocal_rank: float
    #: Right results among the first ten, as a share of the possible number.
    share: float


def measure_searches(
    session: Session, embedder: Embedder, questions: Sequence[Question], numbers: Mapping[int, int]
) -> list[Answer]:
    """Search for each question; *numbers* has the number of each film by its `movies.id`."""
    return [
        _rate(
            question,
            [
                numbers[found.row_id]
                for found in search_movies(
                    session,
                    question.query,
                    embedder=embedder,
                    limit=FIRST,
                )
            ],
        )
        for question in questions
    ]


def _rate(question: Question, results: Sequence[int]) -> Answer:
    ranks = [rank for rank, film in enumerate(results, start=1) if film in question.right]
    return Answer(
        question,
        first=float(1 in ranks),
        among_ten=float(bool(ranks)),
        reciprocal_rank=1 / ranks[0] if ranks else 0.0,
        share=len(ranks) / min(FIRST, len(question.right)),
    )


def search_table(answers: Sequence[Answer]) -> str:
    """Return the means of each kind and each group, with 95 % intervals, as Markdown."""
    rows: defaultdict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        question = answer.question
        rows[question.group, question.kind].append(answer)
    groups = dict.fromkeys(group for group, _ in rows)
    lines = []
    for group in groups:
        kinds = {kind: members for (its, kind), members in rows.items() if its == group}
        lines += [[f"{group}: {kind}", *_figures(members)] for kind, members in kinds.items()]
        if group in {"names", "lists"}:
            everything = [answer for members in kinds.values() for answer in members]
            lines.append([f"**{group}: all**", *_figures(everything)])
    return table(["", "queries", "hit@1", "hit@10", "MRR", "share of the possible"], lines)


def _figures(answers: Sequence[Answer]) -> list[str]:
    is_list = answers[0].question.group == "lists"
    share = _interval([answer.share for answer in answers]) if is_list else ""
    return [
        str(len(answers)),
        _interval([answer.first for answer in answers]),
        _interval([answer.among_ten for answer in answers]),
        _interval([answer.reciprocal_rank for answer in answers]),
        share,
    ]


def _interval(values: Sequence[float]) -> str:
    """Return the mean, and what 95 % of the means of random resamples lie between."""
    low, high = limits(values)
    return f"{fmean(values):.2f} [{low:.2f}, {high:.2f}]"
