"""Many models, many tests: Holm's correction, effect sizes, and where the uncertainty comes from.

Taught in 06_evaluation, where each is derived by hand first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from course_lib.evaluation.intervals import bootstrap_interval, sign_flip


def holm(p_values: np.ndarray | Sequence[float]) -> np.ndarray:
    """Adjusted p-values that hold the chance of a single false discovery at the level (Holm 1979).

    The smallest of m p-values is multiplied by m, the next by m - 1 and so on; none may fall below the one
    before it, and none exceeds 1.

    Parameters
    ----------
    p_values : array of float, [num_tests]

    Returns
    -------
    ndarray of float64, [num_tests]
        In the order given.

    Raises
    ------
    ValueError
        Where a value is no number between 0 and 1.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p-values must be one list of numbers between 0 and 1")
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    back = np.empty_like(adjusted)
    back[order] = np.minimum(adjusted, 1.0)
    return back


@dataclass(frozen=True)
class EffectSize:
    """How large a paired difference is.

    Attributes
    ----------
    relative : float
        Mean difference over the opponent's mean.
    d_z : float
        Cohen's d of paired samples: mean difference over its standard deviation; nan where all are equal.
    gain, tie, lose : float
        Shares of users.
    """

    relative: float
    d_z: float
    gain: float
    tie: float
    lose: float


def effect_size(first: np.ndarray, second: np.ndarray) -> EffectSize:
    """Effect size of `first` over `second`, each with one value per user, [num_users] (Cohen 1988)."""
    first, second = _paired(first, second)
    difference = first - second
    spread = difference.std(ddof=1) if len(difference) > 1 else 0.0
    return EffectSize(
        relative=float(difference.mean() / second.mean()) if second.mean() else float("nan"),
        d_z=float(difference.mean() / spread) if spread > 0 else float("nan"),
        gain=float((difference > 0).mean()),
        tie=float((difference == 0).mean()),
        lose=float((difference < 0).mean()),
    )


def compare_all(
    values: dict[str, np.ndarray],
    pairs: Sequence[tuple[str, str]] | None = None,
    level: float = 0.05,
    num_flips: int = 10_000,
) -> pd.DataFrame:
    """Paired tests of many pairs of models on the same users, corrected by Holm.

    Parameters
    ----------
    values : dict of str to ndarray, [num_users]
        One value per user and model; users with NaN for any model are left out.
    pairs : sequence of (str, str), optional
        All pairs without it.
    num_flips : int
        The smallest p is 1 / (num_flips + 1), and Holm multiplies it by the number of pairs.

    Returns
    -------
    DataFrame
        One row a pair: first, second, difference, low, high (95 % bootstrap), p, holm, d_z, survives.

    Raises
    ------
    ValueError
        Where no user is left, where there is no pair, or where so many tests cannot survive with so few flips.
    KeyError
        Where a pair names an unknown model.
    """
    pairs = list(combinations(values, 2)) if pairs is None else pairs
    if not pairs:
        raise ValueError("no pair to compare: give two models at least")
    if len(pairs) / (num_flips + 1) >= level:
        raise ValueError(
            f"with {num_flips} sign flips none of {len(pairs)} tests can survive Holm's correction at {level}: "
            f"take num_flips={int(2 * len(pairs) / level)}, or ask fewer questions"
        )
    names = sorted({name for pair in pairs for name in pair})
    if unknown := [name for name in names if name not in values]:
        raise KeyError(f"no values for {', '.join(unknown)}; there are: {', '.join(values)}")
    complete = np.isfinite(np.array([values[name] for name in names])).all(axis=0)
    if not complete.any():
        raise ValueError("no user has a value for every model: were they evaluated on the same split?")
    kept = {name: np.asarray(values[name])[complete] for name in names}
    differences = np.array([kept[first] - kept[second] for first, second in pairs])
    p = sign_flip(differences, num_flips)
    adjusted = holm(p)
    rows = []
    for (first, second), difference, raw, corrected in zip(pairs, differences, p, adjusted, strict=True):
        low, high = bootstrap_interval(difference)
        size = effect_size(kept[first], kept[second]).d_z
        rows.append((first, second, difference.mean(), low, high, raw, corrected, size, corrected < level))
    columns = ["first", "second", "difference", "low", "high", "p", "holm", "d_z", "survives"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class VarianceParts:
    """Variance of one value, taken apart.

    Attributes
    ----------
    users, seeds, rest : float
        Variance components; estimates below zero are set to zero.
    num_seeds, num_users : int
        The complete table behind them.
    num_left_out : int
        Users without a value under some seed.
    """

    users: float
    seeds: float
    rest: float
    num_seeds: int
    num_users: int
    num_left_out: int

    def standard_error(self, num_seeds: int | None = None, num_users: int | None = None) -> float:
        """Standard error of the mean with so many seeds and users; those of the table by default."""
        s, u = num_seeds or self.num_seeds, num_users or self.num_users
        return float(np.sqrt(self.users / u + self.seeds / s + self.rest / (s * u)))


def variance_parts(values: np.ndarray) -> VarianceParts:
    r"""Two-way random-effects analysis of a table of seeds and users, one value a cell.

    $y_{su} = \mu + a_u + b_s + \varepsilon_{su}$; the parts follow from the mean squares (Searle, Casella &
    McCulloch 1992, chapter 4). Give it the difference of two models to learn about the difference. In the
    recorded studies a seed draws the split as well as the start of training, so both are in the seeds' part and in
    the rest, which holds what one user's other exam does. Only the temporal split is the same under each seed.

    Parameters
    ----------
    values : ndarray, [num_seeds, num_users]
        Users with a NaN are left out and counted.

    Raises
    ------
    ValueError
        Where fewer than two seeds or two complete users are left.
    """
    values = np.asarray(values, dtype=np.float64)
    complete = np.isfinite(values).all(axis=0)
    y = values[:, complete]
    num_seeds, num_users = y.shape
    if num_seeds < 2 or num_users < 2:
        raise ValueError(f"{num_seeds} seeds and {num_users} complete users: a variance needs two of each at least")
    user, seed = y.mean(axis=0) - y.mean(), y.mean(axis=1) - y.mean()
    remainder = y - y.mean() - user - seed[:, None]
    rest = (remainder**2).sum() / ((num_seeds - 1) * (num_users - 1))
    of_users = (user**2).sum() / (num_users - 1) - rest / num_seeds
    of_seeds = (seed**2).sum() / (num_seeds - 1) - rest / num_users
    left_out = int((~complete).sum())
    of_users, of_seeds = max(float(of_users), 0.0), max(float(of_seeds), 0.0)
    return VarianceParts(of_users, of_seeds, float(rest), num_seeds, num_users, left_out)


def _paired(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"paired values need one number per user from both: got {first.shape} and {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("paired values hold NaN or inf: leave out users who were not evaluated")
    return first, second
