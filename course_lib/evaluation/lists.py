"""The lists that people would see, and metrics of lists made elsewhere, for example re-ranked ones.

Taught in 06_evaluation.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse

from course_lib.evaluation.intervals import Comparison, compare
from course_lib.evaluation.metrics import user_metrics
from course_lib.evaluation.ranking import (
    SCORES_AT_ONCE,
    TIE_SEED,
    Evaluation,
    Model,
    _check_task,
    _nonzero_cells,
    _scores,
    evaluate,
    top_k,
)
from course_lib.splits import Split

NOTHING = -1


def recommendation_lists(
    model: Model, split: Split, k: int = 10, part: str = "test"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `evaluate` ranks, as lists: same candidates, same order of ties.

    Returns
    -------
    users : ndarray of int, [num_users]
        Users with a target.
    items : ndarray of int, [num_users, k]
        Best first; -1 where a user has fewer than k unseen candidates.
    scores : ndarray of float32, [num_users, k]
        -inf where there is no item.

    Raises
    ------
    ValueError
        As `evaluate` does: scores that are not finite, k beyond the candidates, a split that leaks.
    """
    task = split.task(part)
    _check_task(task, (k,), part)
    users = np.flatnonzero(np.diff(task.targets.indptr))
    tie_order = np.random.default_rng(TIE_SEED).permutation(split.num_items)
    batch_size = max(1, SCORES_AT_ONCE // split.num_items)
    items, best = [], []
    for start in range(0, len(users), batch_size):
        batch = users[start : start + batch_size]
        scores = _scores(model, batch, task, split.num_items)
        scores[:, ~task.candidates] = -np.inf
        scores[_nonzero_cells(task.seen[batch])] = -np.inf
        ranked = top_k(scores, k, tie_order)
        kept = np.take_along_axis(scores, ranked, axis=1)
        items.append(np.where(np.isfinite(kept), ranked, NOTHING))
        best.append(kept)
    return users, np.concatenate(items), np.concatenate(best)


def evaluate_lists(
    items: np.ndarray,
    users: np.ndarray,
    split: Split,
    k: tuple[int, ...] = (10,),
    part: str = "test",
    name: str = "lists",
) -> Evaluation:
    """The course's metrics for lists instead of scores.

    A list may be shorter than k: fill it up with -1. What is not there is no hit, so a model that returns fewer than
    k items pays for it.

    Parameters
    ----------
    items : ndarray of int, [num_users, at least max(k)]
        Best first.
    users : ndarray of int, [num_users]
        Whose lists they are: all users with a target, in ascending order, as `recommendation_lists` returns them.

    Raises
    ------
    ValueError
        Naming the first user and item where a list holds an item twice, one already seen, or one that is no candidate.
    """
    task = split.task(part)
    _check_task(task, k, part)
    users = np.asarray(users)
    expected = np.flatnonzero(np.diff(task.targets.indptr))
    if not np.array_equal(users, expected):
        raise ValueError(
            f"lists of {len(users)} users, but {len(expected)} users have a target in the {part} part: give one list "
            "to each of them, in ascending order"
        )
    items = np.asarray(items)
    if items.ndim != 2 or len(items) != len(users) or items.shape[1] < max(k):
        raise ValueError(
            f"lists have shape {items.shape}, expected ({len(users)}, {max(k)}) or wider; fill short lists up with -1"
        )
    _check_lists(items, users, task.seen, task.candidates)
    relevant = task.targets[users].toarray() > 0
    hits = np.take_along_axis(relevant, np.maximum(items, 0), axis=1) & (items != NOTHING)
    values = user_metrics(hits[:, : max(k)], relevant.sum(axis=1), k)
    return Evaluation(name, split.protocol, split.dataset, part, users, values)


def exam_gap(model: Model, split: Split, metric: str = "ndcg@10") -> Comparison:
    """How much better a model does in the exam than on the validation part, under the same conditions.

    Both parts are asked as validation is: only training items are masked. They come from the same people by chance,
    so an honest model does as well on one as on the other; a clear gain in the exam means that the model has met it.
    Look for test pairs in the training data, in the graph, in the text, or in the choice of the epoch. What it cannot
    see is a leak that helps on both parts.

    Returns
    -------
    Comparison
        Exam less validation, over the users who have targets in both.

    Raises
    ------
    ValueError
        Where the parts differ by design: other items, or other histories as in time.
    """
    if split.folds_in or not np.array_equal(split.candidates_valid, split.candidates_test):
        raise ValueError(f"the parts of a {split.protocol} split differ by design: there is nothing to compare")
    swapped = replace(split, valid=split.test, test=split.valid)
    parts = [evaluate(model, one, part="valid") for one in (swapped, split)]
    both = np.intersect1d(parts[0].users, parts[1].users)
    exam, valid = (
        replace(one, model=name, users=both, values={metric: one.values[metric][np.isin(one.users, both)]})
        for name, one in zip(("exam", "validation"), parts, strict=True)
    )
    return compare(exam, valid, metric)


def _check_lists(items: np.ndarray, users: np.ndarray, seen: sparse.csr_matrix, candidates: np.ndarray) -> None:
    if not np.issubdtype(items.dtype, np.integer) or items.min() < NOTHING or items.max() >= len(candidates):
        raise ValueError(f"items must be whole numbers from 0 to {len(candidates) - 1}, or -1 for no item")
    ordered = np.sort(items, axis=1)
    there = items != NOTHING
    doubled = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != NOTHING)
    known = np.take_along_axis(seen[users].toarray() > 0, np.maximum(items, 0), axis=1) & there
    foreign = ~candidates[np.maximum(items, 0)] & there
    reasons = (
        ("holds an item twice", "keep its best place", ordered[:, 1:], doubled),
        ("holds an item that the user has already seen", "leave out the history", items, known),
        ("holds an item that is no candidate", "rank only the candidates of the split", items, foreign),
    )
    for what, remedy, where, wrong in reasons:
        if wrong.any():
            row, place = (int(index[0]) for index in np.nonzero(wrong))
            count = int(wrong.any(axis=1).sum())
            raise ValueError(
                f"the list of user {users[row]} {what} (item {where[row, place]}; {count} such lists): {remedy}"
            )
