"""Checks that a table holds interactions, and says everything that is wrong with it at once.

Taught in 01_data.
"""

import codecs
import csv
import mmap
import re
import warnings
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course_lib.data import columns

REQUIRED = ("user_id", "item_id")
COLUMNS = (*REQUIRED, "rating", "timestamp")
OTHER_NAMES = {
    "user_id": {"user", "userid", "uid", "customer", "customerid", "reviewer", "reviewerid", "visitorid", "memberid"},
    "item_id": {"item", "itemid", "iid", "movie", "movieid", "product", "productid", "book", "bookid", "isbn", "asin"},
    "rating": {"ratings", "score", "stars", "overall", "value"},
    "timestamp": {"time", "timestamps", "ts", "date", "datetime", "unixreviewtime"},
}
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", ":": "colon", " ": "space"}
WHOLE_NUMBER = r"0|-?[1-9][0-9]{0,17}"
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]


class SchemaError(ValueError):
    """A table that is not a table of interactions.

    Attributes
    ----------
    defects : tuple of str
        Every defect: what is wrong, in which rows, what to do.
    source : str
        What was read: a file, or "The table".
    """

    def __init__(self, defects: Sequence[str], source: str = "The table") -> None:
        super().__init__(tuple(defects), source)
        self.defects = tuple(defects)
        self.source = source

    def __str__(self) -> str:
        count = "1 defect" if len(self.defects) == 1 else f"{len(self.defects)} defects"
        return "\n".join([f"{self.source} has {count}:", *(f"  - {defect}" for defect in self.defects)])


def validate(frame: pd.DataFrame, duplicates: str = "error") -> Columns:
    """Check a table and number its users and items.

    Ids are numbered in sorted order (numbers by size, text by alphabet), so the numbering does not depend on the order
    of the rows. Timestamps may be numbers (seconds since 1970, or milli-, micro- or nanoseconds, which are converted
    with a warning), dates as text (ISO 8601, UTC where they name no zone) or datetime64.

    Parameters
    ----------
    frame : DataFrame
        Columns user_id, item_id and optionally rating, timestamp; others are ignored. Rows are named by position,
        counted from 0, or by line where the table came from `read_csv`.
    duplicates : {"error", "keep"}
        What a user-item pair that occurs twice is: a defect, or a repeated event to keep.

    Returns
    -------
    user, item : ndarray of int32, [num_rows]
    rating : ndarray of float32, [num_rows]
        1.0 where the table has no ratings.
    timestamp : ndarray of int64, [num_rows], or None
        Seconds since 1970-01-01 UTC.
    user_ids, item_ids : ndarray, [num_users], [num_items]
        Sorted; int64 for whole numbers, otherwise objects of type str.

    Raises
    ------
    SchemaError
        Naming every defect, with row numbers.
    """
    table, defects = inspect(frame, duplicates)
    if defects:
        raise SchemaError(defects, frame.attrs.get("source", "The table"))
    return table


def inspect(frame: pd.DataFrame, duplicates: str = "error") -> tuple[Columns, list[str]]:
    """As `validate`, but hand back the defects; where there are any, the columns are of no use."""
    if duplicates not in ("error", "keep"):
        raise ValueError(f'duplicates must be "error" or "keep", not {duplicates!r}.')
    names = [str(name) for name in frame.attrs.get("columns", frame.columns)]
    defects = _check_names(names)
    if len(frame) == 0:
        defects.append("There are no rows. Did the file end after its header, or a filter remove everything?")
    absent = np.zeros(0, dtype=np.int32)
    present = {name: frame[name] for name in COLUMNS if names.count(name) == 1}

    user, user_ids = columns.number_ids(present["user_id"], defects) if "user_id" in present else (absent, absent)
    item, item_ids = columns.number_ids(present["item_id"], defects) if "item_id" in present else (absent, absent)
    if duplicates == "error" and len(user) == len(item):
        _check_pairs(user, item, frame.index, defects)
    rating = np.ones(len(frame), dtype=np.float32)
    if "rating" in present:
        rating = columns.read_ratings(present["rating"], defects)
    timestamp = columns.read_timestamps(present["timestamp"], defects) if "timestamp" in present else None
    return (user, item, rating, timestamp, user_ids, item_ids), defects


