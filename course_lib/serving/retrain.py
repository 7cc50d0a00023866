"""A new bundle from old data and new events, and the gate it must pass.

Taught in 07_deployment.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from course_lib import splits
from course_lib.data import Interactions, load
from course_lib.evaluation import evaluate
from course_lib.evaluation.intervals import Comparison, compare
from course_lib.models import LightGCN
from course_lib.serving.bundle import Item, load_bundle
from course_lib.serving.drift import Drift, drift_of
from course_lib.serving.export import film_items, make_bundle, measure, read_words, served_scores, write_with_encoder
from course_lib.serving.scoring import Catalogue, text_vector
from course_lib.serving.store import LIKED_FROM, EventStore, user_hash
from course_lib.splits import Split
from course_lib.text import TextEncoder

VALID_SHARE = 10  # one event in ten is kept for the gate


@dataclass(frozen=True, eq=False)
class Base:
    """What was there before any event.

    Attributes
    ----------
    split : Split
        Of the protocol `benchmark`.
    everything : Interactions
        All parts of the split together.
    items : list of Item, [num_items]
    """

    split: Split
    everything: Interactions
    items: list[Item]


@dataclass(frozen=True, eq=False)
class Report:
    """What came of it.

    Attributes
    ----------
    comparison : Comparison
        New minus old, NDCG@10 of the same users on the same validation clicks, with a 95 % interval.
    margin : float
        What the new bundle may lose.
    drift : Drift
    version : str
        Of the bundle that was written; "" where the gate kept it back.
    """

    comparison: Comparison
    margin: float
    drift: Drift
    version: str

    @property
    def passed(self) -> bool:
        """Whether even the low end of the interval is above minus the margin."""
        return self.comparison.low >= -self.margin

    def text(self) -> str:
        """For the terminal."""
        verdict = (
            f"passed: bundle {self.version} written; reload the service"
            if self.passed
            else f"refused: it may lose more than {self.margin:g}; nothing was replaced"
        )
        return f"{self.drift.text()}\nValidation: {self.comparison}\nGate (lose {self.margin:g} at most): {verdict}"


def retrain_films(folder: Path, database: Path, margin: float, seed: int, with_encoder: bool) -> Report:
    """Retrain the bundle of MovieLens-100K with the events of a database."""
    dataset = load("movielens-100k")
    base = Base(splits.make("benchmark", dataset), dataset.interactions, film_items())
    store = EventStore(database)
    try:
        return retrain(base, folder, store, LightGCN(seed=seed), TextEncoder(), margin, with_encoder)
    finally:
        store.close()


def retrain(
    base: Base,
    folder: Path,
    store: EventStore,
    model: LightGCN,
    encoder: TextEncoder,
    margin: float,
    with_encoder: bool = True,
) -> Report:
    """Train on what was there and on nine tenths of the events; replace the bundle where the gate allows.

    Both bundles are judged on the clicks that neither has trained on: the base's validation part, and the tenth of the
    events that always stays out, because a hash of user and item decides it.

    Raises
    ------
    BundleError, StoreError
        Where the old bundle or the events cannot be read.
    """
    old = load_bundle(folder)
    split, everything, items = combine(base, store)
    words = read_words(items, encoder)
    new = make_bundle(model.fit(split), split, everything, words)
    history = split.task("valid").history
    grown = Catalogue.of(old, [(one.item, text_vector(old, one.vectors)) for one in store.new_items()])
    item_ids = [item.item_id for item in items]
    found = {
        name: replace(evaluate(_scores(catalogue, history, item_ids), split, k=(10,), part="valid"), model=name)
        for name, catalogue in (("new bundle", Catalogue.of(new)), ("old bundle", grown))
    }
    comparison = compare(found["new bundle"], found["old bundle"])
    report = Report(comparison, margin, drift_of(old, store), "")
    if not report.passed:
        return report
    new = replace(new, metrics={**measure(new, split, [model]), "gate": str(comparison), "margin": margin})
    return replace(report, version=write_with_encoder(new, folder, encoder if with_encoder else None))


def combine(base: Base, store: EventStore) -> tuple[Split, Interactions, list[Item]]:
    """The base with the store's events and items added, and everybody left out who asked to be forgotten.

    Returns
    -------
    split : Split
        Training and validation parts have grown; the test part is the base's.
    everything : Interactions
    items : list of Item
    """
    known = {item.item_id for item in base.items}
    items = base.items + [one.item for one in store.new_items() if one.item.item_id not in known]
    pairs = _liked_pairs(store)
    user_ids = list(dict.fromkeys([*map(str, base.everything.user_ids), *(user_id for user_id, _ in pairs)]))
    item_ids = [item.item_id for item in items]
    gone = store.forgotten()
    forgotten = np.array([user_hash(user_id) in gone for user_id in user_ids], dtype=bool)

    def part(old: Interactions, added: Sequence[tuple[str, str]]) -> Interactions:
        return _extend(old, added, user_ids, item_ids, forgotten)

    known_pairs = part(base.everything, []).to_frame()
    taken = set(zip(known_pairs["user_id"], known_pairs["item_id"], strict=True))
    fresh = [pair for pair in pairs if pair not in taken]
    train = [pair for pair in fresh if not _is_valid(*pair)]
    valid = [pair for pair in fresh if _is_valid(*pair)]
    split, nothing = base.split, part(base.split.fold_in_test, [])
    every_item = np.ones(len(items), dtype=bool)
    combined = replace(
        split,
        train=part(split.train, train),
        valid=part(split.valid, valid),
        test=part(split.test, []),
        fold_in_valid=nothing,
        fold_in_test=nothing,
        candidates_valid=every_item,
        candidates_test=every_item,
    )
    return combined, part(base.everything, fresh), items


def _liked_pairs(store: EventStore) -> list[tuple[str, str]]:
    """Users and items of the events, each pair once, without what its last rating disliked."""
    liked: dict[tuple[str, str], bool] = {}
    for user_id, item_id, rating, _ in store.events():
        pair = (user_id, item_id)
        liked[pair] = liked.get(pair, True) if rating is None else rating >= LIKED_FROM
    return [pair for pair, likes in liked.items() if likes]


def _is_valid(user_id: str, item_id: str) -> bool:
    digest = hashlib.sha256(f"{user_id}\0{item_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % VALID_SHARE == 0


def _extend(
    old: Interactions,
    added: Sequence[tuple[str, str]],
    user_ids: list[str],
    item_ids: list[str],
    forgotten: np.ndarray,
) -> Interactions:
    """Interactions under longer lists of users and items, those of forgotten users of the base left out."""
    keep = ~forgotten[old.user]
    user_position = {user_id: number for number, user_id in enumerate(user_ids)}
    item_position = {item_id: number for number, item_id in enumerate(item_ids)}
    pairs = [(user_position[user], item_position[item]) for user, item in added if item in item_position]
    extra = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    return Interactions(
        user=np.concatenate([old.user[keep], extra[:, 0]]),
        item=np.concatenate([old.item[keep], extra[:, 1]]),
        rating=np.concatenate([old.rating[keep], np.ones(len(extra), dtype=np.float32)]),
        timestamp=None,
        user_ids=np.array(user_ids, dtype=object),
        item_ids=np.array(item_ids, dtype=object),
    )


def _scores(catalogue: Catalogue, histories: sparse.csr_matrix, item_ids: list[str]) -> np.ndarray:
    """What a catalogue would answer, with its items in another order, [num_rows, num_items]."""
    columns = np.array([catalogue.position[item_id] for item_id in item_ids])
    shape = (histories.shape[0], len(catalogue.items))
    own = sparse.csr_matrix((histories.data, columns[histories.indices], histories.indptr), shape)
    return served_scores(catalogue, own, catalogue.bundle.settings["alpha"])[:, columns]
