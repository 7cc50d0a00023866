"""Full ranking in batches: every user, every candidate item, no sampling.

Taught in 02_collaborative_filtering.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.metrics import user_metrics
from course_lib.splits import Split, Task

SCORES_AT_ONCE = 8_000_000  # scores held in memory at a time: 32 MB as float32
TIE_SEED = 20_240_229


class Scorer(Protocol):
    """What the evaluator needs of a model."""

    name: str

    def score(self, users: np.ndarray) -> np.ndarray: ...

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray: ...


Model = Scorer | np.ndarray | Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics of one model on one part of one split, user by user.

    Attributes
    ----------
    users : ndarray of int, [num_evaluated]
        Users with at least one target; the others cannot be judged and are left out.
    values : dict of str to ndarray, [num_evaluated]
        `"ndcg@10"` and so on, in the order of `users`.
    """

    model: str
    protocol: str
    dataset: str
    part: str
    users: np.ndarray
    values: dict[str, np.ndarray] = field(repr=False)

    def mean(self, metric: str = "ndcg@10") -> float:
        """Mean over users."""
        return float(self.values[metric].mean())

    def interval(self, metric: str = "ndcg@10") -> tuple[float, float]:
        """95 % bootstrap interval of the mean over users."""
        return bootstrap_interval(self.values[metric])

    def table(self) -> pd.DataFrame:
        """One row a metric: mean and 95 % interval."""
        rows = {metric: (self.mean(metric), *self.interval(metric)) for metric in self.values}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "low", "high"])


def evaluate(
    model: Model,
    split: Split,
    k: tuple[int, ...] = (10, 20),
    part: str = "test",
) -> Evaluation:
    """Rank all candidates for every user with a target, and measure.

    Parameters
    ----------
    model : Recommender, ndarray or callable
        A fitted model; or scores, [num_users, num_items]; or a function from users, [n], to scores,
        [n, num_items].
    split : Split
        Where the targets, histories and candidates come from.
    k : tuple of int
        Cut-offs of the metrics.
    part : {"test", "valid"}
        Which exam.

    Returns
    -------
    Evaluation
        Per-user values of recall, ndcg, mrr, hit, precision and map (see `user_metrics`).

    Raises
    ------
    ValueError
        Where scores have the wrong shape or are not finite, where k exceeds the number of candidates, or
        where targets overlap with what is already seen.

    Notes
    -----
    Items with equal scores are ordered by a fixed random permutation of the items: the order of ids must
    not decide, since ids often follow popularity.
    """
    task = split.task(part)
    _check_task(task, k, part)
    users = np.flatnonzero(np.diff(task.targets.indptr))
    tie_order = np.random.default_rng(TIE_SEED).permutation(split.num_items)
    batch_size = max(1, SCORES_AT_ONCE // split.num_items)
    batches = []
    for start in range(0, len(users), batch_size):
        batch = users[start : start + batch_size]
        scores = _scores(model, batch, task, split.num_items)
        scores[:, ~task.candidates] = -np.inf
        scores[_nonzero_cells(task.seen[batch])] = -np.inf
        ranked = top_k(scores, max(k), tie_order)  # [batch, max_k]
        relevant = task.targets[batch].toarray() > 0
        hits = np.take_along_axis(relevant, ranked, axis=1)
        batches.append(user_metrics(hits, relevant.sum(axis=1), k))
    values = {metric: np.concatenate([batch[metric] for batch in batches]) for metric in batches[0]}
    name = getattr(model, "name", getattr(model, "__name__", "scores"))
    return Evaluation(name, split.protocol, split.dataset, part, users, values)


def top_k(scores: np.ndarray, k: int, tie_order: np.ndarray | None = None) -> np.ndarray:
    """Positions of the k highest scores of each row, best first, ties by `tie_order`.

    Parameters
    ----------
    scores : ndarray, [num_rows, num_items]
    k : int
        At most num_items.
    tie_order : ndarray of int, [num_items], optional
        Among equal scores the item that stands earlier in this permutation wins; item order without it.

    Returns
    -------
    ndarray of int, [num_rows, k]
    """
    num_items = scores.shape[1]
    if not 1 <= k <= num_items:
        raise ValueError(f"k is {k}, but there are {num_items} items to rank")
    place = np.arange(num_items) if tie_order is None else np.argsort(tie_order)  # of each item among equals
    best = torch.topk(torch.from_numpy(np.ascontiguousarray(scores)), k).values.numpy()
    threshold = best[:, [-1]]  # k-th highest score
    chosen = scores >= threshold
    for row in np.flatnonzero(np.count_nonzero(chosen, axis=1) > k):  # more equal scores at the threshold than places
        tied = np.flatnonzero(scores[row] == threshold[row])
        surplus = np.count_nonzero(chosen[row]) - k
        chosen[row, tied[np.argsort(place[tied])[len(tied) - surplus :]]] = False
    columns = np.flatnonzero(chosen).reshape(len(scores), k) % num_items
    columns = np.take_along_axis(columns, np.argsort(place[columns], axis=1), axis=1)
    values = np.take_along_axis(scores, columns, axis=1)
    return np.take_along_axis(columns, np.argsort(-values, axis=1, kind="stable"), axis=1)


def _check_task(task: Task, k: tuple[int, ...], part: str) -> None:
    num_candidates = int(task.candidates.sum())
    if min(k) < 1 or max(k) > num_candidates:
        raise ValueError(f"k is {k}, but cut-offs must lie between 1 and the {num_candidates} candidate items")
    if task.targets.nnz == 0:
        raise ValueError(f"the {part} part of this split has no interactions: there is nothing to evaluate")
    overlap = task.targets.multiply(task.seen)
    if overlap.nnz:
        user, item = (int(index[0]) for index in overlap.nonzero())
        raise ValueError(
            f"{overlap.nnz} targets of the {part} part are also known beforehand (first: user {user}, item {item}): "
            "the split leaks; make its parts disjoint"
        )


def _scores(model: Model, users: np.ndarray, task: Task, num_items: int) -> np.ndarray:
    """Scores of a batch of users as a fresh float32 array, [len(users), num_items]."""
    if isinstance(model, np.ndarray):
        scores = model[users]
    elif callable(model):
        scores = model(users)
    elif task.fold_in:
        scores = model.score_histories(task.history[users])
    else:
        scores = model.score(users)
    scores = np.array(scores, dtype=np.float32)
    if scores.shape != (len(users), num_items):
        raise ValueError(
            f"scores have shape {scores.shape}, expected ({len(users)}, {num_items}): one per user and item"
        )
    if not np.isfinite(scores).all():
        row, item = (int(index[0]) for index in np.nonzero(~np.isfinite(scores)))
        raise ValueError(
            f"the score of user {int(users[row])} for item {item} is {scores[row, item]}: scores must be finite"
        )
    return scores


def _nonzero_cells(matrix: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return rows, matrix.indices
