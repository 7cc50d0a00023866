"""For whom does it work? Slices of users and items, gaps with intervals, exposure of items.

Taught in 06_evaluation.
"""

import re

import numpy as np
import pandas as pd

from course_lib.evaluation.intervals import Comparison, bootstrap_interval


def bands(counts: np.ndarray, num_bands: int = 4, unit: str = "") -> np.ndarray:
    """Label each count with the range of the equally filled band it falls into, such as `"16-30 films"`.

    Parameters
    ----------
    counts : ndarray of int, [num_users]
    num_bands : int
        Fewer come out where many counts are equal.

    Returns
    -------
    ndarray of str, [num_users]
    """
    counts = np.asarray(counts)
    edges = np.unique(np.quantile(counts, np.linspace(0, 1, num_bands + 1)[1:-1], method="higher"))
    band = np.searchsorted(edges, counts, side="right")
    labels = {}
    for number in np.unique(band):
        inside = counts[band == number]
        ends = f"{inside.min()}" if inside.min() == inside.max() else f"{inside.min()}-{inside.max()}"
        labels[number] = f"{ends} {unit}".strip()
    return np.array([labels[number] for number in band])


def popularity_thirds(num_taken: np.ndarray) -> np.ndarray:
    """Label items `head`, `middle` or `tail` so that each holds a third of the interactions.

    Parameters
    ----------
    num_taken : ndarray of int, [num_items]
        Training interactions of each item.

    Returns
    -------
    ndarray of str, [num_items]
        `never taken` for items without any.
    """
    num_taken = np.asarray(num_taken)
    order = np.argsort(-num_taken, kind="stable")
    before = np.cumsum(num_taken[order]) - num_taken[order]  # interactions of more popular items
    labels = np.empty(len(num_taken), dtype=object)
    third = np.minimum(3 * before // max(int(num_taken.sum()), 1), 2).astype(int)
    labels[order] = np.array(["head", "middle", "tail"], dtype=object)[third]
    labels[num_taken == 0] = "never taken"
    return labels.astype(str)


def by_group(values: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Mean of each group with its 95 % bootstrap interval.

    Parameters
    ----------
    values : ndarray, [num_users]
        One value per user; users with NaN are left out.
    labels : ndarray, [num_users]
        Group of each user; users with a missing label are left out.

    Returns
    -------
    DataFrame
        Indexed by group: users, mean, low, high. Bands stand in order of their numbers, other groups by name. A group
        of one user has an interval of nan: one person shows no spread.
    """
    values, labels = _labelled(values, labels)
    rows = {}
    for group in sorted(np.unique(labels), key=_place):
        inside = values[labels == group]
        ends = bootstrap_interval(inside) if len(inside) > 1 else (np.nan, np.nan)
        rows[group] = (len(inside), inside.mean(), *ends)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["users", "mean", "low", "high"])


def gap(
    values: np.ndarray,
    labels: np.ndarray,
    first: str,
    second: str,
    strata: np.ndarray | None = None,
    num_resamples: int = 2000,
    seed: int = 0,
    metric: str = "ndcg@10",
) -> Comparison:
    """How much better one group is served than another, if asked for with users of the same stratum compared.

    With strata (say, bands of history length) the gap is the mean of the gaps inside each, weighted by the number
    of users of both groups there: what is left when the groups do not differ in the stratum.

    Parameters
    ----------
    values, labels : ndarray, [num_users]
    strata : ndarray, [num_users], optional
        Strata where one of the groups has fewer than two users are left out. With fewer than about five the interval
        is too narrow: take wider strata.
    metric : str
        What the values are.

    Returns
    -------
    Comparison
        With a 95 % bootstrap interval, users of each group drawn on their own; the p-value is two-sided, from
        shuffling the labels inside each stratum; users of strata that cannot be compared are not counted.

    Raises
    ------
    ValueError
        Where a group has no user, or no stratum holds two users of each.
    """
    first, second = str(first), str(second)
    if strata is None:
        strata = np.zeros(len(values), dtype=int)
    if len(strata) != len(values):
        raise ValueError(f"{len(values)} values but {len(strata)} strata: one of each per user is needed")
    strata = np.asarray(strata)[_usable(values, labels)]
    values, labels = _labelled(values, labels)
    for name in (first, second):
        if not (labels == name).any():
            raise ValueError(f"no user in group {name!r}; there are: {', '.join(map(str, np.unique(labels)))}")
    cells = []
    for stratum in np.unique(strata):
        pair = [values[(strata == stratum) & (labels == name)] for name in (first, second)]
        if min(map(len, pair)) > 1:  # one person shows no spread
            cells.append(pair)
    if not cells:
        raise ValueError(f"no stratum holds users of both {first!r} and {second!r}, two of each at least")
    weights = np.array([len(a) + len(b) for a, b in cells], dtype=np.float64)
    weights /= weights.sum()
    rng = np.random.default_rng(seed)
    drawn = np.zeros(num_resamples)
    for weight, (a, b) in zip(weights, cells, strict=True):
        for sign, group in ((1, a), (-1, b)):
            drawn += sign * weight * group[rng.integers(0, len(group), size=(num_resamples, len(group)))].mean(axis=1)
    difference = sum(weight * (a.mean() - b.mean()) for weight, (a, b) in zip(weights, cells, strict=True))
    low, high = np.quantile(drawn, [0.025, 0.975])
    p_value = _permutation_p(cells, weights, abs(difference), num_resamples, seed)
    num_users = sum(len(a) + len(b) for a, b in cells)
    return Comparison(first, second, metric, float(difference), float(low), float(high), p_value, num_users)


def _permutation_p(
    cells: list[list[np.ndarray]], weights: np.ndarray, observed: float, num_shuffles: int, seed: int
) -> float:
    """How often a gap as large comes out where labels mean nothing; the observed labels count as one draw."""
    rng = np.random.default_rng(seed)
    shuffled = np.zeros(num_shuffles)
    for weight, (a, b) in zip(weights, cells, strict=True):
        drawn = rng.permuted(np.tile(np.concatenate([a, b]), (num_shuffles, 1)), axis=1)
        shuffled += weight * (drawn[:, : len(a)].mean(axis=1) - drawn[:, len(a) :].mean(axis=1))
    return float((1 + (np.abs(shuffled) >= observed - 1e-12).sum()) / (num_shuffles + 1))


def exposure(items: np.ndarray, labels: np.ndarray, num_taken: np.ndarray) -> pd.DataFrame:
    r"""Share of the attention that each group of items gets in the lists, beside its share of catalogue and training.

    An item at rank $j$ is seen with a weight of $1 / \log_2(j + 1)$ (Singh & Joachims 2018).

    Parameters
    ----------
    items : ndarray of int, [num_users, k]
        Recommended items, best first, -1 where a list ends early.
    labels : ndarray of str, [num_items]
    num_taken : ndarray, [num_items]
        Training interactions of each item.

    Returns
    -------
    DataFrame
        Indexed by group: exposure, catalogue, training, each a share that sums to 1.
    """
    weight = np.broadcast_to(1.0 / np.log2(np.arange(items.shape[1]) + 2), items.shape)
    shown = items >= 0
    seen = np.bincount(items[shown], weights=weight[shown], minlength=len(labels))
    table = pd.DataFrame({"exposure": seen, "catalogue": np.ones(len(labels)), "training": num_taken}, dtype=float)
    return table.div(table.sum()).groupby(np.asarray(labels)).sum()


def _place(label: str) -> tuple[float, str]:
    number = re.match(r"\d+", label)
    return float(number[0]) if number else np.inf, label


def _usable(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    if len(values) != len(labels):
        raise ValueError(f"{len(values)} values but {len(labels)} labels: one of each per user is needed")
    return np.isfinite(np.asarray(values, dtype=np.float64)) & ~pd.isna(np.asarray(labels, dtype=object))


def _labelled(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    usable = _usable(values, labels)
    if not usable.any():
        raise ValueError("no user has both a value and a group")
    return np.asarray(values, dtype=np.float64)[usable], np.asarray(labels, dtype=object)[usable].astype(str)
