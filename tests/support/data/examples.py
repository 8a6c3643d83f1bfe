"""`examples`: how many examples hypothesis tries, the same ones in each run of the suite."""

import os

from hypothesis import settings

#: With HYPOTHESIS_PROFILE=long, examples are random, and their number is multiplied by this.
LONG_FACTOR = 20
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "suite")

# The suite must not fail by chance. A failure that the long profile finds becomes a test.
settings.register_profile("suite", derandomize=True, database=None, deadline=None)
settings.register_profile("long", database=None, deadline=None, print_blob=True)
settings.load_profile(PROFILE)


def examples(count: int) -> settings:
    """Return settings for *count* examples, times LONG_FACTOR in the long profile."""
    return settings(max_examples=count * (LONG_FACTOR if PROFILE == "long" else 1))