def _check_names(names: list[str]) -> list[str]:
    """Defects of the column names; a column that looks like ratings or times under another name is announced."""
    defects = [f"Column {name} occurs twice. Keep one." for name in COLUMNS if names.count(name) > 1]
    for column in COLUMNS:
        if column in names:
            continue
        alike = [name for name in names if _plain(name) == _plain(column) or _plain(name) in OTHER_NAMES[column]]
        rename = f"Rename {' or '.join(map(repr, alike))} to {column!r}"
        if column in REQUIRED:
            advice = (
                f"{rename} if that is what it holds." if alike else f"The columns are: {', '.join(names) or 'none'}."
            )
            defects.append(f"Column {column} is missing. {advice}")
        elif alike:
            warnings.warn(f"There is no column {column}. {rename} to use it; it is ignored now.", stacklevel=5)
    return defects


def _plain(name: str) -> str:
    """A column name in lower case, without a RecBole type ("user_id:token"), spaces and signs."""
    return re.sub(r"[^a-z0-9]", "", name.split(":")[0].lower())


def _check_pairs(user: np.ndarray, item: np.ndarray, index: pd.Index, defects: list[str]) -> None:
    """Note user-item pairs that occur more than once; rows with a missing id are left out."""
    pair = user.astype(np.int64) * (int(item.max(initial=0)) + 1) + item
    pair[(user < 0) | (item < 0)] = -1
    in_order = np.sort(pair)
    if not ((in_order[1:] == in_order[:-1]) & (in_order[1:] >= 0)).any():
        return
    repeated = pd.Series(pair).duplicated().to_numpy() & (pair >= 0)
    defects.append(
        f"The user-item pair of an earlier row is repeated in {columns.name_rows(index, repeated)}. "
        'Remove the repeats, or pass duplicates="keep" if somebody may take the same thing twice.'
    )


def read_csv(path: str | Path, separator: str = ",", duplicates: str = "error") -> pd.DataFrame:
    """Read the columns user_id, item_id, rating and timestamp, as far as they are there, of a file with a header line.

    The rows keep their line numbers (the header is line 1), so that `validate` can name them. Blank lines are skipped.
    Ids are whole numbers where all of them are plain ones, and text otherwise: "001" stays "001".

    Parameters
    ----------
    path : path
        Text in UTF-8.
    separator : str
        One character.
    duplicates : {"error", "keep"}
        As in `validate`; only matters when the file is broken, for then the readable lines are checked here.

    Raises
    ------
    SchemaError
        If the file cannot be read as a table. Names the lines with undecodable characters or a wrong number of fields,
        together with every defect of the other lines.
    """
    path = Path(path)
    defects = _check_text(path)
    errors = "backslashreplace" if defects else "strict"
    widths, lines = _measure(path, separator, errors)
    header = _read_header(path, separator, errors, int(np.argmax(widths > 0)))
    ragged = (widths != len(header)) & (widths > 0)
    if ragged.any():
        found = " or ".join(map(str, np.unique(widths[ragged])[: columns.ROWS_SHOWN]))
        where = columns.name_rows(pd.Index(lines, name=columns.LINE), ragged)
        defects.append(
            f"There are not {len(header)} fields as in the header, but {found}, in {where}. "
            "Put quotes around text that holds the separator, and keep the separators around a missing value."
        )
    kept = widths == len(header)
    index = pd.Index(lines[kept][1:], name=columns.LINE)
    frame = _parse(path, separator, errors, [name for name in COLUMNS if name in header], np.flatnonzero(~kept), index)
    frame.attrs = {"source": path.name, "columns": header}
    if defects:
        rest = inspect(frame, duplicates)[1] if len(frame) else []
        raise SchemaError(defects + rest, path.name)
    return frame


