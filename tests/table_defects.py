"""Tables of interactions, clean and spoiled, for the tests of the schema."""

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from course_lib.data import Interactions

SECONDS = 881_250_949
# no deadline on a busy machine; each example writes the same file of tmp_path anew
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# kind of defect: column, what stands there instead, how the message begins
DEFECTS: dict[str, tuple[str, Any, str]] = {
    "no user": ("user_id", None, "user_id is missing in {}."),
    "empty item": ("item_id", "", "item_id is missing in {}."),
    "padded item": ("item_id", " i{} ", "item_id has spaces around it in {}."),
    "no rating": ("rating", None, "rating is missing (NaN) in {}."),
    "word for rating": ("rating", "abc", "rating is not a number in {} ("),
    "infinite rating": ("rating", "inf", "rating is infinite, or too large for float32, in {}."),
    "no time": ("timestamp", None, "timestamp is missing in {}."),
    "word for time": ("timestamp", "yesterday", "timestamp is not a time in {} ("),
    "negative time": ("timestamp", "-5", "timestamp is negative (before 1970) in {}."),
    "milliseconds": ("timestamp", SECONDS * 1000, "in mixed units: mostly seconds, but milliseconds in {}."),
    "microseconds": ("timestamp", SECONDS * 10**6, "in mixed units: mostly seconds, but microseconds in {}."),
    "nanoseconds": ("timestamp", SECONDS * 10**9, "in mixed units: mostly seconds, but nanoseconds in {}."),
    "date": ("timestamp", "1998-04-22", "timestamp mixes numbers and dates: dates in {}."),
    "pair again": ("pair", None, "The user-item pair of an earlier row is repeated in {}."),
}


def clean_rows(num_rows: int) -> list[dict[str, Any]]:
    return [
        {"user_id": f"u{row % 7}", "item_id": f"i{row}", "rating": "4", "timestamp": str(SECONDS + row)}
        for row in range(num_rows)
    ]


def spoil(rows: list[dict[str, Any]], kind: str, position: int) -> None:
    column, value, _ = DEFECTS[kind]
    if column == "pair":
        rows[position] |= {"user_id": rows[0]["user_id"], "item_id": rows[0]["item_id"]}
    else:
        rows[position][column] = value.format(position) if isinstance(value, str) else value


def name(word: str, numbers: list[int]) -> str:
    text = f"{word} {numbers[0]}" if len(numbers) == 1 else f"{word}s {', '.join(map(str, numbers[:5]))}"
    return text if len(numbers) <= 5 else f"{text} and {len(numbers) - 5} more ({len(numbers)} in all)"


@st.composite
def spoiled_positions(draw: st.DrawFn) -> dict[str, list[int]]:
    """Kinds of defects, each with its own rows out of 60; row 0 stays clean, and so do most timestamps."""
    positions = draw(st.permutations(range(1, 60)))
    kinds = draw(st.lists(st.sampled_from(sorted(DEFECTS)), min_size=1, unique=True))
    chosen, start = {}, 0
    for kind in kinds:
        size = draw(st.integers(1, 7)) if kind == kinds[0] else draw(st.integers(1, 2))
        chosen[kind] = sorted(positions[start : start + size])
        start += size
    return chosen


text_ids = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: text == text.strip()
)


@st.composite
def tables(draw: st.DrawFn, text: st.SearchStrategy[str] | None = None) -> pd.DataFrame:
    """Tables without defects, of whole-number or text ids, with and without ratings and times."""

    def pool() -> list[Any]:
        kind = text if text is not None else draw(st.sampled_from([st.integers(-(2**62), 2**62), text_ids]))
        return draw(st.lists(kind, min_size=2, max_size=8, unique=True))

    users, items = pool(), pool()
    pairs = {(users[0], items[0]), (users[1], items[1])}
    pairs |= draw(st.sets(st.tuples(st.sampled_from(users), st.sampled_from(items)), max_size=20))
    shuffled = draw(st.permutations(sorted(pairs, key=repr)))
    table = pd.DataFrame(shuffled, columns=["user_id", "item_id"])
    if draw(st.booleans()):
        table["rating"] = draw(st.lists(st.floats(-5, 5, width=32), min_size=len(table), max_size=len(table)))
    if draw(st.booleans()):
        table["timestamp"] = draw(st.lists(st.integers(0, 10**10), min_size=len(table), max_size=len(table)))
    return table


def assert_equal(left: Interactions, right: Interactions) -> None:
    for column in ("user", "item", "rating", "timestamp", "user_ids", "item_ids"):
        np.testing.assert_array_equal(getattr(left, column), getattr(right, column))
