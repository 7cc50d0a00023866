"""What every dataset must satisfy; shared by the tests of the loaders."""

import time
from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from course_lib.data import Dataset, load

loaded: Callable[[str], Dataset] = cache(load)


def cpu_seconds(load_again: Callable[[], Dataset]) -> float:
    start = time.process_time()
    load_again()
    return time.process_time() - start


def assert_consistent(dataset: Dataset, user_column: str, item_column: str) -> None:
    """Row i of `items` is item i, row u of `users` is user u, and all of them occur."""
    interactions = dataset.interactions
    np.testing.assert_array_equal(dataset.items[item_column], interactions.item_ids)
    np.testing.assert_array_equal(dataset.users[user_column], interactions.user_ids)
    assert dataset.items.index.equals(pd.RangeIndex(interactions.num_items))
    assert dataset.users.index.equals(pd.RangeIndex(interactions.num_users))
    np.testing.assert_array_equal(np.unique(interactions.item), np.arange(interactions.num_items))
    np.testing.assert_array_equal(np.unique(interactions.user), np.arange(interactions.num_users))
