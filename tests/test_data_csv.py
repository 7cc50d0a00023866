"""Interactions from files: every defect is named with its line, all at once."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_defects import DEFECTS, PATIENT, assert_equal, clean_rows, name, spoil, spoiled_positions, tables

from course_lib.data import Interactions, SchemaError
from course_lib.data.schema import read_csv


@given(spoiled_positions(), st.sets(st.integers(0, 59)), st.sets(st.integers(1, 59), max_size=3), st.booleans())
@PATIENT
def test_every_defect_of_a_file_is_named_with_its_line(
    tmp_path: Path, chosen: dict[str, list[int]], blank_before: set[int], ragged: set[int], long_text: bool
) -> None:
    rows = clean_rows(60)
    for kind, positions in chosen.items():
        for position in positions:
            spoil(rows, kind, position)
    ragged -= {position for positions in chosen.values() for position in positions}

    lines, line_of = ["note,user_id,item_id,rating,timestamp"], {}
    for position, row in enumerate(rows):
        if position in blank_before:
            lines.append("")
        line_of[position] = len(lines) + 1
        cells = ["" if row[column] is None else str(row[column]) for column in row]
        note = '"two\nlines, and a ""quotation"""' if long_text and position % 9 == 0 else "n"
        lines += f"{note},{','.join(cells)}{',extra' if position in ragged else ''}".split("\n")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    with pytest.raises(SchemaError) as caught:
        Interactions.from_csv(path)
    expected = [
        DEFECTS[kind][2].format(name("line", [line_of[position] for position in positions]))
        for kind, positions in chosen.items()
    ]
    if ragged:
        expected.append(f"but 6, in {name('line', [line_of[position] for position in sorted(ragged)])}.")
    for message in expected:
        assert any(message in defect for defect in caught.value.defects), (message, caught.value.defects)
    assert len(caught.value.defects) == len(expected)
    assert str(caught.value).startswith("table.csv has ")


@given(tables(st.text('ab,;"\n é0', min_size=1).map(lambda text: f"x{text}x")), st.sampled_from(",;\t|"))
@PATIENT
def test_a_file_comes_back_as_it_went_out(tmp_path: Path, table: pd.DataFrame, separator: str) -> None:
    interactions = Interactions.from_frame(table)
    path = tmp_path / "table.csv"
    interactions.to_frame().to_csv(path, sep=separator, index=False)
    assert_equal(Interactions.from_csv(path, separator=separator), interactions)


def defects_of_file(path: Path, content: str | bytes, separator: str = ",") -> tuple[str, ...]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SchemaError) as caught:
        Interactions.from_csv(path, separator=separator)
    return caught.value.defects


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with pytest.raises(SchemaError, match="There is no such file"):
        Interactions.from_csv(path)
    assert "It is empty." in defects_of_file(path, "\n \n")[0]
    assert "not plain text" in defects_of_file(path, b"PK\x03\x04\x14\0sheet")[0]
    assert "not plain text" in defects_of_file(path, "user_id,item_id\n1,2\n".encode("utf-16"))[0]
    assert "There are no rows." in defects_of_file(path, "user_id,item_id\n")[0]
    assert "first line is not a header but data" in defects_of_file(path, "196,242,3\n186,302,3\n")[0]
    assert "quotation mark left open in or before line 3" in defects_of_file(path, 'user_id,item_id\n"a,1\nb,2\n')[0]


@pytest.mark.parametrize(("separator", "called"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar"), (",", "comma")])
def test_a_wrong_separator_is_told_from_the_right_one(tmp_path: Path, separator: str, called: str) -> None:
    content = f"user_id{separator}item_id\n1{separator}2\n"
    (defect,) = defects_of_file(tmp_path / "table.csv", content, separator="," if separator != "," else ";")
    assert f"seems to be a {called}: pass separator={separator!r}" in defect


def test_a_file_in_another_encoding_names_its_lines_and_its_other_defects(tmp_path: Path) -> None:
    content = "user_id,item_id,rating\nJosé,1,5\nAna,2,x\nJosè,1,4\n".encode("latin-1")
    encoding, rating = defects_of_file(tmp_path / "table.csv", content)
    assert encoding.startswith("It is not UTF-8 text in lines 2, 4.")
    assert rating.startswith("rating is not a number in line 3 ('x').")


def test_ids_in_a_file_keep_their_zeros_column_by_column(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("\ufeffuser_id,item_id,zip\n001,10,1\n1,9,02460\n", encoding="utf-8")
    interactions = Interactions.from_csv(path)
    assert interactions.user_ids.tolist() == ["001", "1"]
    assert interactions.item_ids.tolist() == [9, 10]
    path.write_text("user_id,item_id\n1e5,NA\n1e6,None\n", encoding="utf-8")
    interactions = Interactions.from_csv(path)
    assert interactions.user_ids.tolist() == ["1e5", "1e6"]
    assert interactions.item_ids.tolist() == ["NA", "None"]


def test_a_broken_file_with_repeated_events_reports_only_what_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("user_id,item_id\n1,2\n1,2\n2,3,4\n5\n", encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        read_csv(path, duplicates="keep")
    assert [defect.split(". ")[0] for defect in caught.value.defects] == [
        "There are not 2 fields as in the header, but 1 or 3, in lines 4, 5",
        "There is only one user, user_id 1",
        "There is only one item, item_id 2",
    ]
