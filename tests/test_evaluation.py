"""The evaluator against hand-worked numbers, against `trec_eval`, and against scorers that try to cheat."""

import tracemalloc

import ir_measures
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG
from scipy import sparse

from course_lib import splits
from course_lib.data import Interactions
from course_lib.evaluation import METRICS, bootstrap_interval, compare, evaluate, top_k, user_metrics
from course_lib.models import EASE, Popularity, Random


def test_metrics_equal_the_table_worked_by_hand():
    hits = np.array([[1, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
    values = user_metrics(hits, np.array([2, 8, 1]), (5,))
    log2 = np.log2
    ideal = [1 + 1 / log2(3), 1 + 1 / log2(3) + 1 / 2 + 1 / log2(5) + 1 / log2(6), 1]
    expected = {
        "recall@5": [2 / 2, 1 / 8, 0],
        "precision@5": [2 / 5, 1 / 5, 0],
        "hit@5": [1, 1, 0],
        "mrr@5": [1, 1 / 4, 0],
        "ndcg@5": [(1 + 1 / 2) / ideal[0], (1 / log2(5)) / ideal[1], 0],
        "map@5": [(1 + 2 / 3) / 2, (1 / 4) / 5, 0],
    }
    assert set(values) == set(expected)
    for metric, numbers in expected.items():
        np.testing.assert_allclose(values[metric], numbers, rtol=1e-12, err_msg=metric)


def test_a_perfect_list_scores_one_even_with_more_relevant_items_than_places():
    values = user_metrics(np.ones((1, 3), dtype=bool), np.array([7]), (3,))
    assert values["ndcg@3"] == values["map@3"] == values["precision@3"] == 1
    assert values["recall@3"] == 3 / 7


@given(seed=st.integers(0, 10_000), k=st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_metrics_equal_trec_eval(seed, k):
    rng = np.random.default_rng(seed)
    num_users, num_items = 6, 15
    scores = rng.permuted(np.tile(np.arange(num_items), (num_users, 1)), axis=1).astype(float)
    relevant = rng.random((num_users, num_items)) < 0.3
    relevant[:, 0] = True
    ranked = top_k(scores, k)
    values = user_metrics(np.take_along_axis(relevant, ranked, axis=1), relevant.sum(axis=1), (k,))
    qrels = [ir_measures.Qrel(str(u), str(i), 1) for u, i in np.argwhere(relevant)]
    run = [ir_measures.ScoredDoc(str(u), str(i), scores[u, i]) for u in range(num_users) for i in range(num_items)]
    theirs = {"recall": R, "ndcg": nDCG, "mrr": RR, "hit": Success, "precision": P, "map": AP}
    assert set(theirs) == set(METRICS)
    for metric, measure in theirs.items():
        by_user = {found.query_id: found.value for found in ir_measures.iter_calc([measure @ k], qrels, run)}
        expected = np.array([by_user[str(u)] for u in range(num_users)])
        if metric == "map":  # trec_eval divides by all relevant items, we by those that fit into k places
            expected = expected * relevant.sum(axis=1) / np.minimum(k, relevant.sum(axis=1))
        np.testing.assert_allclose(
            values[f"{metric}@{k}"], expected, atol=1e-4 if metric == "mrr" else 1e-9, err_msg=metric
        )


@given(seed=st.integers(0, 10_000), k=st.integers(1, 8), levels=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_top_k_equals_a_full_sort_with_ties(seed, k, levels):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, size=(5, 8)).astype(np.float32)
    tie_order = rng.permutation(8)
    place = np.argsort(tie_order)
    expected = [sorted(range(8), key=lambda item: (-row[item], place[item]))[:k] for row in scores]
    np.testing.assert_array_equal(top_k(scores, k, tie_order), expected)


def test_ties_do_not_follow_the_item_ids(movielens):
    split = splits.make("cold-item", movielens)
    constant = evaluate(np.zeros((943, 1682), dtype=np.float32), split).mean()
    by_id = evaluate(np.tile(-np.arange(1682, dtype=np.float32), (943, 1)), split).mean()
    assert constant < 0.09, "equal scores rank like chance"
    assert by_id > 0.11, "low MovieLens ids are popular films: ordering ties by id would leak popularity"


def test_a_random_and_a_leaking_scorer_are_told_apart(movielens):
    split = splits.make("benchmark", movielens)
    assert evaluate(Random().fit(split), split).mean() < 0.02
    oracle = split.test.matrix().toarray()
    assert evaluate(oracle, split).mean("ndcg@10") == pytest.approx(1)


def test_seen_items_and_items_outside_the_candidates_are_never_ranked(movielens):
    split = splits.make("cold-item", movielens)
    warm = np.where(split.candidates_test, 0.0, 1e6).astype(np.float32)
    scores = np.tile(warm, (943, 1)) + split.test.matrix().toarray()
    assert evaluate(scores, split).mean("ndcg@10") == pytest.approx(1)
    benchmark = splits.make("benchmark", movielens)
    scores = 1e6 * benchmark.train.matrix().toarray() + benchmark.test.matrix().toarray()
    assert evaluate(scores, benchmark).mean("ndcg@10") == pytest.approx(1)


def test_batches_do_not_change_the_result(movielens, monkeypatch):
    split = splits.make("benchmark", movielens)
    model = EASE().fit(split)
    whole = evaluate(model, split)
    monkeypatch.setattr("course_lib.evaluation.ranking.SCORES_AT_ONCE", 20_000)
    for metric, values in evaluate(model, split).values.items():
        np.testing.assert_array_equal(values, whole.values[metric])


def test_memory_does_not_grow_with_users_times_items(monkeypatch):
    num_users, num_items, per_user = 4000, 5000, 5
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.choice(num_items, per_user, replace=False) for _ in range(num_users)])
    items[:num_items] = np.arange(num_items)  # a row of five neighbours each: every item occurs
    frame = pd.DataFrame({"user_id": np.repeat(np.arange(num_users), per_user), "item_id": items})
    split = splits.benchmark(Interactions.from_frame(frame))
    monkeypatch.setattr("course_lib.evaluation.ranking.SCORES_AT_ONCE", 250_000)
    tracemalloc.start()
    evaluate(lambda users: np.tile(np.arange(num_items, dtype=np.float32), (len(users), 1)), split)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < num_users * num_items * 4 / 4, "a quarter of the full score matrix"


def test_wrong_scores_are_refused_with_what_and_where(movielens):
    split = splits.make("benchmark", movielens)
    scores = np.zeros((943, 1682), dtype=np.float32)
    with pytest.raises(ValueError, match=r"shape \(\d+, 1681\), expected \(\d+, 1682\)"):
        evaluate(scores[:, :-1], split)
    scores[7, 11] = np.nan
    with pytest.raises(ValueError, match=r"user 7 for item 11 is nan"):
        evaluate(scores, split)
    scores[7, 11] = np.inf
    with pytest.raises(ValueError, match=r"user 7 for item 11 is inf"):
        evaluate(scores, split)
    scores[7, 11] = 0
    with pytest.raises(ValueError, match=r"k is \(10, 2000\).*1682 candidate"):
        evaluate(scores, split, k=(10, 2000))


def test_a_leaking_split_is_refused(movielens):
    from dataclasses import replace

    split = splits.make("benchmark", movielens)
    leaking = replace(split, train=movielens.interactions)
    with pytest.raises(ValueError, match="the split leaks"):
        evaluate(Popularity().fit(leaking), leaking)


def test_users_without_targets_are_left_out():
    frame = pd.DataFrame({"user_id": ["a", "a", "b", "b", "b", "b"], "item_id": [1, 2, 1, 2, 3, 4]})
    split = splits.benchmark(Interactions.from_frame(frame))
    assert evaluate(Popularity().fit(split), split, k=(2,)).users.tolist() == [1]
    with pytest.raises(ValueError, match="nothing to evaluate"):
        too_small = splits.benchmark(
            Interactions.from_frame(pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 1, 2]}))
        )
        evaluate(Popularity().fit(too_small), too_small, k=(1,))


