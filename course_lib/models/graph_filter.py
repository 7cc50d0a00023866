"""GF-CF: the graph as a low-pass filter, with nothing to train.

Taught in 03_graph_convolution.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from course_lib.graph import normalize_interactions
from course_lib.models.base import Recommender
from course_lib.splits import Split


@dataclass(kw_only=True)
class GraphFilter(Recommender):
    r"""A linear filter plus an ideal low-pass filter on the item graph (GF-CF, Shen et al. 2021).

    With $\tilde R = D_U^{-1/2} R D_I^{-1/2}$ and the top right singular vectors $V$ of $\tilde R$:

    $$ \hat r_u = r_u \left( \tilde R^\top \tilde R + \alpha\, D_I^{-1/2} V V^\top D_I^{1/2} \right) $$

    Attributes
    ----------
    num_factors : int
        Columns of $V$: how many of the smoothest signals the ideal filter lets through.
    alpha : float
        Weight of the ideal filter.
    seed : int
        Of the randomised singular value decomposition.
    """

    learned: ClassVar[tuple[str, ...]] = ("train", "R_tilde", "V", "item_degree")
    num_factors: int = 64
    alpha: float = 1.0
    seed: int = 0

    def fit(self, split: Split) -> Self:
        """Normalise, and find the smoothest signals by one truncated SVD."""
        self.train = split.train.matrix()
        self.R_tilde = normalize_interactions(self.train)  # [num_users, num_items]
        num_factors = min(self.num_factors, min(self.train.shape) - 1)
        _, _, Vt = randomized_svd(self.R_tilde, num_factors, n_iter=4, random_state=self.seed)
        self.V = np.ascontiguousarray(Vt.T, dtype=np.float32)  # [num_items, num_factors]
        self.item_degree = np.asarray(self.train.sum(axis=0), dtype=np.float32).ravel()
        return self

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Both filters applied to each history, [num_rows, num_items]."""
        self.check_fitted()
        linear = (self.R_tilde.T @ (self.R_tilde @ histories.T)).T  # sparse, [num_rows, num_items]
        root = np.sqrt(self.item_degree)
        inverse_root = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
        ideal = ((histories @ (self.V * inverse_root[:, None])) @ self.V.T) * root
        return (linear.toarray() + self.alpha * ideal).astype(np.float32)
