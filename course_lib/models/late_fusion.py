"""Late fusion: two finished models, one sum of their scores.

Taught in 05_fusion.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from scipy import sparse, special

from course_lib.evaluation.ranking import evaluate
from course_lib.models.base import INPUT, NotFittedError, Recommender
from course_lib.splits import Split

WEIGHTS = np.round(np.linspace(0, 1, 21), 2)


def _raw(scores: np.ndarray) -> np.ndarray:
    return scores


def _max_norm(scores: np.ndarray) -> np.ndarray:
    return scores / np.maximum(np.abs(scores).max(axis=1, keepdims=True), 1e-12)


def _softmax(scores: np.ndarray) -> np.ndarray:
    return special.softmax(scores, axis=1)


def _z_score(scores: np.ndarray) -> np.ndarray:
    centred = scores - scores.mean(axis=1, keepdims=True)
    return centred / np.maximum(scores.std(axis=1, keepdims=True), 1e-12)


SCALES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "raw": _raw,
    "max-norm": _max_norm,
    "softmax": _softmax,
    "z-score": _z_score,
}


def rescale(scores: np.ndarray, scale: str = "z-score") -> np.ndarray:
    r"""Bring the scores of different models to one scale, user by user.

    Parameters
    ----------
    scores : ndarray, [num_users, num_items]
    scale : {"raw", "max-norm", "softmax", "z-score"}
        As they are; divided by the largest magnitude; $e^{s_i} / \sum_j e^{s_j}$; $(s - \text{mean}) / \text{std}$.

    Returns
    -------
    ndarray, [num_users, num_items]
    """
    if scale not in SCALES:
        raise ValueError(f"scale is {scale!r}; choose one of {', '.join(SCALES)}")
    return SCALES[scale](scores)


@dataclass(kw_only=True)
class LateFusion(Recommender):
    r"""$s_{ui} = (1 - w)\, z(s^{\text{graph}}_{ui}) + w\, z(s^{\text{words}}_{ui})$, with $w$ chosen on validation.

    Attributes
    ----------
    graph, words : Recommender
        Any two models. Fitted here where they are not yet.
    scale : str
        What $z$ does, see `rescale`.
    weight : float or None
        $w$; None lets `fit` choose among 0, 0.05, ..., 1 by NDCG@10 on the validation part.
    """

    learned: ClassVar[tuple[str, ...]] = ("train", "chosen_weight")
    graph: Recommender = field(metadata=INPUT)
    words: Recommender = field(metadata=INPUT)
    scale: str = "z-score"
    weight: float | None = None

    def fit(self, split: Split) -> Self:
        """Fit both models, then choose the weight."""
        rescale(np.zeros((1, 1)), self.scale)  # a wrong name is reported before anything is trained
        for part in (self.graph, self.words):
            if not _is_fitted_on(part, split):
                part.fit(split)
        self.train = split.train.matrix()
        weight = self.choose_weight(split)[0] if self.weight is None else self.weight
        self.chosen_weight = np.array([weight], dtype=np.float32)
        return self

    def choose_weight(self, split: Split) -> tuple[float, dict[float, float]]:
        """The weight that validates best, and NDCG@10 on validation by weight.

        Raises
        ------
        ValueError
            Where the split has no validation part: give `weight` then.
        """
        if not len(split.valid):
            raise ValueError("the split has no validation part to choose the weight on: give LateFusion weight=...")
        task = split.task("valid")
        users = np.arange(split.num_users)
        graph, words = (
            rescale(part.score_histories(task.history) if task.fold_in else part.score(users), self.scale)
            for part in (self.graph, self.words)
        )
        found = {
            float(weight): evaluate((1 - weight) * graph + weight * words, split, k=(10,), part="valid").mean("ndcg@10")
            for weight in WEIGHTS
        }
        return max(found, key=lambda weight: found[weight]), found

    def score(self, users: np.ndarray) -> np.ndarray:
        """The weighted sum for known users, [len(users), num_items]."""
        self.check_fitted()
        return self._join(self.graph.score(users), self.words.score(users))

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """The weighted sum for anyone with a history, [num_rows, num_items]."""
        self.check_fitted()
        return self._join(self.graph.score_histories(histories), self.words.score_histories(histories))

    def _join(self, graph: np.ndarray, words: np.ndarray) -> np.ndarray:
        weight = self.chosen_weight[0]
        return (1 - weight) * rescale(graph, self.scale) + weight * rescale(words, self.scale)

    @property
    def num_parameters(self) -> int:
        """Those of both parts, and the weight."""
        return self.graph.num_parameters + self.words.num_parameters + 1


def _is_fitted_on(part: Recommender, split: Split) -> bool:
    try:
        part.check_fitted()
    except NotFittedError:
        return False
    train = split.train.matrix()
    return part.train.shape == train.shape and (part.train != train).nnz == 0  # type: ignore[attr-defined]
