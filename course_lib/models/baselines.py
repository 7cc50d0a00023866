"""The floor of every table: chance and popularity.

Taught in 02_collaborative_filtering.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from course_lib.models.base import Recommender
from course_lib.splits import Split


@dataclass(kw_only=True)
class Random(Recommender):
    """Scores drawn from a uniform distribution: what no model may fall below.

    Attributes
    ----------
    seed : int
        Together with a user's history it fixes that user's scores.
    """

    learned: ClassVar[tuple[str, ...]] = ("train",)
    seed: int = 0

    def fit(self, split: Split) -> Self:
        """Remember who took what, nothing more."""
        self.train = split.train.matrix()
        return self

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """One draw per user and item, [num_rows, num_items]."""
        self.check_fitted()
        rows = [np.random.default_rng([self.seed, *row.indices]).random(self.num_items) for row in histories]
        return np.array(rows, dtype=np.float32).reshape(-1, self.num_items)


@dataclass(kw_only=True)
class Popularity(Recommender):
    """The same list for everybody: items by their number of interactions in training."""

    learned: ClassVar[tuple[str, ...]] = ("train", "count")

    def fit(self, split: Split) -> Self:
        """Count."""
        self.train = split.train.matrix()
        self.count = np.asarray(self.train.sum(axis=0), dtype=np.float32).ravel()  # [num_items]
        return self

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """The counts, once per user, [num_rows, num_items]."""
        self.check_fitted()
        return np.tile(self.count, (histories.shape[0], 1))
