"""Beyond accuracy: coverage, concentration, novelty, diversity, serendipity, calibration of lists.

Lists are arrays of items, [num_users, k], best first, -1 where a list ends early, as `recommendation_lists` makes
them. Taught in 06_evaluation.
"""

import numpy as np
import pandas as pd
from scipy import sparse

from course_lib.evaluation.lists import NOTHING, recommendation_lists
from course_lib.evaluation.ranking import Model
from course_lib.splits import Split

SMOOTHING = 0.01  # Steck (2018): the share of the history's genres that is mixed into the list's


def exposures(items: np.ndarray, num_items: int) -> np.ndarray:
    """How many lists hold each item, [num_items]."""
    return np.bincount(items[items != NOTHING], minlength=num_items)


def coverage(items: np.ndarray, candidates: np.ndarray) -> float:
    """Share of the candidate items that stand in at least one list."""
    return float((exposures(items, len(candidates))[candidates] > 0).mean())


def gini(counts: np.ndarray) -> float:
    r"""Gini index of non-negative counts: 0 where all are equal, (n - 1) / n where one holds everything.

    With counts sorted upwards, $G = \sum_j (2j - n - 1) x_j / (n \sum_j x_j)$.

    Raises
    ------
    ValueError
        Where a count is negative, or all are 0.
    """
    x = np.sort(np.asarray(counts, dtype=np.float64))
    if not len(x) or x[0] < 0 or x.sum() == 0:
        raise ValueError("a Gini index needs counts that are not negative and not all zero")
    rank = np.arange(1, len(x) + 1)
    return float(((2 * rank - len(x) - 1) * x).sum() / (len(x) * x.sum()))


def novelty(items: np.ndarray, num_taken: np.ndarray, num_users: int) -> np.ndarray:
    r"""Mean self-information of a list in bits, $-\log_2 p_i$ with $p_i$ the share of users who took item i.

    One user is added to each item, so that an item nobody took is finite (Castells, Hurley & Vargas 2022).

    Returns
    -------
    ndarray, [num_users]
        NaN for an empty list.
    """
    information = -np.log2((np.asarray(num_taken) + 1) / (num_users + 1))
    return _mean_over_list(information[np.maximum(items, 0)], items)


def intra_list_diversity(items: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Mean of 1 - cosine over all pairs of a list (Ziegler et al. 2005 sum the similarities).

    Parameters
    ----------
    vectors : ndarray, [num_items, dim]
        Genres as 0 and 1, or text vectors. An item of zeros is alike to none.

    Returns
    -------
    ndarray, [num_users]
        NaN where a list has fewer than two items.
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors, dtype=np.float64), where=length > 0)
    there = (items != NOTHING)[:, :, None]
    listed = unit[np.maximum(items, 0)] * there  # [num_users, k, dim]
    total = (listed.sum(axis=1) ** 2).sum(axis=1)  # sum over ordered pairs, an item with itself included
    itself = (listed**2).sum(axis=(1, 2))
    n = there.sum(axis=(1, 2))
    pairs = n * (n - 1)
    return 1.0 - np.divide(total - itself, pairs, out=np.full(len(items), np.nan), where=pairs > 0)


def serendipity(items: np.ndarray, expected: np.ndarray, targets: sparse.csr_matrix) -> np.ndarray:
    """Share of a list that is relevant and not in the list of a primitive model (Ge et al. 2010).

    Parameters
    ----------
    items, expected : ndarray of int, [num_users, k]
        Lists of the model and of the primitive one, popularity for example, for the same users.
    targets : csr_matrix, [num_users, num_items]
        1 where the item is a right answer, rows in the order of the lists.
    """
    relevant = np.take_along_axis(targets.toarray() > 0, np.maximum(items, 0), axis=1) & (items != NOTHING)
    surprising = ~(items[:, :, None] == expected[:, None, :]).any(axis=2)
    return (relevant & surprising).sum(axis=1) / items.shape[1]


def genre_shares(items_of_users: sparse.csr_matrix, genres: np.ndarray) -> np.ndarray:
    """Share of each genre in each user's items, [num_users, num_genres]; each item spreads 1 over its genres."""
    weight = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1)
    total = items_of_users @ weight
    return total / np.maximum(total.sum(axis=1, keepdims=True), 1e-12)


def miscalibration(items: np.ndarray, history_shares: np.ndarray, genres: np.ndarray) -> np.ndarray:
    r"""Kullback-Leibler divergence of a list's genres from the history's, in nats (Steck 2018).

    $\sum_g p_g \log (p_g / \tilde q_g)$ with $p$ the history's shares and $\tilde q = (1 - a) q + a p$, $a = 0.01$,
    so that a genre missing in the list is a large but finite fault. 0 is perfectly calibrated. An empty list is as
    wrong as can be, ln 100 = 4.6; a history without any genre asks for nothing, 0.

    Parameters
    ----------
    history_shares : ndarray, [num_users, num_genres]
        As `genre_shares` gives them.
    genres : ndarray of 0 and 1, [num_items, num_genres]
    """
    return _divergence(history_shares, list_shares(items, genres))


def list_shares(items: np.ndarray, genres: np.ndarray) -> np.ndarray:
    """Share of each genre in each list, [num_users, num_genres]."""
    weight = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1)
    total = (weight[np.maximum(items, 0)] * (items != NOTHING)[:, :, None]).sum(axis=1)
    return total / np.maximum(total.sum(axis=1, keepdims=True), 1e-12)


def beyond_accuracy(model: Model, primitive: Model, split: Split, genres: np.ndarray, k: int = 10) -> pd.Series:
    """All of the above for the test lists of one model: coverage and Gini once, means over users of the rest.

    Parameters
    ----------
    primitive : Recommender, ndarray or callable
        What everybody would expect; see `serendipity`.
    genres : ndarray of 0 and 1, [num_items, num_genres]
    """
    task = split.task("test")
    users, items, _ = recommendation_lists(model, split, k)
    expected = recommendation_lists(primitive, split, k)[1]
    num_taken = np.bincount(split.train.item, minlength=split.num_items)
    shares = genre_shares(task.history[users], genres)
    return pd.Series(
        {
            "coverage": coverage(items, task.candidates),
            "gini": gini(exposures(items, split.num_items)[task.candidates]),
            "novelty": novelty(items, num_taken, split.num_users).mean(),
            "diversity": np.nanmean(intra_list_diversity(items, genres)),
            "serendipity": serendipity(items, expected, task.targets[users]).mean(),
            "miscalibration": miscalibration(items, shares, genres).mean(),
        }
    )


def _divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    mixed = (1 - SMOOTHING) * q + SMOOTHING * p
    ratio = np.divide(p, mixed, out=np.ones_like(p), where=p > 0)
    return (p * np.log(ratio)).sum(axis=-1)


def _mean_over_list(values: np.ndarray, items: np.ndarray) -> np.ndarray:
    there = items != NOTHING
    n = there.sum(axis=1)
    return np.divide((values * there).sum(axis=1), n, out=np.full(len(items), np.nan), where=n > 0)
