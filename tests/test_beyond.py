"""Lists and what lies beyond accuracy, against cases worked by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from course_lib import splits
from course_lib.data import Interactions
from course_lib.evaluation import beyond, evaluate, evaluate_lists, exam_gap, recommendation_lists
from course_lib.evaluation.lists import NOTHING
from course_lib.models import EASE, Popularity, Random


@pytest.fixture(scope="module")
def split(movielens):
    return splits.make("benchmark", movielens, seed=0)


@pytest.fixture(scope="module")
def ease(split):
    return EASE().fit(split)


@pytest.fixture(scope="module")
def genres(movielens):
    return np.array(
        [[genre in row for genre in ("Drama", "Comedy", "Action")] for row in movielens.items["genres"]], float
    )


def test_lists_have_the_metrics_of_the_scores(ease, split):
    users, items, scores = recommendation_lists(ease, split, k=20)
    from_scores, from_lists = evaluate(ease, split), evaluate_lists(items, users, split, (10, 20))
    for metric, values in from_scores.values.items():
        np.testing.assert_allclose(from_lists.values[metric], values)
    assert (np.diff(scores, axis=1) <= 0).all()


@given(seed=st.integers(0, 10_000), levels=st.integers(1, 5), k=st.integers(1, 12))
def test_lists_equal_the_scores_with_ties_and_short_lists(seed, levels, k):
    rng = np.random.default_rng(seed)
    taken = rng.random((6, 12)) < rng.random((6, 1))
    taken[0] = True  # one user has taken everything: a single unseen item is left, the target
    split = splits.benchmark(Interactions.from_frame(pd.DataFrame(np.argwhere(taken), columns=["user_id", "item_id"])))
    scores = rng.integers(0, levels, size=(split.num_users, split.num_items)).astype(np.float32)
    users, items, _ = recommendation_lists(scores, split, k)
    from_scores, from_lists = evaluate(scores, split, (k,)), evaluate_lists(items, users, split, (k,))
    for metric, values in from_scores.values.items():
        np.testing.assert_allclose(from_lists.values[metric], values)


def test_a_list_that_ends_early_pays_for_what_is_missing(ease, split):
    users, items, _ = recommendation_lists(ease, split, k=10)
    short = items.copy()
    short[:, 5:] = NOTHING
    full, cut = (evaluate_lists(one, users, split, (5, 10)) for one in (items, short))
    np.testing.assert_allclose(cut.values["recall@5"], full.values["recall@5"])
    np.testing.assert_allclose(cut.values["recall@10"], full.values["recall@5"])
    assert cut.mean("ndcg@10") < full.mean("ndcg@10")


def test_a_user_with_few_unseen_items_gets_a_short_list(split, ease):
    candidates = np.zeros(split.num_items, dtype=bool)
    candidates[split.test.item[:12]] = True
    few = replace(split, candidates_test=candidates)
    users, items, scores = recommendation_lists(ease, few, k=10)
    seen = few.task("test").seen
    free = np.array([candidates.sum() - candidates[seen[user].indices].sum() for user in users])
    assert ((items != NOTHING).sum(axis=1) == np.minimum(free, 10)).all()
    assert (free < 10).any() and np.isneginf(scores[items == NOTHING]).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda items, split: items.__setitem__((0, 1), items[0, 0]), "holds an item twice"),
        (lambda items, split: items.__setitem__((0, 0), split.train.item[split.train.user == 0][0]), "already seen"),
        (lambda items, split: items.__setitem__((0, 0), split.num_items), "whole numbers from 0 to"),
        (lambda items, split: items.__setitem__((0, 0), -2), "or -1 for no item"),
    ],
)
def test_impossible_lists_are_refused(ease, split, spoil, message):
    users, items, _ = recommendation_lists(ease, split, k=10)
    spoil(items, split)
    with pytest.raises(ValueError, match=message):
        evaluate_lists(items, users, split)


def test_a_warm_item_in_a_cold_list_is_refused_by_name(movielens):
    cold = splits.make("cold-item", movielens, seed=0)
    users, items, _ = recommendation_lists(Random().fit(cold), cold, k=10)
    fresh = ~cold.candidates_test & ~(cold.task("test").seen[users[3]].toarray()[0] > 0)
    items[3, 2] = warm = np.flatnonzero(fresh)[0]
    with pytest.raises(ValueError, match=rf"user {users[3]} holds an item that is no candidate \(item {warm}; 1 such"):
        evaluate_lists(items, users, cold)


def test_lists_for_the_wrong_people_or_too_short_are_refused(ease, split):
    users, items, _ = recommendation_lists(ease, split, k=10)
    with pytest.raises(ValueError, match="one list to each of them"):
        evaluate_lists(items[1:], users[1:], split)
    with pytest.raises(ValueError, match="fill short lists up with -1"):
        evaluate_lists(items[:, :5], users, split)


def test_bad_scores_and_splits_are_refused(split):
    scores = np.zeros((split.num_users, split.num_items), dtype=np.float32)
    for bad in (np.nan, np.inf):
        broken = scores.copy()
        broken[3, 7] = bad
        with pytest.raises(ValueError, match="user 3 for item 7"):
            recommendation_lists(broken, split)
    with pytest.raises(ValueError, match="candidate items"):
        recommendation_lists(scores, split, k=split.num_items + 1)
    with pytest.raises(ValueError, match="the split leaks"):
        recommendation_lists(scores, replace(split, test=split.train))
    with pytest.raises(ValueError, match="nothing to evaluate"):
        recommendation_lists(scores, replace(split, test=split.test.select(np.zeros(len(split.test), dtype=bool))))


def test_a_leaking_model_is_caught_and_honest_ones_are_not(ease, split, movielens):
    task = split.task("test")
    leaking = ease.score(np.arange(split.num_users)) + 0.05 * task.targets.toarray()
    for scores in (ease, Popularity().fit(split), Random().fit(split)):
        assert exam_gap(scores, split).low < 0.01
    found = exam_gap(leaking, split)
    assert found.low > 0.02 and found.num_users == 943
    for protocol in ("temporal", "cold-item"):
        with pytest.raises(ValueError, match=f"{protocol} split differ by design"):
            exam_gap(ease, splits.make(protocol, movielens))


def test_coverage_and_gini_by_hand():
    items = np.array([[0, 1], [0, NOTHING], [0, 2]])  # item 0 three times, 1 and 2 once, 3 never
    assert beyond.exposures(items, 4).tolist() == [3, 1, 1, 0]
    assert beyond.coverage(items, np.ones(4, dtype=bool)) == 3 / 4
    # sorted 0 1 1 3: (2*1-5)*0 + (2*2-5)*1 + (2*3-5)*1 + (2*4-5)*3 = 9; 9 / (4 * 5)
    assert beyond.gini(np.array([3, 1, 1, 0])) == pytest.approx(9 / 20)
    with pytest.raises(ValueError, match="not all zero"):
        beyond.gini(np.zeros(3))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any))
def test_gini_is_bounded_and_blind_to_scale(counts):
    found = beyond.gini(np.array(counts))
    assert -1e-12 <= found <= (len(counts) - 1) / len(counts) + 1e-12
    assert beyond.gini(7 * np.array(counts)) == pytest.approx(found)


@given(seed=st.integers(0, 1000))
def test_longer_lists_cover_no_less(seed):
    rng = np.random.default_rng(seed)
    items = np.array([rng.permutation(40)[:12] for _ in range(4)])
    covered = [beyond.coverage(items[:, :k], np.ones(40, dtype=bool)) for k in range(1, 13)]
    assert covered == sorted(covered) and covered[0] >= 1 / 40


def test_novelty_by_hand():
    # taken by 3 and 0 of 3 users: -log2(4/4) = 0 and -log2(1/4) = 2, mean 1; alone 2; an empty list has none
    items = np.array([[0, 1], [1, NOTHING], [NOTHING, NOTHING]])
    np.testing.assert_allclose(beyond.novelty(items, np.array([3, 0]), 3), [1.0, 2.0, np.nan])


def test_diversity_by_hand():
    vectors = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0], [0.0, 0.0]])
    items = np.array([[0, 1, 2], [0, 2, NOTHING], [1, NOTHING, NOTHING], [0, 3, NOTHING]])
    # first: cosines 0, 1, 0, mean of 1 - cosine 2/3; second: 0; one item: none; a zero vector is like nothing
    np.testing.assert_allclose(beyond.intra_list_diversity(items, vectors), [2 / 3, 0.0, np.nan, 1.0])


def test_serendipity_by_hand():
    targets = sparse.csr_matrix(np.array([[1, 1, 0, 1], [0, 0, 0, 1]]))
    items, expected = np.array([[0, 1], [2, 3]]), np.array([[0, 2], [3, 2]])
    # first user: 0 is relevant but expected, 1 is both relevant and new: 1 of 2; second: 3 was expected
    np.testing.assert_allclose(beyond.serendipity(items, expected, targets), [0.5, 0.0])


def test_calibration_by_hand():
    genres = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    history = sparse.csr_matrix(np.array([[1, 1, 0], [0, 0, 1]]))
    shares = beyond.genre_shares(history, genres)
    np.testing.assert_allclose(shares, [[0.5, 0.5], [0.5, 0.5]])
    items = np.array([[0, 1], [0, NOTHING]])
    # second list: q = (1, 0), mixed (.995, .005): .5 ln(.5/.995) + .5 ln(.5/.005)
    expected = [0.0, 0.5 * np.log(0.5 / 0.995) + 0.5 * np.log(0.5 / 0.005)]
    np.testing.assert_allclose(beyond.miscalibration(items, shares, genres), expected, atol=1e-12)


def test_a_random_model_shows_what_it_is(split, ease, genres):
    popular = Popularity().fit(split)
    table = {
        model.name: beyond.beyond_accuracy(model, popular, split, genres)
        for model in (Random().fit(split), ease, popular)
    }
    assert table["Random"]["coverage"] > 0.95 > table["EASE"]["coverage"] > table["Popularity"]["coverage"]
    assert table["Random"]["gini"] < 0.4 < 0.8 < table["EASE"]["gini"] < table["Popularity"]["gini"]
    assert table["Random"]["serendipity"] < 0.02 < 0.1 < table["EASE"]["serendipity"]
    assert table["EASE"]["miscalibration"] < table["Random"]["miscalibration"]
    assert table["Popularity"]["serendipity"] == 0
