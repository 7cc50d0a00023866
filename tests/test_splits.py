"""Properties that make a split honest: nothing lost, nothing shared, no future and no cold item in training."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import splits
from course_lib.data import Interactions


@st.composite
def interactions(draw) -> Interactions:
    num_users, num_items = draw(st.integers(4, 20)), draw(st.integers(6, 25))
    seed, density = draw(st.integers(0, 10_000)), draw(st.floats(0.1, 0.9))
    rng = np.random.default_rng(seed)
    filled = rng.random((num_users, num_items)) < density
    filled[:, 0] = filled[0, :] = True
    user, item = np.nonzero(filled)
    frame = pd.DataFrame({"user_id": user, "item_id": item, "rating": 1.0})
    frame["timestamp"] = 880_000_000 + rng.integers(0, 1000, size=len(frame))
    return Interactions.from_frame(frame)


def cut(protocol: str, data: Interactions, seed: int) -> splits.Split:
    if protocol == "cold-item":
        return splits.cold_item(data, np.arange(data.num_items) // 2, seed)
    return getattr(splits, protocol.replace("-", "_"))(data, seed=seed)


def parts(split: splits.Split) -> list[Interactions]:
    return [split.train, split.valid, split.test, split.fold_in_valid, split.fold_in_test]


def pairs(part: Interactions) -> set[tuple[int, int]]:
    return set(zip(part.user.tolist(), part.item.tolist(), strict=True))


@pytest.mark.parametrize("protocol", splits.PROTOCOLS)
@given(data=interactions(), seed=st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_nothing_is_lost_and_nothing_is_shared(protocol, data, seed):
    found = [pairs(part) for part in parts(cut(protocol, data, seed))]
    assert sum(len(part) for part in found) == len(data)
    assert set.union(*found) == pairs(data)


@pytest.mark.parametrize("protocol", splits.PROTOCOLS)
@given(data=interactions(), seed=st.integers(0, 100))
@settings(max_examples=15, deadline=None)
def test_the_seed_decides(protocol, data, seed):
    first, second = cut(protocol, data, seed), cut(protocol, data, seed)
    assert [pairs(part) for part in parts(first)] == [pairs(part) for part in parts(second)]


@pytest.mark.parametrize("protocol", ["benchmark", "cold-item", "new-user"])
def test_another_seed_is_another_split(protocol, movielens):
    make = splits.make
    assert pairs(make(protocol, movielens, 0).test) != pairs(make(protocol, movielens, 1).test)


@pytest.mark.parametrize("protocol", splits.PROTOCOLS)
@pytest.mark.parametrize("part", ["valid", "test"])
def test_targets_are_never_known_beforehand(protocol, part, movielens):
    task = splits.make(protocol, movielens, 0).task(part)
    assert task.targets.nnz > 0
    assert task.targets.multiply(task.seen).nnz == 0
    assert task.targets.multiply(task.history).nnz == 0
    assert task.candidates[task.targets.indices].all()


@given(data=interactions())
@settings(max_examples=25, deadline=None)
def test_temporal_has_no_future_in_train(data):
    split = splits.temporal(data)
    cut_time = split.train.timestamp.max()
    for later in parts(split)[1:]:
        assert (later.timestamp > cut_time).all()
    earlier = [split.train, split.valid, split.fold_in_valid]
    last_window = np.concatenate([split.test.timestamp, split.fold_in_test.timestamp])
    assert last_window.min() > max(part.timestamp.max(initial=0) for part in earlier)


def test_temporal_gives_history_to_new_users_only_and_it_is_older(movielens):
    split = splits.make("temporal", movielens)
    trained_on = set(split.train.user.tolist())
    assert len(split.fold_in_test) > 1000
    assert not trained_on & set(split.fold_in_valid.user.tolist())
    for user in np.unique(split.fold_in_test.user):
        own_history = split.fold_in_test.timestamp[split.fold_in_test.user == user]
        own_targets = split.test.timestamp[split.test.user == user]
        assert len(own_history) - len(own_targets) in (0, 1)
        assert own_history.max() <= own_targets.min(initial=np.iinfo(np.int64).max)
    history = split.task("test").history
    asked = np.unique(split.test.user)
    assert (np.diff(history.indptr)[asked] > 0).all(), "everybody who is asked has a history"


def test_temporal_needs_timestamps():
    frame = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 1, 2]})
    with pytest.raises(ValueError, match="needs timestamps"):
        splits.temporal(Interactions.from_frame(frame))


def test_cold_items_and_their_twins_are_not_in_train(movielens):
    groups = movielens.items["title_group"].to_numpy()
    for seed in range(3):
        split = splits.make("cold-item", movielens, seed)
        trained = set(groups[split.train.item])
        assert not trained & set(groups[split.test.item])
        assert not trained & set(groups[split.valid.item])
        assert not set(groups[split.valid.item]) & set(groups[split.test.item])
        share = len(set(groups[split.candidates_test])) / len(set(groups))
        assert share == pytest.approx(0.2, abs=0.001)


def test_benchmark_gives_a_tenth_of_each_user(movielens):
    split = splits.make("benchmark", movielens)
    count = np.bincount(movielens.interactions.user)
    for part in (split.valid, split.test):
        np.testing.assert_array_equal(np.bincount(part.user, minlength=len(count)), count // 10)


@pytest.mark.parametrize(
    "count, expected", [(1, (1, 0, 0)), (2, (2, 0, 0)), (3, (2, 0, 1)), (4, (2, 1, 1)), (25, (21, 2, 2))]
)
def test_benchmark_keeps_small_users_in_train(count, expected):
    frame = pd.DataFrame({"user_id": ["a"] * count + ["b"] * 30, "item_id": [*range(count), *range(30)]})
    split = splits.benchmark(Interactions.from_frame(frame))
    assert tuple(int((part.user == 0).sum()) for part in (split.train, split.valid, split.test)) == expected


def test_new_users_were_never_trained_on_and_known_by_five_clicks(movielens):
    split = splits.make("new-user", movielens, 2)
    assert not set(split.train.user.tolist()) & set(split.test.user.tolist())
    known = np.bincount(split.fold_in_test.user, minlength=943)
    assert set(known[np.unique(split.test.user)]) == {5}


def test_merging_validation_keeps_the_exam(movielens):
    split = splits.make("cold-item", movielens, 1)
    merged = split.merge_valid()
    assert pairs(merged.train) == pairs(split.train) | pairs(split.valid)
    assert len(merged.valid) == 0
    assert pairs(merged.test) == pairs(split.test)
    assert (merged.candidates_test == split.candidates_test).all()


def test_wrong_names_are_named(movielens):
    with pytest.raises(ValueError, match=r"'weekly'.*benchmark, temporal, cold-item"):
        splits.make("weekly", movielens)
    with pytest.raises(ValueError, match=r"'train'.*choose 'valid' or 'test'"):
        splits.make("benchmark", movielens).task("train")
