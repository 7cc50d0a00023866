"""Many tests, effect sizes, variance parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.evaluation import Evaluation, compare
from course_lib.evaluation.comparisons import compare_all, effect_size, holm, sign_flip, variance_parts

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_holm_by_hand():
    # sorted .005 .01 .03 .04 times 4 3 2 1: .02 .03 .06 .04, and none below the one before: .06 twice
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


@given(P_VALUES, st.randoms())
def test_holm_lies_between_the_raw_values_and_bonferroni(p, random):
    adjusted = holm(p)
    assert (adjusted >= np.array(p) - 1e-12).all() and (adjusted <= 1).all()
    assert (adjusted <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    order = list(range(len(p)))
    random.shuffle(order)
    np.testing.assert_allclose(holm(np.array(p)[order]), adjusted[order])


def test_holm_keeps_false_discoveries_rare():
    """Where nothing differs, a family of 20 tests has a false discovery in about 5 % of the cases, not in 64 %."""
    rng = np.random.default_rng(0)
    p = rng.random((2000, 20))
    assert (p < 0.05).any(axis=1).mean() > 0.5
    assert 0.03 < np.mean([(holm(row) < 0.05).any() for row in p]) < 0.07


@pytest.mark.parametrize("bad", [[-0.1], [1.2], [float("nan")], [[0.1, 0.2]]])
def test_what_is_no_p_value_is_refused(bad):
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(bad)


def test_effect_size_by_hand():
    # differences 1 -1 0 2: mean .5, standard deviation sqrt(5/3); opponent's mean 2
    found = effect_size(np.array([2.0, 1.0, 2.0, 5.0]), np.array([1.0, 2.0, 2.0, 3.0]))
    assert found.relative == pytest.approx(0.25)
    assert found.d_z == pytest.approx(0.5 / np.sqrt(5 / 3))
    assert (found.gain, found.tie, found.lose) == (0.5, 0.25, 0.25)


def test_sign_flips_agree_with_compare_and_find_what_is_there():
    rng = np.random.default_rng(0)
    second = rng.random(200)
    shifts = {"none": 0.0, "some": 0.03, "much": 0.2}
    for shift in shifts.values():
        first = second + shift + rng.normal(0, 0.2, 200)
        users = np.arange(200)
        ours = sign_flip((first - second)[None])[0]
        theirs = compare(*(Evaluation("", "", "", "test", users, {"ndcg@10": v}) for v in (first, second))).p_value
        assert ours == pytest.approx(theirs, abs=0.02)
    assert ours < 0.001


def test_compare_all_leaves_out_users_who_miss_a_model_and_corrects():
    rng = np.random.default_rng(0)
    a = rng.random(300)
    values = {"a": a, "b": a - 0.1 + rng.normal(0, 0.1, 300), "c": a + rng.normal(0, 0.1, 300)}
    values["c"][:50] = np.nan
    found = compare_all(values, [("a", "b"), ("a", "c")])
    assert found["survives"].tolist() == [True, False]
    assert found["difference"][0] == pytest.approx((a - values["b"])[50:].mean())
    assert (found["holm"] >= found["p"]).all()
    with pytest.raises(KeyError, match="no values for d"):
        compare_all(values, [("a", "d")])
    with pytest.raises(ValueError, match="no user has a value"):
        compare_all({"a": a, "b": np.full(300, np.nan)}, [("a", "b")])


def test_variance_parts_come_back():
    """Planted variances .04 (users), .01 (seeds), .09 (rest), with enough of both to find them."""
    rng = np.random.default_rng(0)
    y = 0.3 + rng.normal(0, 0.2, (1, 2000)) + rng.normal(0, 0.1, (60, 1)) + rng.normal(0, 0.3, (60, 2000))
    y[3, :7] = np.nan
    found = variance_parts(y)
    assert (found.users, found.rest) == (pytest.approx(0.04, rel=0.1), pytest.approx(0.09, rel=0.02))
    assert found.seeds == pytest.approx(0.01, rel=0.5)
    assert (found.num_seeds, found.num_users, found.num_left_out) == (60, 1993, 7)
    expected = np.sqrt(found.users / 10 + found.seeds / 2 + found.rest / 20)
    assert found.standard_error(num_seeds=2, num_users=10) == pytest.approx(expected)


def test_variance_needs_two_of_each():
    with pytest.raises(ValueError, match="two of each"):
        variance_parts(np.ones((1, 5)))
    with pytest.raises(ValueError, match="two of each"):
        variance_parts(np.array([[1.0, np.nan], [1.0, 2.0]]))


def test_all_pairs_are_compared_and_a_family_that_cannot_survive_is_refused():
    """600 tests with 10,000 flips: the smallest corrected p would be 600 / 10,001 > .05, whatever the data say."""
    rng = np.random.default_rng(0)
    values = {f"model {number}": rng.random(60) + number for number in range(36)}
    with pytest.raises(ValueError, match=r"none of 630 tests can survive.*num_flips=25200"):
        compare_all(values)
    three = compare_all({name: values[name] for name in ("model 0", "model 1", "model 2")})
    assert len(three) == 3 and three["survives"].all()
    with pytest.raises(ValueError, match="no pair"):
        compare_all(values, [])
