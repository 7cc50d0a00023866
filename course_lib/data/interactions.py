"""Who touched what, how much, and when: the one table every lesson starts from.

Taught in 01_data.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from course_lib.data import schema


@dataclass(frozen=True, eq=False)
class Interactions:
    """User-item interactions in columns, with users and items numbered from zero.

    Attributes
    ----------
    user : ndarray of int32, [num_interactions]
        Position of the user in `user_ids`.
    item : ndarray of int32, [num_interactions]
        Position of the item in `item_ids`.
    rating : ndarray of float32, [num_interactions]
        Strength of the interaction; 1.0 where only the event is known.
    timestamp : ndarray of int64, [num_interactions], or None
        Seconds since 1970-01-01 UTC; None where time is unknown.
    user_ids : ndarray, [num_users]
        Original user ids. A user may have no interaction here (after a split, say).
    item_ids : ndarray, [num_items]
        Original item ids.
    """

    user: np.ndarray
    item: np.ndarray
    rating: np.ndarray
    timestamp: np.ndarray | None
    user_ids: np.ndarray
    item_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    @property
    def num_users(self) -> int:
        return len(self.user_ids)

    @property
    def num_items(self) -> int:
        return len(self.item_ids)

    @property
    def density(self) -> float:
        """Share of the user-item matrix that is filled."""
        return len(self) / (self.num_users * self.num_items)

    def matrix(self) -> sparse.csr_matrix:
        """Binary matrix R, [num_users, num_items] float32: 1 where the user touched the item."""
        ones = np.ones(len(self), dtype=np.float32)
        R = sparse.csr_matrix((ones, (self.user, self.item)), shape=(self.num_users, self.num_items))
        R.data[:] = 1.0  # a pair that occurs twice was summed to 2
        return R

    def select(self, rows: np.ndarray) -> "Interactions":
        """Some of the interactions (boolean mask or positions), with the same id maps."""
        timestamp = None if self.timestamp is None else self.timestamp[rows]
        return replace(self, user=self.user[rows], item=self.item[rows], rating=self.rating[rows], timestamp=timestamp)

    def to_frame(self) -> pd.DataFrame:
        """One row an interaction, with the original ids: `user_id, item_id, rating, timestamp`."""
        columns = {"user_id": self.user_ids[self.user], "item_id": self.item_ids[self.item], "rating": self.rating}
        if self.timestamp is not None:
            columns["timestamp"] = self.timestamp
        return pd.DataFrame(columns)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, duplicates: str = "error") -> "Interactions":
        """Build from a table with columns `user_id, item_id` and optionally `rating, timestamp`.

        Parameters
        ----------
        frame : DataFrame
            Further columns are ignored.
        duplicates : {"error", "keep"}
            What a user-item pair that occurs twice is: a defect, or a repeated event to keep.

        Raises
        ------
        schema.SchemaError
            Naming every defect, with row numbers, all at once.
        """
        return cls(*schema.validate(frame, duplicates))

    @classmethod
    def from_csv(cls, path: str | Path, duplicates: str = "error", separator: str = ",") -> "Interactions":
        """Read a CSV file with a header line, then as `from_frame`."""
        return cls(*schema.validate(schema.read_csv(path, separator, duplicates), duplicates))
