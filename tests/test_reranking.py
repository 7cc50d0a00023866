"""Re-ranking against cases worked by hand, and what each promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import splits
from course_lib.evaluation import beyond, recommendation_lists, reranking
from course_lib.evaluation.lists import NOTHING
from course_lib.models import EASE

POOL = np.array([[0, 1, 2, 3]])
SCORES = np.array([[1.0, 0.9, 0.6, 0.0]])


@pytest.fixture(scope="module")
def pool(movielens):
    split = splits.make("benchmark", movielens, seed=0)
    return split, *recommendation_lists(EASE().fit(split), split, k=50)


def test_mmr_by_hand():
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    # 0 first; then 1 is worth .5 * .9 - .5 * 1 = -.05, 2 is worth .5 * .6 - 0 = .3, 3 is worth 0
    assert reranking.mmr(POOL, SCORES, vectors, 0.5, k=2).tolist() == [[0, 2]]
    # at .2: 1 is worth .8 * .9 - .2 = .52, 2 is worth .48
    assert reranking.mmr(POOL, SCORES, vectors, 0.2, k=3).tolist() == [[0, 1, 2]]


def test_mmr_rewards_what_points_the_other_way():
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 1.0]])
    # after 0: 1 is worth .5 * .9 - 0 = .45, 2 is worth .5 * .6 + .5 * 1 = .8; then 1: .45 - 0, 3: 0 - 0
    assert reranking.mmr(POOL, SCORES, vectors, 0.5, k=3).tolist() == [[0, 2, 1]]


def test_calibration_by_hand():
    genres = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    half = np.array([[0.5, 0.5]])
    assert reranking.calibrated(POOL, SCORES, half, genres, 0.9, k=2).tolist() == [[0, 2]]
    assert reranking.calibrated(POOL, SCORES, half, genres, 0.0, k=2).tolist() == [[0, 1]]


def test_fair_share_by_hand():
    protected = np.array([False, False, False, True])
    # half of the first two must be protected: floor(.5 * 2) = 1, so rank 2 goes to item 3
    assert reranking.fair_share(POOL, SCORES, protected, 0.5, k=3).tolist() == [[0, 3, 1]]
    assert reranking.fair_share(POOL, SCORES, protected, 0.3, k=3).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("name", ["mmr", "calibrated", "fair_share"])
def test_no_strength_keeps_the_order(pool, movielens, name):
    _, _, items, scores = pool
    rng = np.random.default_rng(0)
    vectors, shares = rng.random((1682, 4)), rng.dirichlet(np.ones(4), size=len(items))
    rerank = {
        "mmr": lambda: reranking.mmr(items, scores, vectors, 0.0),
        "calibrated": lambda: reranking.calibrated(items, scores, shares, np.eye(4)[rng.integers(0, 4, 1682)], 0.0),
        "fair_share": lambda: reranking.fair_share(items, scores, rng.random(1682) < 0.3, 0.0),
    }
    np.testing.assert_array_equal(rerank[name](), items[:, :10])


@given(st.integers(0, 1000), st.floats(0.05, 1.0))
def test_every_prefix_holds_its_share_where_the_pool_can(seed, share):
    rng = np.random.default_rng(seed)
    protected = rng.random(30) < 0.4
    items = np.array([rng.permutation(30)[:20] for _ in range(5)])
    scores = -np.sort(-rng.random((5, 20)), axis=1)
    lists = reranking.fair_share(items, scores, protected, share, k=10)
    for row, offered in zip(lists, items, strict=True):
        assert len(set(row)) == 10 and set(row) <= set(offered)
        for length in range(1, 11):
            assert protected[row[:length]].sum() >= min(int(share * length + 1e-9), protected[offered].sum())


def test_more_strength_buys_more_of_what_it_is_for(pool, movielens):
    split, users, items, scores = pool
    genres = np.array(
        [[genre in row for genre in ("Drama", "Comedy", "Action", "Thriller")] for row in movielens.items["genres"]],
        float,
    )
    shares = beyond.genre_shares(split.task("test").history[users], genres)
    found = reranking.frontier(
        lambda strength: reranking.calibrated(items, scores, shares, genres, strength),
        lambda lists: float(beyond.miscalibration(lists, shares, genres).mean()),
        users,
        split,
        (0.0, 0.3, 0.9),
    )
    assert found["measure"].is_monotonic_decreasing and found["ndcg"].iloc[-1] < found["ndcg"].iloc[0]
    strongest = reranking.calibrated(items, scores, shares, genres, 1.0)
    before, after = (beyond.miscalibration(lists, shares, genres) for lists in (items[:, :10], strongest))
    # greedy promises no optimum: a handful of lists that were nearly perfect by luck get a little worse
    assert after.mean() < 0.1 * before.mean() and (after > before + 1e-12).mean() < 0.05


def test_a_short_pool_gives_a_short_list():
    items, scores = np.array([[5, NOTHING, NOTHING]]), np.array([[0.3, -np.inf, -np.inf]])
    assert reranking.mmr(items, scores, np.eye(6), 0.5, k=2).tolist() == [[5, NOTHING]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(bad):
    scores = SCORES.copy()
    scores[0, 1] = bad
    with pytest.raises(ValueError, match=rf"in row 0 of the pool item 1 has the score {bad}"):
        reranking.mmr(POOL, scores, np.eye(4), 0.5, k=2)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        reranking.mmr(POOL, SCORES, np.eye(4), 1.5)
    with pytest.raises(ValueError, match="5 columns or more"):
        reranking.mmr(POOL, SCORES, np.eye(4), 0.5, k=5)
