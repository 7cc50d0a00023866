"""EASE: a linear item-to-item model with a closed solution, and the baseline to beat.

Taught in 02_collaborative_filtering.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from course_lib.models.base import Recommender
from course_lib.splits import Split


@dataclass(kw_only=True)
class EASE(Recommender):
    r"""Embarrassingly shallow autoencoder (Steck 2019, equations 4-8).

    Find item weights $B$ that rebuild the matrix from itself, $R \approx R B$, with nothing on the diagonal so that
    no item explains itself:

    $$ \min_B \|R - R B\|_F^2 + \lambda \|B\|_F^2 \quad \text{s.t. } B_{jj} = 0 $$

    The solution needs one inverse, $P = (R^\top R + \lambda I)^{-1}$: $B_{ij} = -P_{ij} / P_{jj}$ off the diagonal.

    Attributes
    ----------
    regularization : float
        $\lambda$. Larger trusts the data less; sensible values grow with the number of users.

    Notes
    -----
    Memory grows with the square of the number of items, time with its cube.
    """

    learned: ClassVar[tuple[str, ...]] = ("train", "weights")
    regularization: float = 400.0

    def fit(self, split: Split) -> Self:
        """Solve."""
        self.train = split.train.matrix()
        gram = (self.train.T @ self.train).toarray()  # [num_items, num_items]
        gram[np.diag_indices_from(gram)] += self.regularization
        P = np.linalg.inv(gram)
        B = P / -np.diag(P)  # column j divided by -P_jj
        np.fill_diagonal(B, 0.0)
        self.weights = B.astype(np.float32)
        return self

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Histories times weights, [num_rows, num_items]."""
        self.check_fitted()
        return histories @ self.weights
