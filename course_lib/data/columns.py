"""Reads single columns of an interaction table and notes what is wrong with them; `schema` puts them together."""

import warnings
from numbers import Integral

import numpy as np
import pandas as pd
from pandas.api import types

LINE = "line"  # name of the index of a table read from a file: its labels are line numbers
ROWS_SHOWN = 5
UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
UNIT_STARTS = (1e11, 1e14, 1e17)  # 1e11 seconds is the year 5138, 1e11 milliseconds is 1973
LAST_TIME = 9.2e18  # nanoseconds, in the year 2261


def name_rows(index: pd.Index, wrong: np.ndarray) -> str:
    """Say which rows a mask marks: "rows 3, 7" by position from 0, or "lines 5, 9" for a table read from a file."""
    positions = np.flatnonzero(wrong)
    numbers = index[positions[:ROWS_SHOWN]] if index.name == LINE else positions[:ROWS_SHOWN]
    word = "line" if index.name == LINE else "row"
    text = f"{word} {numbers[0]}" if len(positions) == 1 else f"{word}s {', '.join(map(str, numbers))}"
    rest = len(positions) - len(numbers)
    return f"{text} and {rest:,} more ({len(positions):,} in all)" if rest else text


def number_ids(column: pd.Series, defects: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Number the ids of a column in sorted order, adding what is wrong to `defects`.

    Returns
    -------
    codes : ndarray of int32, [num_rows]
        Position in `ids`; -1 where the id is missing.
    ids : ndarray, [num_ids]
        Sorted: int64 (uint64 where the column was), or objects of type str.
    """
    name, index = column.name, column.index
    codes, found = pd.factorize(_without_categories(column))
    found = found.infer_objects()
    if types.is_float_dtype(found.dtype):
        numbers = found.to_numpy(dtype=np.float64)
        if ((numbers == np.floor(numbers)) & (abs(numbers) < 2**53)).all():
            found = pd.Index(numbers.astype(np.int64))

    if types.is_integer_dtype(found.dtype):
        ids = found.to_numpy(dtype=np.uint64 if types.is_unsigned_integer_dtype(found.dtype) else np.int64)
    else:
        ids = found.to_numpy(dtype=object)
        codes = _check_text_ids(ids, codes, column, defects)
    if (codes < 0).any():
        defects.append(f"{name} is missing in {name_rows(index, codes < 0)}. Fill it in or remove the row.")
    if len(ids) == 1:
        who, whom = ("item", "items") if name == "item_id" else ("user", "users")
        advice = f"A recommender compares {whom}: give it two or more."
        defects.append(f"There is only one {who}, {name} {ids.tolist()[0]!r}. {advice}")
    if ids.dtype == object and (len({isinstance(value, str) for value in ids}) > 1 or not all(map(_is_id, ids))):
        return codes.astype(np.int32), ids  # a defect is noted already, and such ids cannot be sorted
    order = np.argsort(ids)
    rank = np.empty(len(ids) + 1, dtype=np.int32)
    rank[order] = np.arange(len(ids))
    rank[-1] = -1  # read by code -1
    return rank[codes], ids[order]


def _check_text_ids(ids: np.ndarray, codes: np.ndarray, column: pd.Series, defects: list[str]) -> np.ndarray:
    """Note ids that are neither text nor whole numbers, mixed, or padded with spaces; -1 for those that are empty."""
    name, index = column.name, column.index

    def note(wrong_ids: list[bool], message: str, advice: str) -> None:
        if any(wrong_ids):
            rows = np.append(wrong_ids, False)[codes]
            defects.append(f"{name} {message} in {name_rows(index, rows)}. {advice}")

    is_text = [isinstance(value, str) for value in ids]
    other = [not _is_id(value) for value in ids]
    is_number = [not (text or wrong) for text, wrong in zip(is_text, other, strict=True)]
    note(other, "is neither text nor a whole number", "Write ids as text or as whole numbers.")
    if any(is_text) and any(is_number):
        rarer = is_text if sum(is_text) < sum(is_number) else is_number
        note(rarer, f"mixes text and numbers: {'text' if rarer is is_text else 'numbers'}", "Make all ids one kind.")
    empty = [isinstance(value, str) and not value.strip() for value in ids]
    padded = [isinstance(value, str) and value != value.strip() and bool(value.strip()) for value in ids]
    note(padded, "has spaces around it", "Remove them, or the same id counts as two.")
    return np.where(np.append(empty, False)[codes], -1, codes) if any(empty) else codes


def _is_id(value: object) -> bool:
    """Whether a value can be an id: text or a whole number."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, str | Integral) and not isinstance(value, bool)


def read_ratings(column: pd.Series, defects: list[str]) -> np.ndarray:
    """Ratings as float32, [num_rows], adding what is wrong to `defects`."""
    index = column.index
    numbers, missing = _numbers(_without_categories(column))
    with np.errstate(over="ignore"):
        rating = numbers.astype(np.float32)
    unreadable = np.isnan(rating) & ~missing
    infinite = np.isinf(rating)
    if missing.any():
        defects.append(f"rating is missing (NaN) in {name_rows(index, missing)}. Fill it in or remove the row.")
    if unreadable.any():
        defects.append(f"rating is not a number in {_quote(column, unreadable)}. Write it as 4 or 4.5.")
    if infinite.any():
        defects.append(f"rating is infinite, or too large for float32, in {name_rows(index, infinite)}. Correct it.")
    return rating


def read_timestamps(column: pd.Series, defects: list[str]) -> np.ndarray:
    """Seconds since 1970-01-01 UTC as int64, [num_rows], adding what is wrong to `defects`."""
    column = _without_categories(column)
    index = column.index
    if types.is_datetime64_any_dtype(column.dtype):
        seconds, missing = _seconds(column), column.isna().to_numpy()
        unreadable = np.zeros(len(column), dtype=bool)
    else:
        seconds, missing, unreadable = _read_numbers_or_dates(column, defects)
    negative = (seconds < 0) & ~missing & ~unreadable
    if missing.any():
        defects.append(f"timestamp is missing in {name_rows(index, missing)}. Fill it in or remove the column.")
    if unreadable.any():
        advice = "Write seconds since 1970, or a date such as 1998-04-22 or 1998-04-22T19:10:38Z."
        defects.append(f"timestamp is not a time in {_quote(column, unreadable)}. {advice}")
    if negative.any():
        defects.append(f"timestamp is negative (before 1970) in {name_rows(index, negative)}. Correct it.")
    return seconds


def _read_numbers_or_dates(column: pd.Series, defects: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seconds, and masks of missing and unreadable entries, of a column of numbers or of dates as text."""
    numbers, missing = _numbers(column)
    if types.is_numeric_dtype(column.dtype):
        unreadable = np.isnan(numbers) & ~missing if numbers.dtype.kind == "f" else np.zeros(len(numbers), dtype=bool)
        is_date = np.zeros(len(numbers), dtype=bool)
    else:
        rest = np.isnan(numbers) & ~missing
        dates = pd.to_datetime(column[rest], format="ISO8601", utc=True, errors="coerce")
        is_date = np.zeros(len(numbers), dtype=bool)
        is_date[rest] = dates.notna()
        unreadable = rest & ~is_date
    is_number = ~(missing | unreadable | is_date)
    if numbers.dtype.kind == "f":
        too_large = is_number & (abs(numbers) > LAST_TIME)
        unreadable, is_number = unreadable | too_large, is_number & ~too_large
    seconds = np.zeros(len(numbers), dtype=np.int64)
    seconds[is_number] = _to_seconds(numbers[is_number], is_number, column.index, defects)
    if is_date.any():
        seconds[is_date] = _seconds(dates[dates.notna()])
    if is_date.any() and is_number.any():
        rarer, kind = (is_date, "dates") if is_date.sum() < is_number.sum() else (is_number, "numbers")
        defects.append(f"timestamp mixes numbers and dates: {kind} in {name_rows(column.index, rarer)}. Use one form.")
    return seconds, missing, unreadable


def _to_seconds(numbers: np.ndarray, where: np.ndarray, index: pd.Index, defects: list[str]) -> np.ndarray:
    """Convert to seconds by the size of the numbers; the column must be in one unit. Zero fits every unit."""
    unit = np.digitize(abs(numbers), UNIT_STARTS)
    counts = np.bincount(unit[numbers != 0], minlength=len(UNITS))
    usual = int(counts.argmax())
    for other in np.flatnonzero(counts):
        if other != usual:
            wrong = where.copy()
            wrong[where] = (unit == other) & (numbers != 0)
            defects.append(
                f"timestamp is in mixed units: mostly {UNITS[usual]}, but {UNITS[other]} in {name_rows(index, wrong)}. "
                "Convert them to seconds."
            )
    if usual > 0 and np.count_nonzero(counts) == 1:
        warnings.warn(f"timestamp is in {UNITS[usual]}; it is converted to seconds.", stacklevel=7)
    return np.floor_divide(numbers, 1000**usual).astype(np.int64)


def _numbers(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of a column (NaN where there is none, integers stay integers) and a mask of the missing entries."""
    missing = np.array(column.isna())
    if types.is_numeric_dtype(column.dtype):
        if missing.any():
            return column.to_numpy(dtype=np.float64, na_value=np.nan), missing
        kept = np.float64 if types.is_float_dtype(column.dtype) else np.int64
        return column.to_numpy(dtype=kept), missing
    if not (types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype)):
        return np.full(len(column), np.nan), missing
    is_text = column.map(lambda value: isinstance(value, str)).to_numpy()
    missing[is_text] = column[is_text].astype(str).str.strip().eq("").to_numpy()
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan), missing


def _seconds(times: pd.Series) -> np.ndarray:
    """Seconds since 1970 UTC of a column of datetimes; a time without a zone is taken as UTC."""
    return pd.to_datetime(times, utc=True).dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)


def _quote(column: pd.Series, wrong: np.ndarray) -> str:
    """Rows marked by a mask, with what stands in the first of them."""
    first = [repr(value) for value in column[wrong].iloc[:ROWS_SHOWN]]
    return f"{name_rows(column.index, wrong)} ({', '.join(first)})"


def _without_categories(column: pd.Series) -> pd.Series:
    """A categorical column as a plain one."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.astype(column.cat.categories.dtype)
    return column
