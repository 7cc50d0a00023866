"""How sure can we be? Bootstrap intervals over users, and paired tests between models.

Taught in 02_collaborative_filtering.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from course_lib.evaluation.ranking import Evaluation


def bootstrap_interval(
    values: np.ndarray, confidence: float = 0.95, num_resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over users (Efron & Tibshirani 1993, chapter 13).

    Draw as many users as there are, with replacement, and take the mean; do it again and again. The middle
    95 % of those means is the interval.

    Parameters
    ----------
    values : ndarray, [num_users]
        One value per user.

    Returns
    -------
    tuple of float
        Low and high end.
    """
    if len(values) == 0:
        raise ValueError("no user to resample: the evaluated part has no targets")
    rng = np.random.default_rng(seed)
    at_once = max(1, 4_000_000 // len(values))  # bounds the memory
    means = np.empty(num_resamples)
    for start in range(0, num_resamples, at_once):
        stop = min(start + at_once, num_resamples)
        drawn = rng.integers(0, len(values), size=(stop - start, len(values)), dtype=np.int32)
        means[start:stop] = values[drawn].mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def sign_flip(differences: np.ndarray, num_flips: int = 10_000, seed: int = 0) -> np.ndarray:
    """Two-sided p-values of the means of some paired differences; all share the same random signs.

    Parameters
    ----------
    differences : ndarray, [num_pairs, num_users]

    Returns
    -------
    ndarray of float64, [num_pairs]
        At least 1 / (num_flips + 1), since the observed signs count as one draw.
    """
    differences = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    rng = np.random.default_rng(seed)
    observed = np.abs(differences.sum(axis=1)) - 1e-9
    as_extreme = np.ones(len(differences))
    at_once = max(1, 4_000_000 // differences.shape[1])
    for start in range(0, num_flips, at_once):
        size = (min(at_once, num_flips - start), differences.shape[1])
        signs = rng.integers(0, 2, size=size, dtype=np.int8) * 2.0 - 1.0
        as_extreme += (np.abs(signs @ differences.T) >= observed).sum(axis=0)
    return as_extreme / (num_flips + 1)


@dataclass(frozen=True)
class Comparison:
    """A difference: of two models over the same users, or of two groups of users. Mean, 95 % interval, p-value."""

    first: str
    second: str
    metric: str
    difference: float
    low: float
    high: float
    p_value: float
    num_users: int

    def __str__(self) -> str:
        return (
            f"{self.first} - {self.second}: {self.metric} {self.difference:+.4f} "
            f"[{self.low:+.4f}, {self.high:+.4f}], p = {self.p_value:.4f}, {self.num_users} users"
        )


def compare(first: "Evaluation", second: "Evaluation", metric: str = "ndcg@10", num_flips: int = 10_000) -> Comparison:
    """Paired comparison: each user is asked about both models.

    The p-value is that of a sign-flip permutation test (Fisher's randomisation): were the models equally good,
    each user's difference could as well have the other sign. How often does a random choice of signs give a
    mean at least as far from zero? The observed one counts as a choice, so p is never 0.

    Raises
    ------
    ValueError
        Where the two were not evaluated on the same users.
    """
    if not np.array_equal(first.users, second.users):
        raise ValueError(
            f"{first.model} was evaluated on {len(first.users)} users and {second.model} on {len(second.users)} "
            "others: a paired test needs the same split and part for both"
        )
    difference = first.values[metric] - second.values[metric]
    low, high = bootstrap_interval(difference)
    p_value = float(sign_flip(difference, num_flips)[0])
    mean = float(difference.mean())
    return Comparison(first.model, second.model, metric, mean, low, high, p_value, len(difference))
