"""`REPO` and `RECORDED`: the root of the repository, and the folder of recorded responses."""

from pathlib import Path

REPO = Path(__file__).parents[2]
#: Real responses of YTS. They are not part of the repository; their tests are skipped without them.
RECORDED = REPO.parent / "shared" / "recorded"
