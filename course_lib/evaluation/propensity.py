"""Correcting for what people were shown: weighted metrics and weighted training.

Clicks exist only where somebody saw the item, and popular items are seen more. Taught in 06_evaluation.
"""

import numpy as np
from scipy import sparse

from course_lib.evaluation.lists import NOTHING


def propensities(num_taken: np.ndarray, gamma: float = 1.0) -> np.ndarray:
    r"""Chance of being observed, up to a factor: $p_i \propto n_i^{(\gamma + 1) / 2}$ (Yang et al. 2018).

    Parameters
    ----------
    num_taken : ndarray, [num_items]
        Observed interactions of each item; an item without any counts as one with one.
    gamma : float
        Strength of the popularity bias of the system that collected the data.

    Returns
    -------
    ndarray of float64, [num_items]
        Scaled so that the largest is 1.
    """
    num_taken = np.asarray(num_taken, dtype=np.float64)
    if not (num_taken >= 0).all():
        raise ValueError("numbers of interactions must not be negative or missing")
    power = np.maximum(num_taken, 1.0) ** ((gamma + 1) / 2)
    return power / power.max()


def weighted_recall(items: np.ndarray, targets: sparse.csr_matrix, weights: np.ndarray) -> np.ndarray:
    r"""Recall in which each relevant item counts with a weight, $\sum_{hits} w_i / \sum_{targets} w_i$.

    $w_i = n_i^{-\gamma}$ is the popularity-stratified recall of Steck (2011); $w_i = 1 / p_i$ the self-normalised
    inverse-propensity estimate of Yang et al. (2018); $w_i = 1$ the usual one.

    Parameters
    ----------
    items : ndarray of int, [num_users, k]
        -1 where a list ends early.
    targets : csr_matrix, [num_users, num_items]
        Rows in the order of the lists, at least one target each.
    weights : ndarray, [num_items]

    Returns
    -------
    ndarray, [num_users]
    """
    relevant, hits = _relevant_and_hits(items, targets)
    return (hits * weights[np.maximum(items, 0)]).sum(axis=1) / (relevant @ weights)


def weighted_ndcg(items: np.ndarray, targets: sparse.csr_matrix, weights: np.ndarray) -> np.ndarray:
    r"""NDCG in which a relevant item gains its weight, $\sum_{hits} w_i / \log_2(rank + 1)$ over the best possible sum.

    Parameters and result as in `weighted_recall`. The best list has the user's heaviest targets first.
    """
    relevant, hits = _relevant_and_hits(items, targets)
    discount = 1.0 / np.log2(np.arange(items.shape[1]) + 2)
    best = -np.sort(-(relevant * weights), axis=1)[:, : items.shape[1]]
    return (hits * weights[np.maximum(items, 0)]) @ discount / (best @ discount[: best.shape[1]])


def _relevant_and_hits(items: np.ndarray, targets: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    relevant = targets.toarray() > 0
    if without := int((~relevant.any(axis=1)).sum()):
        raise ValueError(f"{without} users have no target: leave them out, as recommendation_lists does")
    return relevant, np.take_along_axis(relevant, np.maximum(items, 0), axis=1) & (items != NOTHING)


def effective_sample_size(weights: np.ndarray) -> float:
    r"""How many equally weighted observations weigh as much: $(\sum w)^2 / \sum w^2$ (Kish 1965)."""
    weights = np.asarray(weights, dtype=np.float64)
    return float(weights.sum() ** 2 / (weights**2).sum())


def weighted_als(
    train: sparse.csr_matrix,
    weights: np.ndarray,
    embedding_dim: int = 32,
    regularization: float = 5.0,
    unobserved: float = 0.1,
    num_iterations: int = 6,
    seed: int = 0,
) -> np.ndarray:
    r"""Matrix factorisation whose positives count with a weight per item; scores of all pairs.

    Alternating least squares (Hu, Koren & Volinsky 2008) on
    $\sum_{(u,i)} c_{ui} (r_{ui} - h_u \cdot h_i)^2 + \lambda (\sum_u |h_u|^2 + \sum_i |h_i|^2)$ with $c_{ui} = w_i$
    where the user took the item and `unobserved` elsewhere. Weights of $1 / p_i$ make it propensity-weighted training
    (Schnabel et al. 2016; Saito et al. 2020 for implicit data).

    Parameters
    ----------
    train : csr_matrix, [num_users, num_items]
    weights : ndarray, [num_items]
        Scaled here so that their mean over the interactions is 1.

    Returns
    -------
    ndarray of float32, [num_users, num_items]
    """
    weights = weights / weights[train.indices].mean()
    rng = np.random.default_rng(seed)
    by_user = sparse.csr_matrix((weights[train.indices], train.indices, train.indptr), shape=train.shape)
    by_item = by_user.T.tocsr()
    h_i = rng.normal(0, 0.1, size=(train.shape[1], embedding_dim))
    for _ in range(num_iterations):
        h_u = _solve(by_user, h_i, regularization, unobserved)
        h_i = _solve(by_item, h_u, regularization, unobserved)
    return (h_u @ h_i.T).astype(np.float32)


def _solve(confidence: sparse.csr_matrix, other: np.ndarray, regularization: float, unobserved: float) -> np.ndarray:
    """The best vectors of one side, the other side's held fixed."""
    dim = other.shape[1]
    everywhere = unobserved * (other.T @ other) + regularization * np.eye(dim)
    gram = np.empty((confidence.shape[0], dim, dim))
    right = confidence @ other
    for row in range(confidence.shape[0]):
        inside = slice(confidence.indptr[row], confidence.indptr[row + 1])
        taken = other[confidence.indices[inside]]
        gram[row] = everywhere + taken.T @ ((confidence.data[inside] - unobserved)[:, None] * taken)
    return np.linalg.solve(gram, right[:, :, None])[:, :, 0]
