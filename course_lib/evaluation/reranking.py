"""Re-ranking: choose ten of the best hundred so that the list is diverse, calibrated or fair, and see the price.

All three build the list greedily, rank by rank, for all users at once. A pool is what `recommendation_lists` returns
with a larger k. Taught in 06_evaluation.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from course_lib.evaluation.beyond import _divergence
from course_lib.evaluation.lists import NOTHING, evaluate_lists
from course_lib.splits import Split


def mmr(pool: np.ndarray, scores: np.ndarray, vectors: np.ndarray, strength: float, k: int = 10) -> np.ndarray:
    """Maximal marginal relevance (Carbonell & Goldstein 1998): good, and unlike what is already in the list.

    The next item maximises (1 - strength) * score - strength * (its largest cosine with an item already chosen);
    scores are brought to 0-1 per user.

    Parameters
    ----------
    pool, scores : ndarray, [num_users, num_pool]
        Candidates, best first, -1 and -inf where the pool ends early.
    vectors : ndarray, [num_items, dim]
    strength : float
        0 keeps the order, 1 looks at diversity alone.

    Returns
    -------
    ndarray of int, [num_users, k]
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors, dtype=np.float32), where=length > 0)
    listed = unit[np.maximum(pool, 0)]  # [num_users, num_pool, dim]
    nearest = np.full(pool.shape, -1.0, dtype=np.float32)  # largest cosine with the list so far

    def value(relevance: np.ndarray, rank: int) -> np.ndarray:
        return (1 - strength) * relevance - strength * (nearest if rank else 0.0)  # nothing is near an empty list

    def chosen(rows: np.ndarray, place: np.ndarray) -> None:
        np.maximum(nearest, np.einsum("upd,ud->up", listed, listed[rows, place]), out=nearest)

    return _greedy(pool, scores, strength, k, value, chosen)


def calibrated(
    pool: np.ndarray,
    scores: np.ndarray,
    history_shares: np.ndarray,
    genres: np.ndarray,
    strength: float,
    k: int = 10,
) -> np.ndarray:
    """Calibrated recommendations (Steck 2018): the list's genres follow the history's.

    The next item maximises (1 - strength) * score - strength * (divergence of the list with it from the history).

    Parameters
    ----------
    history_shares : ndarray, [num_users, num_genres]
        As `genre_shares` gives them.
    genres : ndarray of 0 and 1, [num_items, num_genres]
    """
    weight = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1)
    offered = weight[np.maximum(pool, 0)]  # [num_users, num_pool, num_genres]
    so_far = np.zeros((len(pool), 1, weight.shape[1]))
    p = np.broadcast_to(history_shares[:, None, :], offered.shape)

    def value(relevance: np.ndarray, rank: int) -> np.ndarray:
        total = so_far + offered
        q = total / np.maximum(total.sum(axis=2, keepdims=True), 1e-12)
        return (1 - strength) * relevance - strength * _divergence(p, q)

    def chosen(rows: np.ndarray, place: np.ndarray) -> None:
        so_far[:, 0] += offered[rows, place]

    return _greedy(pool, scores, strength, k, value, chosen)


def fair_share(pool: np.ndarray, scores: np.ndarray, protected: np.ndarray, share: float, k: int = 10) -> np.ndarray:
    """Every first j items hold at least floor(share * j) protected ones, where the pool has them.

    The deterministic constraint of Geyik, Ambler & Kenthapadi (2019) for two groups; FA*IR (Zehlike et al. 2017)
    asks for a number that chance would hardly fall short of instead.

    Parameters
    ----------
    protected : ndarray of bool, [num_items]
        For example the items of the long tail.
    share : float
        0 keeps the order.
    """
    is_protected = protected[np.maximum(pool, 0)] & (pool != NOTHING)
    held = np.zeros((len(pool), 1))

    def value(relevance: np.ndarray, rank: int) -> np.ndarray:
        short = held < np.floor(share * (rank + 1) + 1e-9)
        return relevance + 2.0 * (short & is_protected)

    def chosen(rows: np.ndarray, place: np.ndarray) -> None:
        held[:, 0] += is_protected[rows, place]

    return _greedy(pool, scores, share, k, value, chosen)


def frontier(
    rerank: Callable[[float], np.ndarray],
    measure: Callable[[np.ndarray], float],
    users: np.ndarray,
    split: Split,
    strengths: Sequence[float],
    k: int = 10,
) -> pd.DataFrame:
    """Accuracy against another aim, for some strengths of a re-ranking.

    Parameters
    ----------
    rerank : callable
        From a strength to lists, [num_users, k].
    measure : callable
        From lists to the other aim.
    users : ndarray of int, [num_users]
        Whose lists they are.

    Returns
    -------
    DataFrame
        One row a strength: strength, ndcg, measure.
    """
    rows = []
    for strength in strengths:
        items = rerank(strength)
        rows.append((strength, evaluate_lists(items, users, split, (k,)).mean(f"ndcg@{k}"), measure(items)))
    return pd.DataFrame(rows, columns=["strength", "ndcg", "measure"])


def _greedy(
    pool: np.ndarray,
    scores: np.ndarray,
    strength: float,
    k: int,
    value: Callable[[np.ndarray, int], np.ndarray],
    chosen: Callable[[np.ndarray, np.ndarray], None],
) -> np.ndarray:
    """Rank by rank, take for each user what is worth most; equal values go to the earlier place in the pool."""
    if not 0 <= strength <= 1:
        raise ValueError(f"the strength is {strength}; it must lie between 0 and 1")
    if pool.shape != scores.shape or pool.shape[1] < k:
        raise ValueError(f"pool {pool.shape} and scores {scores.shape} must have one shape with {k} columns or more")
    there = pool != NOTHING
    if (broken := there & ~np.isfinite(scores)).any():
        row, place = (int(index[0]) for index in np.nonzero(broken))
        raise ValueError(
            f"in row {row} of the pool item {pool[row, place]} has the score {scores[row, place]}: scores must be "
            "finite; mark a place without an item by -1"
        )
    low = np.where(there, scores, np.inf).min(axis=1, keepdims=True)
    high = np.where(there, scores, -np.inf).max(axis=1, keepdims=True)
    spread = np.maximum(high - low, 1e-12)
    relevance = np.divide(scores - low, spread, out=np.zeros(pool.shape), where=there)
    open_places = there.copy()
    rows = np.arange(len(pool))
    lists = np.full((len(pool), k), NOTHING, dtype=np.int64)
    for rank in range(k):
        worth = np.where(open_places, value(relevance, rank), -np.inf)
        place = worth.argmax(axis=1)
        found = open_places[rows, place]
        lists[found, rank] = pool[rows[found], place[found]]
        open_places[rows, place] = False
        chosen(rows, place)
    return lists
