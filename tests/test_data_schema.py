"""Tables of interactions: what is accepted, and that every defect is named with its rows, all at once."""

import datetime
import pickle
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_defects import DEFECTS, PATIENT, SECONDS, assert_equal, clean_rows, name, spoil, spoiled_positions, tables

from course_lib.data import Interactions, SchemaError
from course_lib.data.schema import validate


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


def defects_of(table: pd.DataFrame, duplicates: str = "error") -> tuple[str, ...]:
    with pytest.raises(SchemaError) as caught:
        Interactions.from_frame(table, duplicates)
    return caught.value.defects


@given(spoiled_positions())
@PATIENT
def test_every_defect_of_a_frame_is_named_with_its_rows_and_no_other(chosen: dict[str, list[int]]) -> None:
    rows = clean_rows(60)
    for kind, positions in chosen.items():
        for position in positions:
            spoil(rows, kind, position)

    defects = defects_of(pd.DataFrame(rows))

    for kind, positions in chosen.items():
        assert any(DEFECTS[kind][2].format(name("row", positions)) in defect for defect in defects), (kind, defects)
    assert len(defects) == len(chosen)


@given(tables())
@PATIENT
def test_a_table_comes_back_as_it_went_in(table: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(table)
    back = interactions.to_frame()
    assert back["user_id"].tolist() == table["user_id"].tolist()
    assert back["item_id"].tolist() == table["item_id"].tolist()
    assert back["rating"].tolist() == (table["rating"].tolist() if "rating" in table else [1.0] * len(table))
    assert ("timestamp" in back) == ("timestamp" in table)
    if "timestamp" in table:
        assert back["timestamp"].tolist() == table["timestamp"].tolist()
    assert_equal(Interactions.from_frame(back), interactions)


@given(tables(), st.randoms(use_true_random=False))
@PATIENT
def test_numbering_is_sorted_and_independent_of_row_order(table: pd.DataFrame, random: Any) -> None:
    order = list(range(len(table)))
    random.shuffle(order)
    one, other = Interactions.from_frame(table), Interactions.from_frame(table.iloc[order])
    assert one.user_ids.tolist() == sorted(set(table["user_id"]))
    assert one.item_ids.tolist() == sorted(set(table["item_id"]))
    assert_equal(other, one.select(np.array(order)))


def test_types_and_numbering() -> None:
    user, item, rating, timestamp, user_ids, item_ids = validate(
        frame(user_id=[10, 9, 10], item_id=["b", "a", "a"], rating=[1, 2, 3])
    )
    assert [array.dtype for array in (user, item, rating, user_ids)] == [np.int32, np.int32, np.float32, np.int64]
    assert (user.tolist(), item.tolist(), rating.tolist(), timestamp) == ([1, 0, 1], [1, 0, 0], [1, 2, 3], None)
    assert (user_ids.tolist(), item_ids.tolist()) == ([9, 10], ["a", "b"])


@pytest.mark.parametrize(
    "user_ids",
    [
        pd.Categorical(["b", "a", "b"]),
        pd.array(["b", "a", "b"], dtype="string"),
        np.array(["b", "a", "b"], dtype=object),
        np.array(["b", "a", "b"]),
    ],
)
def test_text_ids_in_every_form(user_ids: Any) -> None:
    assert Interactions.from_frame(frame(user_id=user_ids, item_id=[1, 2, 3])).user_ids.tolist() == ["a", "b"]


@pytest.mark.parametrize("dtype", ["int8", "int64", "float64", "Int64", "object", "category"])
def test_whole_number_ids_in_every_form(dtype: str) -> None:
    table = frame(user_id=pd.Series([3, 1, 3]).astype(dtype), item_id=[1, 2, 3])
    interactions = Interactions.from_frame(table)
    assert interactions.user_ids.dtype == np.int64
    assert interactions.user_ids.tolist() == [1, 3]


def test_ids_beyond_int64_keep_their_value() -> None:
    large = np.array([2**63 + 1, 5], dtype=np.uint64)
    assert Interactions.from_frame(frame(user_id=large, item_id=[1, 2])).user_ids.tolist() == [5, 2**63 + 1]


def test_ids_of_the_wrong_kind() -> None:
    mixed, fractions = defects_of(frame(user_id=[1, "1", 2], item_id=[1.5, 2.0, np.inf]))
    assert mixed.startswith("user_id mixes text and numbers: text in row 1.")
    assert fractions.startswith("item_id is neither text nor a whole number in rows 0, 2.")


@pytest.mark.parametrize("written", [1, 1_000, 1_000_000, 1_000_000_000])
def test_a_whole_column_in_another_unit_is_converted_and_announced(written: int) -> None:
    times = np.array([0, SECONDS, SECONDS + 60], dtype=np.int64)
    table = frame(user_id=[1, 2, 3], item_id=[1, 2, 3], timestamp=times * written)
    if written == 1:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            interactions = Interactions.from_frame(table)
    else:
        with pytest.warns(UserWarning, match="timestamp is in (milli|micro|nano)seconds; it is converted") as caught:
            interactions = Interactions.from_frame(table)
        assert caught[0].filename == __file__
    assert interactions.timestamp is not None
    assert interactions.timestamp.dtype == np.int64
    assert interactions.timestamp.tolist() == times.tolist()


@pytest.mark.parametrize(
    "times",
    [
        ["1997-12-04T15:55:49", "1997-12-04 15:55:49Z", "1997-12-04T16:55:49+01:00"],
        pd.to_datetime(["1997-12-04 15:55:49"] * 3),
        pd.to_datetime(["1997-12-04 15:55:49.9"] * 3).as_unit("ns"),
        pd.to_datetime(["1997-12-04 16:55:49"] * 3).tz_localize("Europe/Berlin"),
        [datetime.datetime(1997, 12, 4, 15, 55, 49)] * 3,
        [str(SECONDS)] * 3,
        [SECONDS + 0.25] * 3,
    ],
)
def test_times_in_every_form(times: Any) -> None:
    timestamp = Interactions.from_frame(frame(user_id=[1, 2, 3], item_id=[1, 2, 3], timestamp=times)).timestamp
    assert timestamp is not None
    assert timestamp.tolist() == [SECONDS] * 3


def test_missing_and_early_datetimes() -> None:
    times = pd.to_datetime(["1997-12-04", None, "1950-01-01"])
    missing, negative = defects_of(frame(user_id=[1, 2, 3], item_id=[1, 2, 3], timestamp=times))
    assert missing.startswith("timestamp is missing in row 1.")
    assert negative.startswith("timestamp is negative (before 1970) in row 2.")


def test_ratings_too_large_for_float32_and_dates_as_ratings() -> None:
    (large,) = defects_of(frame(user_id=[1, 2], item_id=[1, 2], rating=[1e300, 1]))
    assert large.startswith("rating is infinite, or too large for float32, in row 0.")
    (date,) = defects_of(frame(user_id=[1, 2], item_id=[1, 2], rating=pd.to_datetime(["1997-12-04"] * 2)))
    assert date.startswith("rating is not a number in rows 0, 1 (")


def test_column_names() -> None:
    first, second, third = defects_of(frame(userId=[1, 2], movie=[1, 2], title=["a", "b"], rating=["x", 1]))
    assert first == "Column user_id is missing. Rename 'userId' to 'user_id' if that is what it holds."
    assert second == "Column item_id is missing. Rename 'movie' to 'item_id' if that is what it holds."
    assert third.startswith("rating is not a number in row 0 ('x').")
    (nothing_alike,) = defects_of(frame(user_id=[1, 2], title=["a", "b"]))
    assert nothing_alike == "Column item_id is missing. The columns are: user_id, title."
    (twice,) = defects_of(pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=["user_id", "item_id", "item_id"]))
    assert twice.startswith("Column item_id occurs twice.")


