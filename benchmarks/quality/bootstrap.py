"""`limits`: a 95 % interval of a mean, by bootstrap (pure)."""

from collections.abc import Sequence

import numpy as np

_RESAMPLES = 2000


def limits(values: Sequence[float]) -> tuple[float, float]:
    """Return what 95 % of the means of random resamples lie between."""
    numbers = np.array(values)
    generator = np.random.default_rng(1)
    means = [generator.choice(numbers, len(numbers)).mean() for _ in range(_RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
