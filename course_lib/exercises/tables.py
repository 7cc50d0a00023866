"""Reference and mistakes of lesson 01's repair of an exported table."""

import pandas as pd


def repaired(table: pd.DataFrame) -> pd.DataFrame:
    """
    Write `repaired(table)`. `table` has the columns `user_id, item_id, rating, timestamp`, one row an event, as
    somebody exported it. Return a table that `Interactions.from_frame` accepts, with the same columns:

    - rows without a `user_id` are gone
    - all times are in seconds; some rows have milliseconds, which you know by values above `1e11`
    - where a pair of user and item is repeated, its **latest** row stays
    - the rows that stay are in their old order
    """
    # begin solution
    table = table.dropna(subset=["user_id"])
    seconds = table["timestamp"].where(table["timestamp"] < 1e11, table["timestamp"] // 1000)
    table = table.assign(timestamp=seconds)
    latest = table.sort_values("timestamp").drop_duplicates(["user_id", "item_id"], keep="last")
    return latest.sort_index()
    # end solution


def the_raw_times_compared(table: pd.DataFrame) -> pd.DataFrame:
    """
    A wrong row of a repeated pair survives: you look for the latest one while the times still have two units. Which
    number is larger, a moment in milliseconds or a later one in seconds?
    """
    latest = table.dropna(subset=["user_id"]).sort_values("timestamp")
    latest = latest.drop_duplicates(["user_id", "item_id"], keep="last").sort_index()
    times = latest["timestamp"]
    return latest.assign(timestamp=times.where(times < 1e11, times // 1000))


def the_first_row_kept(table: pd.DataFrame) -> pd.DataFrame:
    """You keep the row of a repeated pair that stands first in the file. In which order are the rows?"""
    return repaired(table.drop_duplicates(["user_id", "item_id"]))


def the_last_row_kept(table: pd.DataFrame) -> pd.DataFrame:
    """Of a repeated pair you keep the row that stands last in the file. Is the file in order of time?"""
    return repaired(table.drop_duplicates(["user_id", "item_id"], keep="last"))


def nobody_became_a_user(table: pd.DataFrame) -> pd.DataFrame:
    """
    You filled the gap: all rows without a name now belong to one person, who never lived and has a very broad taste.
    The loader would believe it. Should you?
    """
    return repaired(table.fillna({"user_id": 0}))
