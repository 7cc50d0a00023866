"""The Complete Journey: what the lessons count on, and samples of baskets."""

import numpy as np
import pandas as pd
import pytest
from data_checks import assert_consistent, cpu_seconds, loaded

from course_lib import sources
from course_lib.data import Dataset, Interactions, sample_baskets
from course_lib.data.complete_journey import describe_products, load_complete_journey


def test_complete_journey_counts() -> None:
    dataset = loaded("complete-journey")
    interactions = dataset.interactions
    assert (len(interactions), interactions.num_users, interactions.num_items) == (1_469_307, 155_848, 68_509)
    assert_consistent(dataset, "basket_id", "product_id")
    assert interactions.rating.min() == 1
    assert interactions.rating.max() == 144  # ears of corn; fuel would be 89,638
    fuel = dataset.items.index[dataset.items["product_type"] == "GASOLINE-REG UNLEADED"]
    assert set(interactions.rating[np.isin(interactions.item, fuel)]) == {1}

    households = dataset.users.drop_duplicates("household_id")
    assert len(households) == 2469
    assert households["income"].notna().sum() == 801
    assert dataset.users["week"].between(1, 53).all()
    assert interactions.timestamp is not None
    assert pd.to_datetime(interactions.timestamp, unit="s").min() == pd.Timestamp("2017-01-01 11:53:26")
    one_time = pd.Series(interactions.timestamp).groupby(interactions.user).nunique()
    assert (one_time == 1).all()


def test_complete_journey_loads_within_six_seconds() -> None:
    folder = sources.fetch("complete-journey")
    assert cpu_seconds(lambda: load_complete_journey(folder)) < 6


def test_product_text() -> None:
    products = pd.DataFrame(
        {
            "product_type": ["STRING CHEESE", "NUTS", None, None],
            "product_category": ["CHEESE", "NUTS", None, None],
            "department": ["GROCERY", "DRUG GM", "MISCELLANEOUS", None],
            "package_size": ["12 OZ", None, None, None],
        }
    )
    assert describe_products(products).tolist() == [
        "string cheese, cheese, sold in grocery, 12 oz.",
        "nuts, sold in drugstore and general merchandise.",
        "sold in miscellaneous.",
        "a product without a description.",
    ]
    text = loaded("complete-journey").items["text"]
    assert (text == "a product without a description.").sum() == 17
    assert text.str.fullmatch(r"[^A-Z]+\.").all()
    assert not text.str.contains(r"\b(?:nan|none)\b", regex=True).any()


def test_sample_of_baskets() -> None:
    whole = loaded("complete-journey")
    sample = sample_baskets(whole)
    assert_consistent(sample, "basket_id", "product_id")
    interactions = sample.interactions
    assert 17_300 < interactions.num_users < 17_700
    assert 11_400 < interactions.num_items < 11_800
    sizes = np.bincount(interactions.user)
    assert sizes.min() == 5
    assert sizes.max() <= 40

    pairs = whole.interactions.to_frame().set_index(["user_id", "item_id"]).sort_index()
    drawn = interactions.to_frame().set_index(["user_id", "item_id"]).iloc[::97]
    pd.testing.assert_frame_equal(pairs.loc[drawn.index], drawn)
    pd.testing.assert_frame_equal(
        sample.items.iloc[[7]].reset_index(drop=True),
        whole.items[whole.items["product_id"] == interactions.item_ids[7]].reset_index(drop=True),
    )

    again, other = sample_baskets(whole), sample_baskets(whole, seed=1)
    np.testing.assert_array_equal(again.interactions.user_ids, interactions.user_ids)
    assert set(other.interactions.user_ids) != set(interactions.user_ids)


def small_baskets() -> Dataset:
    """Baskets 0 and 1 hold products 0-2, basket 2 only product 3, basket 3 all of 0-9."""
    pairs = [(basket, product) for basket in (0, 1) for product in range(3)] + [(2, 3)]
    pairs += [(3, product) for product in range(10)]
    interactions = Interactions.from_frame(pd.DataFrame(pairs, columns=["user_id", "item_id"]))
    items = pd.DataFrame({"product_id": interactions.item_ids})
    return Dataset("small", interactions, items, pd.DataFrame({"basket_id": interactions.user_ids}))


def test_the_three_steps_of_a_sample_by_hand() -> None:
    sample = sample_baskets(small_baskets(), num_baskets=2, min_items=2, max_items=5, min_product_count=2)
    assert sample.users["basket_id"].tolist() == [0, 1]  # 2 is too small, 3 too large
    assert sample.items["product_id"].tolist() == [0, 1, 2]
    wider = sample_baskets(small_baskets(), num_baskets=4, min_items=1, max_items=10, min_product_count=3)
    assert wider.users["basket_id"].tolist() == [0, 1, 3]  # product 3 was seen twice, so basket 2 is empty
    assert wider.items["product_id"].tolist() == [0, 1, 2]


def test_a_sample_that_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="only 2 baskets of small hold 2 to 5 products"):
        sample_baskets(small_baskets(), num_baskets=3, min_items=2, max_items=5)
    with pytest.raises(ValueError, match="No basket is left"):
        sample_baskets(small_baskets(), num_baskets=2, min_items=2, max_items=5, min_product_count=9)
