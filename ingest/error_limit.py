"""`ErrorLimit`, `believed_loss`: when a run has too many failures or denials; no I/O."""

from dataclasses import dataclass

#: A percentage counts only after this many movies and pages.
FEWEST_FOR_A_SHARE = 50
#: A source is believed if it lacks or denies at most this share of the movies or, in a small
#: catalogue, this number of movies.
BELIEVED_SHARE = 0.01
BELIEVED_NUMBER = 20


@dataclass(frozen=True, slots=True)
class ErrorLimit:
    """Failures that a run tolerates: a number, or a share of the movies and pages handled."""

    number: int | None = None
    #: 0 to 1.
    share: float | None = None

    def __str__(self) -> str:
        """Return the limit as a user writes it."""
        return str(self.number) if self.share is None else f"{self.share:.0%}"

    def is_passed(self, failed: int, handled: int) -> bool:
        """Return whether *failed* of *handled* are too many."""
        if self.number is not None and failed > self.number:
            return True
        is_telling = handled >= FEWEST_FOR_A_SHARE
        return self.share is not None and is_telling and failed > self.share * handled


def parse_error_limit(text: str) -> ErrorLimit:
    """
    Read `20` or `5%`.

    Raises:
        ValueError: neither a number nor a percentage.
    """
    number = text.strip().removesuffix("%")
    if not number.isdecimal():
        raise ValueError(f"{text!r} is not a number or a percentage; use for example 20 or 5%")
    if not text.strip().endswith("%"):
        return ErrorLimit(number=int(number))
    if int(number) > 100:
        raise ValueError(f"{text!r} is more than all of them")
    return ErrorLimit(share=int(number) / 100)


def believed_loss(movies: int) -> int:
    """Return how many of *movies* a source may lack or deny at once and still be believed."""
    return max(BELIEVED_NUMBER, int(movies * BELIEVED_SHARE))