def test_a_column_that_looks_like_ratings_is_not_dropped_in_silence() -> None:
    with pytest.warns(UserWarning, match="Rename 'stars' to 'rating' to use it") as caught:
        Interactions.from_frame(frame(user_id=[1, 2], item_id=[1, 2], stars=[5, 4]))
    assert caught[0].filename == __file__


def test_too_little_data() -> None:
    assert defects_of(frame(user_id=[], item_id=[]))[0].startswith("There are no rows.")
    one_user, one_item = defects_of(frame(user_id=["ann"] * 2, item_id=[7] * 2), duplicates="keep")
    assert one_user.startswith("There is only one user, user_id 'ann'.")
    assert one_item.startswith("There is only one item, item_id 7.")


def test_repeated_pairs_are_kept_when_asked() -> None:
    table = frame(user_id=[1, 1, 2], item_id=[5, 5, 6])
    assert defects_of(table)[0].startswith("The user-item pair of an earlier row is repeated in row 1.")
    assert len(Interactions.from_frame(table, duplicates="keep")) == 3
    with pytest.raises(ValueError, match="duplicates must be"):
        Interactions.from_frame(table, duplicates="drop")


def test_the_error_survives_pickling() -> None:
    error = SchemaError(["first", "second"], "mine.csv")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == "mine.csv has 2 defects:\n  - first\n  - second"


def test_a_million_rows_in_seconds() -> None:
    cells = np.random.default_rng(0).permutation(20_000 * 1_000)[:1_000_000]
    table = frame(user_id=cells // 1_000, item_id=cells % 1_000, rating=cells % 5, timestamp=SECONDS + cells)
    start = time.process_time()
    interactions = Interactions.from_frame(table)
    assert time.process_time() - start < 3
    assert len(interactions) == 1_000_000
    np.testing.assert_array_equal(interactions.user_ids[interactions.user], table["user_id"])

    spoiled = pd.concat([table, table.iloc[[17]]], ignore_index=True).astype({"rating": float})
    spoiled.loc[999_999, "rating"] = np.nan
    repeated, missing = defects_of(spoiled)
    assert "in row 1000000." in repeated
    assert "in row 999999." in missing
