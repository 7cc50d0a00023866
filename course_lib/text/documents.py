"""What a language model reads about an item or a user: plain texts, one each.

Taught in 04_bert_encoding.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from course_lib.data import Interactions


def film_names(items: pd.DataFrame) -> list[str]:
    """The bare title of each film, article first: "The Usual Suspects"."""
    return items["display_title"].tolist()


def film_titles(items: pd.DataFrame) -> list[str]:
    """Title, year and genres of each film, as one text.

    Such as "Toy Story (1995). Animation, Children's, Comedy." What the source does not know is left out.

    Parameters
    ----------
    items : DataFrame, [num_items rows]
        Columns display_title, year, genres, as `load("movielens-100k").items` has them.

    Returns
    -------
    list of str, [num_items]
    """
    texts = []
    for title, year, genres in zip(items["display_title"], items["year"], items["genres"], strict=True):
        known = [genre for genre in genres if genre != "unknown"]
        sentences = [title if pd.isna(year) else f"{title} ({year})", ", ".join(known)]
        texts.append(" ".join(f"{sentence}." for sentence in sentences if sentence))
    return texts


def film_profiles(items: pd.DataFrame, profiles: pd.DataFrame) -> list[str]:
    """What a language model wrote about each film; "" for a film without a profile, which is announced.

    Parameters
    ----------
    items : DataFrame, [num_items rows]
        Column item_id.
    profiles : DataFrame
        Columns item_id and profile, as `load_item_profiles()` has them; in any order.

    Returns
    -------
    list of str, [num_items]

    Raises
    ------
    ValueError
        Where two profiles have one item_id.
    """
    return _of_items(items, profiles["item_id"], profiles["profile"])


def film_keywords(items: pd.DataFrame, profiles: pd.DataFrame) -> list[str]:
    """The keywords of each film's profile as one text, "living toys, rivals become friends"; as `film_profiles`."""
    return _of_items(items, profiles["item_id"], profiles["keywords"].map(", ".join))


def product_texts(items: pd.DataFrame) -> list[str]:
    """The sentence about each product: "string cheese, cheese, sold in grocery, 12 oz."

    Made by `course_lib.data.complete_journey.describe_products`.
    """
    return items["text"].tolist()


def user_documents(train: Interactions, item_texts: Sequence[str], max_items: int = 10) -> list[str]:
    """A text about each user: the texts of the items taken in training, the most recent first.

    Items of the same second, or of a data set without times, come in the order of their numbers. An item taken twice
    is named once, an item without a text not at all.

    Parameters
    ----------
    train : Interactions
        The training part of a split. Given more, the text tells what the user is going to take: a leak.
    item_texts : sequence of str, [num_items]
    max_items : int
        Items named, at most. An encoder reads 256 tokens, some 15 film titles with genres.

    Returns
    -------
    list of str, [num_users]
        "" for a user without a history.
    """
    if len(item_texts) != train.num_items:
        raise ValueError(f"item_texts has {len(item_texts):,} texts, but there are {train.num_items:,} items")
    if max_items < 1:
        raise ValueError(f"max_items is {max_items}; name one item at least")
    age = np.zeros(len(train)) if train.timestamp is None else -train.timestamp
    order = np.lexsort((train.item, age, train.user))
    start = np.searchsorted(train.user[order], np.arange(train.num_users + 1))
    items = train.item[order]
    documents = []
    for user in range(train.num_users):
        taken = dict.fromkeys(items[start[user] : start[user + 1]].tolist())
        texts = [item_texts[item] for item in taken if item_texts[item].strip()]
        documents.append(" ".join(texts[:max_items]))
    return documents


def _of_items(items: pd.DataFrame, item_ids: pd.Series, texts: pd.Series) -> list[str]:
    """Texts in the order of the items; "" where there is none."""
    twice = item_ids[item_ids.duplicated()]
    if len(twice):
        raise ValueError(f"item_id {twice.iloc[0]} has more than one profile")
    text_of = dict(zip(item_ids, texts, strict=True))
    missing = [item_id for item_id in items["item_id"] if item_id not in text_of]
    if missing:
        shown = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        warnings.warn(
            f"{len(missing):,} of {len(items):,} items have no profile and get an empty text: item_id {shown}",
            stacklevel=3,
        )
    return [text_of.get(item_id, "") for item_id in items["item_id"]]
