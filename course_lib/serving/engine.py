"""What the service answers, without HTTP: histories from the store, vectors from the bundle, both in one place.

Everything a request needs hangs on one object, `Serving`, that is replaced as a whole: a request that has begun keeps
the one it began with, so a new bundle never meets half an answer. Taught in 07_deployment.
"""

import hashlib
import logging
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from course_lib.serving.bundle import Bundle, Item, load_bundle
from course_lib.serving.scoring import Catalogue, UserVector, text_vector, top
from course_lib.serving.store import EventStore, NewItem
from course_lib.serving.texts import fold, title_text

CACHED_USERS = 4_096
log = logging.getLogger("course.serving")


class UnknownUser(LookupError):
    """Neither the bundle nor the store knows this user."""


class UnknownItem(LookupError):
    """An item is not in the catalogue."""


class EncoderNotReady(RuntimeError):
    """The text encoder is loading, or the bundle has none."""


class Encoder(Protocol):
    """What the engine needs of a text encoder."""

    key: str

    def encode(self, texts: list[str]) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Serving:
    """What one request sees from beginning to end."""

    bundle: Bundle
    catalogue: Catalogue
    last_item: int
    user_row: dict[str, int]
    vectors: dict[bytes, UserVector] = field(default_factory=dict)

    @cached_property
    def titles(self) -> list[str]:
        """Titles as the search compares them."""
        return [fold(item.title) for item in self.catalogue.items]

    def bundle_history(self, row: int) -> np.ndarray:
        """Positions of what a user of the bundle took."""
        start, stop = self.bundle.indptr[row : row + 2]
        return self.bundle.indices[start:stop]

    def num_paths(self, first: int, second: int) -> int:
        """Users of the bundle who took both items; 0 for a new one."""
        return len(np.intersect1d(self._takers(first), self._takers(second), assume_unique=True))

    def _takers(self, item: int) -> np.ndarray:
        order, start = self._by_item
        return order[start[item] : start[item + 1]] if item + 1 < len(start) else order[:0]

    @cached_property
    def _by_item(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the users sorted by the item they took, and where each item begins."""
        bundle = self.bundle
        rows = np.repeat(np.arange(len(bundle.user_ids)), np.diff(bundle.indptr))
        counts = np.bincount(bundle.indices, minlength=len(bundle.items))
        return rows[np.argsort(bundle.indices, kind="stable")], np.concatenate([[0], np.cumsum(counts)])

    def vector_of(self, liked: np.ndarray) -> UserVector:
        """The user's vector, remembered by the history that it is made of: it can never be out of date."""
        key = liked.tobytes()
        found = self.vectors.get(key)
        if found is None:
            if len(self.vectors) >= CACHED_USERS:
                self.vectors.clear()
            found = self.vectors[key] = self.catalogue.user(liked)
        return found


@dataclass(frozen=True, eq=False)
class Ranking:
    """Recommended items, best first.

    Attributes
    ----------
    serving : Serving
    items : ndarray of int, [k]
        Positions in the catalogue.
    scores : ndarray of float32, [k]
    user : UserVector or None
        None where there was no history to go by and the popular items are shown.
    alpha : float
    """

    serving: Serving
    items: np.ndarray
    scores: np.ndarray
    user: UserVector | None
    alpha: float


class Engine:
    """A bundle and a store, ready to answer.

    Parameters
    ----------
    folder : path
        The bundle; `reload` reads it again.
    store : EventStore

    Raises
    ------
    BundleError, StoreError
    """

    def __init__(self, folder: str | Path, store: EventStore) -> None:
        self.folder, self.store = Path(folder), store
        self.encoder: Encoder | None = None
        self.encoder_state = "absent"
        self._swap = threading.Lock()  # two reloads at a time would undo each other
        self.serving = self._serve(load_bundle(folder))

    def _serve(self, bundle: Bundle) -> Serving:
        last_item = self.store.last_item()
        catalogue = Catalogue.of(bundle, self._new_items(bundle))
        return Serving(bundle, catalogue, last_item, {user_id: row for row, user_id in enumerate(bundle.user_ids)})

    def _new_items(self, bundle: Bundle) -> list[tuple[Item, np.ndarray]]:
        """Items of the store with their text vectors; encoded again where another encoder made them."""
        key, items = bundle.data["encoder_key"], []
        for new in self.store.new_items():
            if new.encoder == key:
                items.append((new.item, text_vector(bundle, new.vectors)))
            elif self.encoder is not None and self.encoder.key == key:
                items.append((new.item, text_vector(bundle, self._encode(new.item))))
            else:
                log.warning(
                    "item %s waits: it was encoded by %s and %s is not loaded", new.item.item_id, new.encoder, key
                )
        return items

    def current(self) -> Serving:
        """What to answer from; items that any process added to the store are in it."""
        if self.store.last_item() != self.serving.last_item and self._swap.acquire(blocking=False):
            try:
                self.serving = self._serve(self.serving.bundle)
            finally:
                self._swap.release()  # held by a reload, which reads the new items, too
        return self.serving

    def load_encoder(self) -> None:
        """Load the bundle's text encoder; takes a second, so call it in a thread."""
        from course_lib.serving.onnx_encoder import OnnxEncoder

        bundle = self.serving.bundle
        if not bundle.encoder_files:
            self.encoder_state = "absent"
            return
        self.encoder_state = "loading"
        try:
            self.encoder = OnnxEncoder.of_bundle(bundle)
        except Exception:
            self.encoder_state = "failed"
            log.exception("the text encoder of %s cannot be loaded; items are found by title only", self.folder)
            return
        self.encoder_state = "ready"
        with self._swap:
            self.serving = self._serve(self.serving.bundle)

    def reload(self) -> str:
        """Read the bundle's folder again and serve it, or raise and go on as before; return its version.

        Raises
        ------
        BundleError
            What is wrong with the new bundle.
        """
        from course_lib.serving.onnx_encoder import OnnxEncoder

        with self._swap:
            bundle = load_bundle(self.folder)
            if bundle.encoder_files != self.serving.bundle.encoder_files and self.encoder is not None:
                self.encoder = OnnxEncoder.of_bundle(bundle) if bundle.encoder_files else None
                self.encoder_state = "ready" if bundle.encoder_files else "absent"
            fresh = self._serve(bundle)
            fresh.catalogue.user(np.array([0]))  # what is computed on first use is computed before anyone waits for it
            self.serving = fresh
        return bundle.version

    def history_of(self, serving: Serving, user_id: str) -> tuple[np.ndarray, np.ndarray]:
        """Positions of what a user likes and of all they have seen.

        Raises
        ------
        UnknownUser
        """
        verdict: dict[int, bool] = {}
        row = serving.user_row.get(user_id)
        if row is not None and not self.store.is_forgotten(user_id):
            verdict = dict.fromkeys(serving.bundle_history(row).tolist(), True)
        events = self.store.history(user_id)
        if not verdict and not events:
            raise UnknownUser(user_id)
        position = serving.catalogue.position
        verdict |= {position[item_id]: liked for item_id, liked in events.items() if item_id in position}
        liked = np.array([item for item, likes in verdict.items() if likes], dtype=np.int64)
        return liked, np.fromiter(verdict, dtype=np.int64)

    def recommend_user(self, user_id: str, k: int, alpha: float | None) -> Ranking:
        """The k best new items for a user.

        Raises
        ------
        UnknownUser
        """
        serving = self.current()
        return self._rank(serving, *self.history_of(serving, user_id), k, alpha)

    def recommend_history(self, item_ids: list[str], k: int, alpha: float | None) -> Ranking:
        """The k best new items for someone who took these.

        Raises
        ------
        UnknownItem
        """
        serving = self.current()
        history = np.array([self.position(serving, item_id) for item_id in dict.fromkeys(item_ids)], dtype=np.int64)
        return self._rank(serving, history, history, k, alpha)

    def _rank(self, serving: Serving, liked: np.ndarray, seen: np.ndarray, k: int, alpha: float | None) -> Ranking:
        weight = serving.bundle.settings["alpha"] if alpha is None else alpha
        user = serving.vector_of(liked) if len(liked) else None
        catalogue = serving.catalogue
        scores = catalogue.popular() if user is None else catalogue.scores(user, weight)
        items = top(scores, k, seen)
        return Ranking(serving, items, scores[items], user, weight)

    def position(self, serving: Serving, item_id: str) -> int:
        """Where an item stands.

        Raises
        ------
        UnknownItem
        """
        try:
            return serving.catalogue.position[item_id]
        except KeyError:
            raise UnknownItem(item_id) from None

    def describe(self, title: str, year: int | None, genres: tuple[str, ...], description: str) -> NewItem:
        """Encode a new item, ready for `EventStore.add_item`; the same words again have the same id.

        Raises
        ------
        EncoderNotReady
        """
        words = "\0".join([title, str(year), *genres, description])
        item = Item(f"new-{hashlib.sha256(words.encode()).hexdigest()[:12]}", title, year, genres, description)
        vectors = self._encode(item)
        assert self.encoder is not None
        return NewItem(item, vectors, self.encoder.key)

    def _encode(self, item: Item) -> np.ndarray:
        """Title and description as the encoder gives them, [2, text_dim]; zero where there is no text."""
        texts = [title_text(item), item.description]
        return self.encode(texts) * np.array([[bool(text.strip())] for text in texts], dtype=np.float32)

    def encode(self, texts: list[str]) -> np.ndarray:
        """Vectors of texts, [len(texts), text_dim], not centred.

        Raises
        ------
        EncoderNotReady
        """
        if self.encoder is None:
            raise EncoderNotReady(f"the text encoder is {self.encoder_state}")
        return self.encoder.encode(texts)
