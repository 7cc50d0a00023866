"""The clothing reviews: what the elective counts on, copies that must not be torn apart, and a broken file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.data.clothing_reviews import FILE, NAMES, group_copies, join_text, load_clothing_reviews


@pytest.fixture(scope="module")
def reviews() -> pd.DataFrame:
    return load_clothing_reviews()


def published(**columns: list) -> pd.DataFrame:
    """Two reviews as the publisher names and stores things."""
    table = pd.DataFrame(
        {
            "Clothing ID": [1080, 1077],
            "Age": [34, 60],
            "Title": ["Lovely", None],
            "Review Text": ["I wear it\r\n  every day 👗", None],
            "Rating": [5, 3],
            "Recommended IND": [1, 0],
            "Positive Feedback Count": [4, 0],
            "Division Name": ["Initmates", None],
            "Department Name": ["Intimate", None],
            "Class Name": ["Lounge", None],
        }
    )
    return table.assign(**columns)


def written(table: pd.DataFrame, folder: Path) -> Path:
    table.to_parquet(folder / FILE, compression="brotli")
    return folder


def test_counts(reviews: pd.DataFrame) -> None:
    assert len(reviews) == 23_486
    assert list(reviews.columns) == [*NAMES.values(), "text", "text_group"]
    assert reviews["item_id"].nunique() == 1206
    assert reviews["rating"].value_counts().sort_index().tolist() == [842, 1565, 2871, 5077, 13131]
    assert (reviews["body"] == "").sum() == 845
    assert (reviews["title"] == "").sum() == 3810
    assert (reviews["department"] == "").sum() == 14
    assert set(reviews["division"]) == {"General", "General Petite", "Intimates", ""}
    assert reviews["rating"].dtype == reviews["item_id"].dtype == np.int64
    assert reviews["recommended"].dtype == bool


def test_no_text_is_missing_or_broken_over_lines(reviews: pd.DataFrame) -> None:
    for column in ("title", "body", "text", "division", "department", "garment"):
        assert reviews[column].map(lambda value: isinstance(value, str)).all()
        assert not reviews[column].str.contains(r"[\r\n]|  |^ | $", regex=True).any()
    some = reviews.iloc[2]
    assert some["text"] == f"{some['title']}. {some['body']}"
    assert some["title"] == "Some major design flaws"


def test_copies_share_a_group(reviews: pd.DataFrame) -> None:
    with_body = reviews[reviews["body"] != ""]
    assert with_body.groupby("body")["text_group"].nunique().max() == 1
    assert with_body["text_group"].duplicated().sum() == 14
    without_body = reviews[reviews["body"] == ""]
    assert without_body["text_group"].is_unique
    assert not set(without_body["text_group"]) & set(with_body["text_group"])
    swimwear = reviews.loc[[7639, 10067, 13354]]  # the same words about three items
    assert len(set(swimwear["text_group"])) == 1
    assert len(set(swimwear["item_id"])) == 3


@given(st.lists(st.text(max_size=30), max_size=20))
def test_groups_follow_letters_and_digits(texts: list[str]) -> None:
    groups = group_copies(pd.Series(texts))
    spelt = ["".join(letter for letter in text.lower() if letter.isalnum()) for text in texts]
    for first in range(len(texts)):
        for second in range(first):
            same = groups[first] == groups[second]
            if spelt[first] != spelt[second] or not spelt[first]:
                assert not same
            elif texts[first] == texts[second]:
                assert same


def test_an_edited_end_is_still_a_copy_but_an_edited_start_is_not() -> None:
    long = "A wonderful dress for warm evenings, light, soft, well cut and just long enough for someone of my height"
    bodies = pd.Series([long, long.upper() + "!!", long + ", says my sister", "Not " + long, "", ""])
    assert group_copies(bodies).tolist() == [0, 0, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("title", "body", "text"),
    [
        ("Lovely", "I wear it.", "Lovely. I wear it."),
        ("Lovely!", "I wear it.", "Lovely! I wear it."),
        ("", "I wear it.", "I wear it."),
        ("Lovely", "", "Lovely."),
        ("", "", ""),
    ],
)
def test_title_and_body_become_one_text(title: str, body: str, text: str) -> None:
    assert join_text(title, body) == text


def test_the_published_form(tmp_path: Path) -> None:
    reviews = load_clothing_reviews(written(published(), tmp_path))
    assert reviews["text"].tolist() == ["Lovely. I wear it every day 👗", ""]
    assert reviews["division"].tolist() == ["Intimates", ""]
    assert reviews["recommended"].tolist() == [True, False]
    assert reviews["text_group"].tolist() == [0, 1]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    folder = written(published().drop(columns=["Rating", "Title"]), tmp_path)
    with pytest.raises(ValueError, match="has no column Title, Rating; it has Clothing ID, Age, Review Text"):
        load_clothing_reviews(folder)


@pytest.mark.parametrize("rating", [[5, 0], [5, 6], [5, None], [5, 4.5], ["5", "five"]])
def test_a_wrong_rating_is_named_by_row(rating: list, tmp_path: Path) -> None:
    folder = written(published(Rating=rating), tmp_path)
    with pytest.raises(ValueError, match=r"the rating is not 1, 2, 3, 4 or 5 in rows \[(0, )?1\] \([12] in all\)"):
        load_clothing_reviews(folder)


def test_an_empty_folder_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="WomensClothing"):
        load_clothing_reviews(tmp_path)
