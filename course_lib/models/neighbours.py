"""Item neighbours: people who took this also took that.

Taught in 02_collaborative_filtering.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from course_lib.evaluation.ranking import top_k
from course_lib.models.base import Recommender
from course_lib.splits import Split


@dataclass(kw_only=True)
class ItemKNN(Recommender):
    r"""Cosine similarity between items, shrunk where few users took both (Sarwar et al. 2001; Bell & Koren 2007).

    $$ s_{ij} = \frac{|U_i \cap U_j|}{\sqrt{|U_i|\,|U_j|} + \lambda}, \qquad
       \hat r_{uj} = \sum_{i \in I_u,\; i \in N(j)} s_{ij} $$

    where $N(j)$ holds the `num_neighbours` items most similar to $j$.

    Attributes
    ----------
    num_neighbours : int
        Neighbours kept for each item.
    shrinkage : float
        $\lambda$: users by which a similarity is held back. Larger distrusts rare pairs more.
    """

    learned: ClassVar[tuple[str, ...]] = ("train", "similarity")
    num_neighbours: int = 200
    shrinkage: float = 0.0

    def fit(self, split: Split) -> Self:
        """Count co-occurrences, normalise, keep the nearest."""
        self.train = split.train.matrix()
        common = (self.train.T @ self.train).tocsr()  # [num_items, num_items] users who took both
        num_users = common.diagonal()  # |U_i|
        rows = np.repeat(np.arange(self.num_items), np.diff(common.indptr))
        cosine = common.data / (np.sqrt(num_users[rows] * num_users[common.indices]) + self.shrinkage)
        cosine[rows == common.indices] = 0.0  # an item is not its own neighbour
        similarity = sparse.csr_matrix((cosine, common.indices, common.indptr), shape=common.shape)
        self.similarity = _keep_largest(similarity, self.num_neighbours).T.tocsr()  # column j holds N(j)
        return self

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Sum of the similarities to what the user took, [num_rows, num_items]."""
        self.check_fitted()
        return (histories @ self.similarity).toarray().astype(np.float32)


def _keep_largest(similarity: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """Only the k largest entries of each row, taken a thousand rows at a time."""
    num_items = similarity.shape[1]
    kept = []
    for start in range(0, similarity.shape[0], 1000):
        dense = similarity[start : start + 1000].toarray()
        nearest = top_k(dense, min(k, num_items))
        rows = np.repeat(np.arange(len(dense)), nearest.shape[1])
        values = np.take_along_axis(dense, nearest, axis=1).ravel()
        block = sparse.csr_matrix((values, (rows, nearest.ravel())), shape=dense.shape)
        block.eliminate_zeros()
        kept.append(block)
    return sparse.vstack(kept, format="csr").astype(np.float32)