def test_bootstrap_interval_is_the_normal_one_for_many_users():
    values = np.random.default_rng(1).normal(0.3, 0.2, size=4000)
    low, high = bootstrap_interval(values)
    margin = 1.96 * values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - margin, abs=0.0006)
    assert high == pytest.approx(values.mean() + margin, abs=0.0006)


def test_paired_test_finds_a_difference_and_finds_none(movielens):
    split = splits.make("benchmark", movielens)
    popularity, ease = evaluate(Popularity().fit(split), split), evaluate(EASE().fit(split), split)
    found = compare(ease, popularity)
    assert found.low > 0.15 and found.p_value == pytest.approx(1 / 10_001)
    assert compare(ease, ease).p_value == 1
    noise = np.random.default_rng(0)
    p_values = []
    for _ in range(60):  # two random scorers: p-values are spread over 0-1
        first, second = (evaluate(noise.random((943, 1682), dtype=np.float32), split, k=(10,)) for _ in range(2))
        p_values.append(compare(first, second, num_flips=500).p_value)
    assert 0.3 < np.mean(p_values) < 0.7
    with pytest.raises(ValueError, match="paired test needs the same split"):
        other = splits.make("temporal", movielens)
        compare(ease, evaluate(Popularity().fit(other), other))


def test_fold_in_protocols_use_histories(movielens):
    class Spy:
        name = "spy"

        def score(self, users):
            raise AssertionError("a new user has no stored vector")

        def score_histories(self, histories: sparse.csr_matrix):
            assert (np.diff(histories.indptr) > 0).all()
            return np.zeros(histories.shape, dtype=np.float32)

    for protocol in ("temporal", "new-user"):
        evaluate(Spy(), splits.make(protocol, movielens))
