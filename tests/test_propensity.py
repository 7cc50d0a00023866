"""What is corrected for exposure, and at which price."""

import numpy as np
import pytest
from scipy import sparse

from course_lib import splits
from course_lib.evaluation import evaluate, propensity
from course_lib.evaluation.lists import NOTHING, recommendation_lists
from course_lib.models import EASE, Popularity


def test_propensities_by_hand():
    # gamma 1: proportional to n; gamma 0: to its root; an item without any counts as one with one
    np.testing.assert_allclose(propensity.propensities(np.array([16, 4, 0]), 1.0), [1, 1 / 4, 1 / 16])
    np.testing.assert_allclose(propensity.propensities(np.array([16, 4, 0]), 0.0), [1, 1 / 2, 1 / 4])


def test_weighted_recall_by_hand():
    targets = sparse.csr_matrix(np.array([[1, 1, 0], [0, 1, 1]]))
    items = np.array([[0, 2], [1, NOTHING]])
    # first user: hit 0 with weight 1 of 1 + 3; second: hit 1 with weight 3 of 3 + 4
    np.testing.assert_allclose(propensity.weighted_recall(items, targets, np.array([1.0, 3.0, 4.0])), [1 / 4, 3 / 7])


def test_without_weights_it_is_the_usual_recall(movielens):
    split = splits.make("benchmark", movielens, seed=0)
    ease = EASE().fit(split)
    users, items, _ = recommendation_lists(ease, split)
    found = propensity.weighted_recall(items, split.task("test").targets[users], np.ones(split.num_items))
    np.testing.assert_allclose(found, evaluate(ease, split).values["recall@10"])


def test_effective_sample_size():
    assert propensity.effective_sample_size(np.ones(10)) == pytest.approx(10)
    assert propensity.effective_sample_size(np.array([1.0, 0, 0])) == pytest.approx(1)


def test_als_learns_and_its_weights_do_what_they_say(movielens):
    split = splits.make("benchmark", movielens, seed=0)
    train = split.train.matrix()
    taken = np.maximum(np.bincount(train.indices, minlength=split.num_items), 1.0)
    plain, weighted = (propensity.weighted_als(train, taken**-gamma) for gamma in (0.0, 0.5))
    assert evaluate(plain, split).mean() > 0.28 > 2 * 0.1 > evaluate(Popularity().fit(split), split).mean()
    users, items, _ = recommendation_lists(plain, split)
    _, debiased, _ = recommendation_lists(weighted, split)
    assert np.median(taken[debiased]) < 0.85 * np.median(taken[items])
    targets = split.task("test").targets[users]
    recall = [propensity.weighted_recall(lists, targets, 1 / taken).mean() for lists in (items, debiased)]
    assert recall[1] > recall[0]


def test_als_minimises_its_loss():
    """No small step away from the last solved side lowers the loss written in the docstring."""
    rng = np.random.default_rng(0)
    train = sparse.csr_matrix((rng.random((12, 8)) < 0.4).astype(float))
    weights = rng.uniform(0.5, 2, 8)
    other = rng.normal(size=(8, 3))
    confidence = train.multiply(weights).tocsr()
    solved = propensity._solve(confidence, other, regularization=0.7, unobserved=0.1)

    def loss(h):
        c = np.where(train.toarray() > 0, confidence.toarray(), 0.1)
        return (c * (train.toarray() - h @ other.T) ** 2).sum() + 0.7 * (h**2).sum()

    for _ in range(20):
        assert loss(solved) <= loss(solved + 1e-3 * rng.normal(size=solved.shape))


def test_weighted_ndcg_by_hand():
    # targets 0 (weight 1) and 1 (weight 3); 0 at rank 1, 1 not shown: 1 of the best 3 + 1 / log2(3)
    targets = sparse.csr_matrix(np.array([[1, 1, 0]]))
    found = propensity.weighted_ndcg(np.array([[0, 2]]), targets, np.array([1.0, 3.0, 4.0]))
    np.testing.assert_allclose(found, 1 / (3 + 1 / np.log2(3)))
    np.testing.assert_allclose(propensity.weighted_ndcg(np.array([[1, 0]]), targets, np.array([1.0, 3.0, 4.0])), 1)


def test_random_and_leaking_scores_are_seen_by_weighted_metrics(movielens):
    split = splits.make("benchmark", movielens, seed=0)
    weights = 1 / np.maximum(np.bincount(split.train.item, minlength=split.num_items), 1.0)
    leak = (split.test.matrix().toarray() * weights).astype(np.float32)  # knows the targets, and what each is worth
    chance = np.random.default_rng(0).random(leak.shape, dtype=np.float32)
    for scores, low, high in ((leak, 1 - 1e-9, 1 + 1e-9), (chance, 0.0, 0.02)):
        users, items, _ = recommendation_lists(scores, split)
        targets = split.task("test").targets[users]
        assert low <= propensity.weighted_ndcg(items, targets, weights).mean() <= high
    np.testing.assert_allclose(
        propensity.weighted_ndcg(items, targets, np.ones(split.num_items)), evaluate(chance, split).values["ndcg@10"]
    )


def test_wrong_input_of_weighted_metrics_is_refused():
    with pytest.raises(ValueError, match="1 users have no target"):
        propensity.weighted_recall(np.array([[0], [1]]), sparse.csr_matrix([[1, 0], [0, 0]]), np.ones(2))
    for bad in (np.nan, -1.0):
        with pytest.raises(ValueError, match="negative or missing"):
            propensity.propensities(np.array([1.0, bad]))
