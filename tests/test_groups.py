"""Slices, gaps and exposure: planted ones are found, absent ones are not."""

import numpy as np
import pytest

from course_lib import splits
from course_lib.evaluation import evaluate, groups, recommendation_lists
from course_lib.evaluation.lists import NOTHING
from course_lib.models import Popularity, Random


def test_bands_are_filled_equally_and_named_by_their_ends():
    found = groups.bands(np.array([1, 2, 3, 4, 5, 6, 7, 8]), 4, "films")
    assert found.tolist() == ["1-2 films"] * 2 + ["3-4 films"] * 2 + ["5-6 films"] * 2 + ["7-8 films"] * 2
    assert groups.bands(np.array([5, 5, 5, 9]), 4).tolist() == ["5", "5", "5", "9"]


def test_popularity_thirds_by_hand():
    # 12 interactions: item 0 has 4 (before it 0), 1 has 4 (before it 4), 2 and 3 have 2 (8 and 10), 4 none
    assert groups.popularity_thirds(np.array([4, 4, 2, 2, 0])).tolist() == [
        "head",
        "middle",
        "tail",
        "tail",
        "never taken",
    ]


def test_by_group_leaves_out_who_cannot_be_placed():
    values = np.array([0.1, 0.3, 0.5, np.nan, 0.9])
    labels = np.array(["a", "a", "b", "a", None], dtype=object)
    table = groups.by_group(values, labels)
    assert table.loc["a", "users"] == 2 and table.loc["a", "mean"] == pytest.approx(0.2)
    assert table.loc["b", "users"] == 1 and np.isnan(table.loc["b", "low"])
    with pytest.raises(ValueError, match="both a value and a group"):
        groups.by_group(np.array([np.nan]), np.array(["a"]))
    with pytest.raises(ValueError, match="one of each per user"):
        groups.by_group(values, labels[:2])


def test_a_planted_gap_is_found_and_an_absent_one_is_not():
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(800) < 0.3, "f", "m")
    same = rng.random(800)
    planted = same + 0.1 * (labels == "f")
    assert groups.gap(same, labels, "f", "m").low < 0 < groups.gap(same, labels, "f", "m").high
    found = groups.gap(planted, labels, "f", "m")
    assert found.low > 0 and found.difference == pytest.approx(0.1, abs=0.05)


def test_a_gap_that_is_only_activity_disappears_within_strata():
    """Both groups are served alike at each level of activity, but one is more active."""
    rng = np.random.default_rng(0)
    active = rng.random(2000) < 0.5
    labels = np.where(rng.random(2000) < np.where(active, 0.8, 0.3), "m", "f")
    values = 0.2 + 0.3 * active + rng.normal(0, 0.1, 2000)
    raw, adjusted = groups.gap(values, labels, "m", "f"), groups.gap(values, labels, "m", "f", strata=active)
    assert raw.low > 0.05
    assert adjusted.low < 0 < adjusted.high


def test_gaps_of_absent_groups_are_refused():
    with pytest.raises(ValueError, match="no user in group 'x'; there are: a, b"):
        groups.gap(np.ones(2), np.array(["a", "b"]), "a", "x")
    with pytest.raises(ValueError, match="no stratum holds users of both"):
        groups.gap(np.ones(2), np.array(["a", "b"]), "a", "b", strata=np.array([0, 1]))


def test_exposure_by_hand():
    items = np.array([[0, 1], [0, NOTHING]])
    table = groups.exposure(items, np.array(["x", "y", "y"]), np.array([3, 1, 0]))
    # weights: rank 1 counts 1, rank 2 counts 1 / log2(3) = .63093; item 0 has 2, item 1 has .63093
    assert table.loc["x", "exposure"] == pytest.approx(2 / (2 + 1 / np.log2(3)))
    assert table.loc["y"].tolist() == pytest.approx([1 - table.loc["x", "exposure"], 2 / 3, 1 / 4])


def test_popularity_shows_the_head_and_chance_shows_all(movielens):
    split = splits.make("benchmark", movielens, seed=0)
    taken = np.bincount(split.train.item, minlength=split.num_items)
    thirds = groups.popularity_thirds(taken)
    popular, chance = (
        groups.exposure(recommendation_lists(model.fit(split), split)[1], thirds, taken)
        for model in (Popularity(), Random())
    )
    assert popular.loc["head", "exposure"] > 0.99
    assert chance["exposure"].to_numpy() == pytest.approx(chance["catalogue"].to_numpy(), abs=0.03)


def test_no_group_looks_served_by_a_random_model(movielens):
    split = splits.make("benchmark", movielens, seed=0)
    evaluation = evaluate(Random().fit(split), split)
    gender = movielens.users["gender"].to_numpy()[evaluation.users]
    found = groups.gap(evaluation.values["ndcg@10"], gender, "F", "M")
    assert abs(found.difference) < 0.01


def test_bands_stand_in_order_of_their_numbers():
    labels = groups.bands(np.array([9, 12, 30, 40, 100, 120, 300, 400]), 4, "films")
    table = groups.by_group(np.arange(8.0), labels)
    assert table.index.tolist() == ["9-12 films", "30-40 films", "100-120 films", "300-400 films"]


def test_one_person_is_no_group_to_compare():
    """Drawing one user again and again gives no spread: an interval of width zero would call anything a gap."""
    with pytest.raises(ValueError, match="two of each at least"):
        groups.gap(np.array([0.1, 0.9, 0.8]), np.array(["a", "b", "b"]), "a", "b")
    values, labels = np.array([0.1, 0.2, 0.3, 0.5, 0.0, 9.0]), np.array(["a", "a", "b", "b", "a", "b"])
    found = groups.gap(values, labels, "a", "b", strata=np.array([0, 0, 0, 0, 1, 1]))
    assert found.num_users == 4 and found.difference == pytest.approx(0.15 - 0.4)
    with pytest.raises(ValueError, match="6 values but 2 strata"):
        groups.gap(values, labels, "a", "b", strata=np.array([0, 1]))


def test_p_by_hand_and_numbers_as_groups():
    # 4 users, 2 a group: of the 6 ways to label them, 2 give a gap as large as .8 - .1; both means are then .85, .15
    found = groups.gap(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]), 1, 0)
    assert found.difference == pytest.approx(0.7) and found.p_value == pytest.approx(2 / 6, abs=0.04)


def test_p_values_are_spread_where_nothing_is_there_and_small_where_a_gap_is_planted():
    rng = np.random.default_rng(0)
    labels, strata = np.repeat(["a", "b"], [40, 80]), rng.integers(0, 3, 120)
    null = [groups.gap(rng.random(120), labels, "a", "b", strata, num_resamples=200).p_value for _ in range(200)]
    assert 0.4 < np.mean(null) < 0.6 and np.mean(np.array(null) < 0.05) < 0.1
    assert groups.gap(rng.random(120) + 0.3 * (labels == "a"), labels, "a", "b", strata).p_value < 0.01
