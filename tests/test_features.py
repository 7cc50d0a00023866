"""What models read of the words: documents about items and users, and vectors of them with their controls."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course_lib import sources, splits
from course_lib.data import Dataset, Interactions, load_item_profiles
from course_lib.text.documents import (
    film_keywords,
    film_names,
    film_profiles,
    film_titles,
    product_texts,
    user_documents,
)
from course_lib.text.encoder import TextEncoder
from course_lib.text.features import (
    FixedVectors,
    ItemText,
    RandomVectors,
    Shuffled,
    genre_vectors,
    unit_rows,
)

pytest_plugins = ["text_room"]

DOCUMENTS = {"title": ["a cat", "two dogs", "", "a garden gate"], "profile": ["It purrs.", "", "", "It creaks."]}


def interactions(user: list[int], item: list[int], timestamp: list[int] | None) -> Interactions:
    """Three users, four items."""
    times = None if timestamp is None else np.array(timestamp, dtype=np.int64)
    ones = np.ones(len(user), dtype=np.float32)
    return Interactions(np.array(user), np.array(item), ones, times, np.arange(3), np.arange(4))


def test_item_text_is_centred_scaled_and_side_by_side(tiny: TextEncoder) -> None:
    features = ItemText(DOCUMENTS, tiny)
    assert (features.name, features.vectors.shape, features.vectors.dtype) == ("title + profile", (4, 32), np.float32)
    title = tiny.encode(DOCUMENTS["title"])
    centred = title - title[[0, 1, 3]].mean(axis=0)  # the item without a title is not part of the mean
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True) / np.sqrt(2)
    np.testing.assert_allclose(features.vectors[[0, 1, 3], :16], expected[[0, 1, 3]], atol=1e-6)
    lengths = np.linalg.norm(features.vectors, axis=1)
    np.testing.assert_allclose(lengths, [1, np.sqrt(0.5), 0, 1], atol=1e-6)


def test_equal_texts_have_nothing_that_tells_them_apart(tiny: TextEncoder) -> None:
    assert not ItemText({"title": ["a cat"] * 3}, tiny).vectors.any()  # and no rounding error blown up to length 1
    assert not ItemText({"title": ["", ""]}, tiny).vectors.any()


def test_new_items_are_centred_by_the_catalogue(tiny: TextEncoder) -> None:
    features = ItemText(DOCUMENTS, tiny)
    last = {
        name: texts[-1:] for name, texts in reversed(DOCUMENTS.items())
    }  # the order of the fields is the catalogue's
    np.testing.assert_array_equal(features.vectors_of(last), features.vectors[-1:])
    assert np.isclose(np.linalg.norm(features.vectors_of({"title": ["a cow"], "profile": ["It moos."]})), 1)
    with pytest.raises(ValueError, match="has the fields title; needed are title, profile"):
        features.vectors_of({"title": ["a cow"]})


def test_bad_documents_are_named(tiny: TextEncoder) -> None:
    with pytest.raises(ValueError, match=r"documents\['profile'\]\[1\] is None"):
        ItemText({"title": ["a", "b"], "profile": ["a", None]}, tiny)  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"numbers differ: {'title': 2, 'profile': 1}"):
        ItemText({"title": ["a", "b"], "profile": ["a"]}, tiny)
    with pytest.raises(ValueError, match="documents is empty"):
        ItemText({}, tiny)


def test_key_is_of_texts_and_encoder_and_computes_nothing(tiny_folder: Path, empty_cache: Path) -> None:
    assert ItemText({"title": ["Toy Story"]}).key == "3dbbb429c89e2206"  # the same on every machine
    encoder = TextEncoder(str(tiny_folder), max_length=32)
    features = ItemText(DOCUMENTS, encoder)
    changed = {**DOCUMENTS, "title": ["a hat", *DOCUMENTS["title"][1:]]}
    others = [
        ItemText(changed, encoder),
        ItemText({"name": DOCUMENTS["title"], "profile": DOCUMENTS["profile"]}, encoder),
        ItemText(DOCUMENTS, replace(encoder, pooling="max")),
        Shuffled(features, seed=1),
        Shuffled(features, seed=2),
    ]
    assert len({features.key, *(one.key for one in others)}) == 6
    assert "bert" not in vars(encoder)


def test_shuffled_keeps_every_vector_and_moves_them(tiny: TextEncoder) -> None:
    features = FixedVectors(np.arange(20).reshape(10, 2))
    control = Shuffled(features, seed=3)
    assert control.name == "vectors, shuffled"
    assert sorted(control.vectors[:, 0].tolist()) == features.vectors[:, 0].tolist()
    assert (control.vectors[:, 1] - control.vectors[:, 0] == 1).all()  # rows stay whole
    assert (control.vectors != features.vectors).any()
    assert (Shuffled(features, seed=3).vectors == control.vectors).all()


def test_random_vectors_are_directions_fixed_by_their_seed() -> None:
    first, again, other = (RandomVectors(200, 16, seed) for seed in (0, 0, 1))
    np.testing.assert_allclose(np.linalg.norm(first.vectors, axis=1), 1, atol=1e-6)
    assert first.key == again.key != other.key
    assert abs(first.vectors.mean()) < 0.01


def test_genre_vectors_by_hand() -> None:
    features = genre_vectors([("Comedy", "Action"), ("Comedy",), ("unknown",), ()])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(features.vectors, [[half, half], [0, 1], [0, 0], [0, 0]], atol=1e-7)


def test_genres_of_movielens(movielens: Dataset) -> None:
    features = genre_vectors(movielens.items["genres"])
    assert features.vectors.shape == (1682, 18)
    assert np.flatnonzero(~features.vectors.any(axis=1)).tolist() == [266, 1372]


@pytest.mark.parametrize("bad", [np.zeros(3), np.array([[1.0, np.nan]])])
def test_fixed_vectors_must_be_a_finite_table(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="table of finite numbers"):
        FixedVectors(bad)


def test_zero_rows_stay_zero() -> None:
    assert unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[0.6, 0.8], [0, 0]]


def test_film_texts(movielens: Dataset) -> None:
    titles, names = film_titles(movielens.items), film_names(movielens.items)
    assert (titles[0], names[0]) == ("Toy Story (1995). Animation, Children's, Comedy.", "Toy Story")
    assert titles[266] == "unknown."  # neither year nor genre
    assert len(titles) == len(names) == 1682


def test_profiles_follow_the_items(movielens: Dataset) -> None:
    profiles = load_item_profiles()
    items, mixed = movielens.items.iloc[[5, 0]], profiles.sample(frac=1, random_state=0)
    assert film_profiles(items, mixed) == [profiles["profile"][5], profiles["profile"][0]]
    assert film_keywords(items, mixed)[1].startswith("living toys, rivals become friends, ")


def test_item_without_profile_is_announced_and_empty(movielens: Dataset) -> None:
    profiles = load_item_profiles().drop([2, 7])
    with pytest.warns(UserWarning, match="2 of 1,682 items have no profile and get an empty text: item_id 3, 8$"):
        texts = film_profiles(movielens.items, profiles)
    assert [place for place, text in enumerate(texts) if not text] == [2, 7]
    with pytest.raises(ValueError, match="item_id 5 has more than one profile"):
        film_profiles(movielens.items, pd.concat([profiles, profiles.iloc[[3]]]))


def test_profile_file_with_broken_lines_says_where(tmp_path: Path) -> None:
    lines = (sources.fetch("ml-100k-item-profiles") / "ml-100k-item-profiles.jsonl").read_text("utf-8").splitlines()
    lines[2] = lines[2][:40]
    lines[4] = json.dumps({**json.loads(lines[4]), "profile": None})
    path = tmp_path / "profiles.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"(?s)profiles.jsonl cannot be used.*line 3: not JSON.*line 5: field 'profile'"
    ):
        load_item_profiles(path)


def test_product_texts_are_the_sentences_of_the_table() -> None:
    assert product_texts(pd.DataFrame({"text": ["milk.", "bread."]}, index=[7, 3])) == ["milk.", "bread."]


def test_user_text_names_the_most_recent_items_first() -> None:
    texts = ["A.", "B.", "", "D."]
    train = interactions([0, 0, 0, 0, 2, 2], [1, 0, 2, 3, 3, 3], [5, 9, 9, 9, 1, 2])
    assert user_documents(train, texts) == ["A. D. B.", "", "D."]
    assert user_documents(train, texts, max_items=2) == ["A. D.", "", "D."]
    assert user_documents(replace(train, timestamp=None), texts) == ["A. B. D.", "", "D."]
    assert user_documents(train.select(np.array([5, 3, 1, 4, 2, 0])), texts) == user_documents(train, texts)
    with pytest.raises(ValueError, match="item_texts has 2 texts, but there are 4 items"):
        user_documents(train, texts[:2])
    with pytest.raises(ValueError, match="max_items is 0"):
        user_documents(train, texts, max_items=0)


def test_user_text_of_a_split_tells_nothing_of_valid_and_test(movielens: Dataset) -> None:
    split = splits.benchmark(movielens.interactions, seed=0)
    numbers = [f"<{item}>" for item in range(movielens.interactions.num_items)]
    documents = user_documents(split.train, numbers, max_items=2000)
    R = split.train.matrix()
    for user in (0, 12, 942):
        named = {int(one.strip("<>")) for one in documents[user].split()}
        assert named == set(R[user].indices.tolist())
