"""Ranking metrics from hits, one value per user.

Taught in 02_collaborative_filtering, where each is worked out by hand on a table of three users.
"""

import numpy as np

METRICS = ("recall", "ndcg", "mrr", "hit", "precision", "map")


def user_metrics(hits: np.ndarray, num_relevant: np.ndarray, cutoffs: tuple[int, ...]) -> dict[str, np.ndarray]:
    r"""All metrics at all cut-offs for each user.

    With $hit_j = 1$ where rank $j$ holds a relevant item, and $n$ the number of the user's relevant items:

    - `recall@k` $= \sum_{j \le k} hit_j / n$. A user with $n > k$ cannot reach 1.
    - `precision@k` $= \sum_{j \le k} hit_j / k$.
    - `hit@k` $= 1$ where at least one of the first k is relevant.
    - `mrr@k` $= 1 / j$ for the first hit $j \le k$, 0 without one.
    - `ndcg@k` $= \sum_{j \le k} hit_j / \log_2(j + 1)$, divided by the same sum for a perfect list, which has
      $\min(k, n)$ hits.
    - `map@k` $= \sum_{j \le k} hit_j \cdot precision@j$, divided by $\min(k, n)$, so that a perfect list has 1.
      (`trec_eval` divides by $n$.)

    Parameters
    ----------
    hits : ndarray of bool, [num_users, max(cutoffs)]
        Whether the item at each rank is relevant.
    num_relevant : ndarray of int, [num_users]
        Relevant items of each user, at least 1.
    cutoffs : tuple of int
        The values of k.

    Returns
    -------
    dict
        `"ndcg@10"` and so on to an ndarray of float64, [num_users].
    """
    max_k = hits.shape[1]
    rank = np.arange(1, max_k + 1)
    discount = 1.0 / np.log2(rank + 1)
    cumulative_hits = np.cumsum(hits, axis=1)  # [num_users, max_k]
    dcg = np.cumsum(hits * discount, axis=1)
    ideal_dcg = np.cumsum(discount)  # [max_k]
    precision_at_hits = np.cumsum(hits * cumulative_hits / rank, axis=1)
    first_hit = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, np.inf)  # rank of the first hit

    values: dict[str, np.ndarray] = {}
    for k in cutoffs:
        reachable = np.minimum(k, num_relevant)
        values[f"recall@{k}"] = cumulative_hits[:, k - 1] / num_relevant
        values[f"ndcg@{k}"] = dcg[:, k - 1] / ideal_dcg[reachable - 1]
        values[f"mrr@{k}"] = np.where(first_hit <= k, 1.0 / first_hit, 0.0)
        values[f"hit@{k}"] = (cumulative_hits[:, k - 1] > 0).astype(np.float64)
        values[f"precision@{k}"] = cumulative_hits[:, k - 1] / k
        values[f"map@{k}"] = precision_at_hits[:, k - 1] / reachable
    return values
