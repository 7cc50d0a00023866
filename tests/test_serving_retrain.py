"""Keeping it fresh: events are trained on, a worse bundle is kept back, drift is seen, the forgotten are left out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from serving_tools import make_bundle

from course_lib import splits
from course_lib.data import Interactions
from course_lib.models import LightGCN
from course_lib.serving.bundle import Item, load_bundle, write
from course_lib.serving.drift import drift_of
from course_lib.serving.engine import Engine
from course_lib.serving.export import evaluate_served, fit_text_map, read_words
from course_lib.serving.export import make_bundle as bundle_of
from course_lib.serving.retrain import Base, combine, retrain
from course_lib.serving.store import Event, EventStore, NewItem

pytest_plugins = ["serving_room", "text_room"]
NUM_USERS, NUM_ITEMS = 60, 80
SMALL = {"embedding_dim": 8, "num_epochs": 60, "validate_every": 20, "device": "cpu"}


@pytest.fixture
def base() -> Base:
    """Two camps again, as data to train on."""
    rng = np.random.default_rng(7)
    same = np.arange(NUM_USERS)[:, None] % 2 == np.arange(NUM_ITEMS)[None, :] % 2
    user, item = np.nonzero(rng.random(same.shape) < np.where(same, 0.3, 0.02))
    data = Interactions.from_frame(pd.DataFrame({"user_id": user, "item_id": item}))
    titles = ["space battle film", "quiet village film"]
    items = [Item(str(item_id), f"{titles[item_id % 2]} {item_id}") for item_id in data.item_ids]
    return Base(splits.named(splits.benchmark(data), "two camps", "benchmark"), data, items)


@pytest.fixture
def served(base, tiny, tmp_path) -> Path:
    """A bundle trained on that data."""
    words = read_words(base.items, tiny)
    bundle = bundle_of(LightGCN(seed=1, **SMALL).fit(base.split), base.split, base.everything, words)
    write(bundle, tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def store(tmp_path):
    store = EventStore(tmp_path / "events.sqlite3")
    yield store
    store.close()


def newcomers(base, num_users=12):
    """New users who each take most of one camp."""
    return [
        Event(f"{user}-{item}", f"new-{user}", base.items[item].item_id)
        for user in range(num_users)
        for item in range(user % 2, len(base.items), 2)
        if (user + item) % 3
    ]


def test_events_make_a_new_bundle_that_knows_the_new_users(base, served, store, tiny):
    before = load_bundle(served)
    store.append(newcomers(base))
    report = retrain(base, served, store, LightGCN(seed=1, **SMALL), tiny, margin=0.2, with_encoder=False)
    after = load_bundle(served)
    assert report.passed and report.version == after.version != before.version
    assert set(after.user_ids) - set(before.user_ids) == {f"new-{user}" for user in range(12)}
    assert "gate" in after.metrics and f"{report.comparison.low:+.4f}" in report.text()
    engine = Engine(served, store)
    assert engine.recommend_user("new-0", 5, None).user is not None


def test_a_worse_bundle_is_kept_back(base, served, store, tiny):
    before = load_bundle(served).version
    store.append(newcomers(base))
    untrained = LightGCN(seed=1, **{**SMALL, "num_epochs": 1, "learning_rate": 1e-6, "validate_every": 1})
    report = retrain(base, served, store, untrained, tiny, margin=0.01, with_encoder=False)
    assert not report.passed and report.version == "" and report.comparison.low < -0.01
    assert load_bundle(served).version == before
    assert "nothing was replaced" in report.text()


def test_what_validates_once_never_trains(base, store):
    store.append(newcomers(base, 6))
    first = combine(base, store)[0]
    store.append(newcomers(base, 12)[len(newcomers(base, 6)) :])
    second = combine(base, store)[0]

    def pairs(part):
        frame = part.to_frame()
        return set(zip(frame["user_id"], frame["item_id"], strict=True))

    assert len(pairs(first.valid)) > len(base.split.valid), "some events validate"
    assert pairs(first.valid) <= pairs(second.valid) and not pairs(first.valid) & pairs(second.train)
    assert not pairs(second.train) & (pairs(second.valid) | pairs(second.test))


def test_the_forgotten_and_the_disliked_are_left_out(base, store):
    store.append([Event("a", "someone", "1"), Event("b", "else", "2", "rating", 1.0), Event("c", "3", "4")])
    store.forget("someone")
    store.forget("3")
    split, everything, _ = combine(base, store)
    counts = everything.to_frame()["user_id"].value_counts()
    assert "someone" not in everything.user_ids and "else" not in everything.user_ids
    assert "3" not in counts and counts["4"] == (base.everything.user == 4).sum()
    assert not (split.train.user_ids[split.train.user] == "3").any()


def test_a_new_item_is_taken_into_the_next_bundle(base, served, store, tiny):
    old = load_bundle(served)
    item = Item("new-1", "space battle sequel")
    vectors = np.stack([tiny.encode([f"{item.title}."])[0], np.zeros(tiny.dim, np.float32)])
    store.add_item(NewItem(item, vectors, tiny.key))
    store.append([Event(f"{user}", str(user), "new-1") for user in range(0, 40, 2)])
    engine = Engine(served, store)
    assert engine.serving.catalogue.items[-1] == item and len(old.items) == len(base.items)
    assert retrain(base, served, store, LightGCN(seed=1, **SMALL), tiny, margin=0.3, with_encoder=False).passed
    engine.reload()
    catalogue = engine.serving.catalogue
    assert [one.item_id for one in catalogue.items].count("new-1") == 1
    near = np.argsort(-catalogue.similar(catalogue.position["new-1"], 0.0))[1:11]
    assert (near % 2 == 0).mean() > 0.7, "its graph vector lies among its takers' items"


def test_the_served_score_is_measured_from_histories_alone(base, served, tiny):
    bundle = load_bundle(served)
    good = evaluate_served(bundle, base.split).mean("ndcg@10")
    order = np.random.default_rng(0).permutation(len(bundle.items))
    wrong = type(bundle)(**{**vars(bundle), "item_vectors": bundle.item_vectors[order], "version": ""})
    assert good > 1.5 * evaluate_served(wrong, base.split).mean("ndcg@10")


def test_the_text_map_is_ridge_regression():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    E, H = rng.standard_normal((50, 7)), rng.standard_normal((50, 3))
    taken = np.arange(0, 50, 2)
    W, b = fit_text_map(H, E, taken)
    np.testing.assert_allclose(E @ W + b, Ridge(alpha=10.0).fit(E[taken], H[taken]).predict(E), atol=1e-4)


def test_drift_is_told_from_chance(store):
    bundle = make_bundle()
    rng = np.random.default_rng(1)
    p = bundle.popularity / bundle.popularity.sum()
    usual = [Event(f"u{n}", "1", str(item + 1)) for n, item in enumerate(rng.choice(len(p), 300, p=p))]
    store.append(usual)
    calm = drift_of(bundle, store)
    assert calm.divergence < calm.by_chance * 1.1 and calm.new_users == calm.new_items == 0
    store.append([Event(f"d{n}", f"stranger-{n}", "7") for n in range(300)])
    moved = drift_of(bundle, store)
    assert moved.divergence > 2 * moved.by_chance and moved.new_users == 0.5