def _check_text(path: Path) -> list[str]:
    """Refuse what is no text file at all; return a defect that names the lines which are not UTF-8."""
    if not path.is_file():
        raise SchemaError([f"There is no such file: {path}. The working folder is {Path.cwd()}."], path.name)
    with path.open("rb") as file:
        start = file.read(4096)
        if b"\0" in start:
            raise SchemaError(["It is not plain text. Save it as CSV in UTF-8 (in Excel: CSV UTF-8)."], path.name)
        if not start.strip(b"\xef\xbb\xbf\r\n\t "):
            raise SchemaError(["It is empty. The first line should be: user_id,item_id,rating,timestamp."], path.name)
        decoder = codecs.getincrementaldecoder("utf-8")()
        file.seek(0)
        try:
            for block in iter(lambda: file.read(1 << 24), b""):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            file.seek(0)
            broken = np.array([line.decode("utf-8", "ignore").encode() != line for line in file])
            where = columns.name_rows(pd.RangeIndex(1, len(broken) + 1, name=columns.LINE), broken)
            return [f"It is not UTF-8 text in {where}. Save it in UTF-8; perhaps it is in Latin-1 or Windows-1252 now."]
    return []


def _measure(path: Path, separator: str, errors: str) -> tuple[np.ndarray, np.ndarray]:
    """Number of fields of each record (0: a blank line), and the line on which each begins, both [num_records]."""
    with path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            widths = np.fromiter(map(len, reader), dtype=np.int32)
        except csv.Error as error:
            advice = f"Is a quotation mark left open in or before line {reader.line_num}? Close it, or write it twice."
            raise SchemaError([f"It is not readable as CSV ({error}). {advice}"], path.name) from error
        if reader.line_num == len(widths):
            return widths, np.arange(1, len(widths) + 1)
        file.seek(0)
        reader = csv.reader(file, delimiter=separator)
        last_lines = [reader.line_num for _ in reader]
    return widths, np.array([1, *(line + 1 for line in last_lines[:-1])])


def _read_header(path: Path, separator: str, errors: str, position: int) -> list[str]:
    """Names in the header, the record at `position`; refuses a wrong separator and a missing header."""
    with path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
        header = next(islice(csv.reader(file, delimiter=separator), position, None))
    others = [other for other in SEPARATORS if other != separator and other in header[0]]
    if len(header) == 1 and others:
        name = SEPARATORS[others[0]]
        advice = f"The separator seems to be a {name}: pass separator={others[0]!r}."
        raise SchemaError([f"It has one column only, {header[0]!r}. {advice}"], path.name)
    if all(re.fullmatch(r"[-+.\d]+", cell) for cell in header):
        advice = "Put a header line before it, such as user_id,item_id,rating,timestamp."
        raise SchemaError([f"Its first line is not a header but data: {separator.join(header)}. {advice}"], path.name)
    return header


def _parse(
    path: Path, separator: str, errors: str, names: list[str], skipped: np.ndarray, index: pd.Index
) -> pd.DataFrame:
    """Read some columns, leaving out the records at the positions `skipped`."""
    if not names:
        return pd.DataFrame(index=index)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        pattern = rb"[\r\n\"" + re.escape(separator.encode()) + rb"]0\d"
        leading_zeros = re.search(pattern, content) is not None
    ids = [name for name in REQUIRED if name in names]
    options: dict[str, Any] = {
        "sep": separator,
        "skiprows": skipped if len(skipped) else None,
        "skip_blank_lines": False,
        "keep_default_na": False,
        "na_values": [""],
        "low_memory": False,
        "encoding": "utf-8-sig",
        "encoding_errors": errors,
    }
    frame = pd.read_csv(path, usecols=names, dtype=dict.fromkeys(ids, str) if leading_zeros else None, **options)
    for name in ids:
        if frame[name].dtype.kind in "fb":  # "1e5" and "True" are ids like any other
            frame[name] = pd.read_csv(path, usecols=[name], dtype=str, **options)[name]
        elif leading_zeros and frame[name].str.fullmatch(WHOLE_NUMBER, na=False).all():
            frame[name] = frame[name].astype(np.int64)  # the zeros were in another column
    frame.index = index
    return frame
