r"""From a history to recommendations: one vector a user, one inner product an item, and what made the score.

$$ s_{ui} = (1 - \alpha) \frac{h_u^\top h_i}{\sigma_h(u)} + \alpha \frac{e_u^\top e_i}{\sigma_e(u)}
   = \Big[ \tfrac{1 - \alpha}{\sigma_h(u)} h_u \,;\, \tfrac{\alpha}{\sigma_e(u)} e_u \Big]^\top [ h_i \,;\, e_i ] $$

Both scores are divided by their spread over the catalogue, user by user: the z-score of late fusion, up to a constant
that ranks nothing. The spread is $\sigma_h(u)^2 = h_u^\top C_h h_u$ with $C_h$ the covariance of the items' vectors, so
it belongs to the user's side, and what remains is a single inner product that any vector index can search.

Needs numpy and nothing else. Taught in 07_deployment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from course_lib.serving.bundle import Bundle, Item


@dataclass(frozen=True, eq=False)
class UserVector:
    """A user as the service sees them, made from nothing but a history.

    Attributes
    ----------
    history : ndarray of int, [num_liked]
        Positions of what the user took and likes.
    h, e : ndarray of float32, [embedding_dim], [text_dim]
        Divided by their spread over the catalogue.
    share, words_share : float
    background : ndarray of float32, [embedding_dim]
        $h_u = \\text{share} \\cdot \\sum_j h_j + \\text{background}$ and
        $e_u = \\text{words share} \\cdot \\sum_j e_j$, exactly: what the explanation rests on.
    """

    history: np.ndarray
    h: np.ndarray
    e: np.ndarray
    share: float
    words_share: float
    background: np.ndarray


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The items that can be recommended: those of a bundle, then new ones known by their words.

    Attributes
    ----------
    bundle : Bundle
    items : list of Item, [num_items]
    vectors : ndarray of float32, [num_items, embedding_dim + text_dim]
        $[h_i ; e_i]$.
    """

    bundle: Bundle
    items: list[Item]
    vectors: np.ndarray

    @classmethod
    def of(cls, bundle: Bundle, new: Sequence[tuple[Item, np.ndarray]] = ()) -> "Catalogue":
        """A bundle's catalogue and new items, each with its text vector as `text_vector` makes it."""
        known = {item.item_id for item in bundle.items}
        new = [(item, e) for item, e in new if item.item_id not in known]  # a retrained bundle knows them by itself
        e_new = np.array([e for _, e in new], dtype=np.float32).reshape(len(new), bundle.text_vectors.shape[1])
        h_new = graph_vectors(bundle, e_new)
        H, E = np.vstack([bundle.item_vectors, h_new]), np.vstack([bundle.text_vectors, e_new])
        vectors = np.ascontiguousarray(np.hstack([H, E]), dtype=np.float32)
        return cls(bundle, bundle.items + [item for item, _ in new], vectors)

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each item stands, by its id."""
        return {item.item_id: position for position, item in enumerate(self.items)}

    @property
    def dim(self) -> int:
        """Length of $h_i$."""
        return self.bundle.item_vectors.shape[1]

    @property
    def H(self) -> np.ndarray:
        """$h_i$ of all items, [num_items, embedding_dim]."""
        return self.vectors[:, : self.dim]

    @property
    def E(self) -> np.ndarray:
        """$e_i$ of all items, [num_items, text_dim]."""
        return self.vectors[:, self.dim :]

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean of $h_i$, covariances of $h_i$ and $e_i$, over the bundle's items: new ones move no score."""
        H, E = self.bundle.item_vectors, self.bundle.text_vectors
        return H.mean(axis=0), np.cov(H.T, bias=True).astype(np.float32), np.cov(E.T, bias=True).astype(np.float32)

    def user(self, history: np.ndarray) -> UserVector:
        """Fold a history in, [num_liked] positions, at least one."""
        _, C_h, C_e = self._moments
        h, share, background = self._fold_in(history)
        e = self.E[history].mean(axis=0)
        spread_h, spread_e = (max(float(np.sqrt(v @ C @ v)), 1e-9) for v, C in ((h, C_h), (e, C_e)))
        words_share = 1 / (len(history) * spread_e)
        return UserVector(history, h / spread_h, e / spread_e, share / spread_h, words_share, background / spread_h)

    def _fold_in(self, history: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        r"""$h_u$ by a few steps of the loss that trained $h_i$, the items held still.

        Begin at the mean of the history minus the mean of the catalogue, then go towards what the user took and away
        from what the model expects the user to take (the gradient of the softmax loss), on the unit sphere:

        $$ h \leftarrow \frac{h + w\,(\bar h_{\text{history}} - \sum_i p_i h_i)}{\lVert \cdot \rVert}, \qquad
           p = \mathrm{softmax}(H h / \tau), \qquad w = \frac{n}{n + n_0} $$

        With few clicks, $n \ll n_0$, the beginning decides. Over millions of items $p$ would be taken over a sample.
        """
        settings, H = self.bundle.settings, self.bundle.item_vectors
        mean = self.H[history].mean(axis=0)
        share, background = 1.0, -self._moments[0]  # h = share * mean + background, throughout
        weight = len(history) / (len(history) + settings["prior_clicks"])
        for step in range(settings["steps"] + 1):
            if step:
                logits = H @ (share * mean + background) / settings["temperature"]
                p = np.exp(logits - logits.max())
                share, background = share + weight, background - weight * ((p / p.sum()) @ H)
            length = max(float(np.linalg.norm(share * mean + background)), 1e-9)
            share, background = share / length, background / length
        return share * mean + background, share / len(history), background

    def scores(self, user: UserVector, alpha: float) -> np.ndarray:
        """$s_{ui}$ of all items, [num_items]."""
        return self.vectors @ np.concatenate([(1 - alpha) * user.h, alpha * user.e])

    def popular(self) -> np.ndarray:
        """For someone without a history: how many took each item, [num_items] float32; 0 for new ones."""
        scores = np.zeros(len(self.items), dtype=np.float32)
        scores[: len(self.bundle.popularity)] = self.bundle.popularity
        return scores

    def explain(self, user: UserVector, item: int, alpha: float) -> dict[str, Any]:
        """Split a score into what each item of the history gave by graph and by words; the parts add up to it.

        Returns
        -------
        dict
            `graph` and `words`, [num_liked] each, in the order of `user.history`; `background`, what the item gets
            from everybody's taste whatever the history; `score`.
        """
        h_i, e_i = self.H[item], self.E[item]
        graph = (1 - alpha) * user.share * (self.H[user.history] @ h_i)
        words = alpha * user.words_share * (self.E[user.history] @ e_i)
        background = float((1 - alpha) * user.background @ h_i)
        score = background + float(graph.sum()) + float(words.sum())
        return {"graph": graph, "words": words, "background": background, "score": score}

    def reasons(self, user: UserVector, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each item the position of the history's item that gave most, by graph and by words; [len(items)] each."""
        by_graph = (self.H[user.history] @ self.H[items].T).argmax(axis=0)
        by_words = (self.E[user.history] @ self.E[items].T).argmax(axis=0)
        return user.history[by_graph], user.history[by_words]

    def similar(self, item: int, alpha: float) -> np.ndarray:
        """Cosine to an item, $(1 - \\alpha)$ by graph plus $\\alpha$ by words, [num_items]."""
        graph, words = (table @ table[item] / _lengths(table) for table in (self.H, self.E))
        own = [max(float(np.linalg.norm(table[item])), 1e-9) for table in (self.H, self.E)]
        return (1 - alpha) * graph / own[0] + alpha * words / own[1]


def text_vector(bundle: Bundle, encoded: np.ndarray) -> np.ndarray:
    """$e_i$ of a text from what the encoder gave for title and description.

    Parameters
    ----------
    encoded : ndarray of float32, [2, text_dim]
        A zero row where there is no text.

    Returns
    -------
    ndarray of float32, [text_dim]
        Each centred by the catalogue's mean and scaled to length 1, then their mean scaled likewise.
    """
    written = np.linalg.norm(encoded, axis=1, keepdims=True) > 0
    centred = np.where(written, encoded - bundle.text_means, 0)
    return unit(unit(centred).sum(axis=0))


def graph_vectors(bundle: Bundle, text_vectors: np.ndarray) -> np.ndarray:
    """$h_i$ of items that nobody has taken yet, predicted from their words, [num_new, embedding_dim].

    Shorter than 1, as a cautious guess is: such an item must fit well to rise.
    """
    return (text_vectors @ bundle.text_map + bundle.text_offset).astype(np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def top(scores: np.ndarray, k: int, seen: np.ndarray) -> np.ndarray:
    """Positions of the k best items that are not in `seen`, best first; fewer where the catalogue ends."""
    scores = scores.copy()
    scores[seen] = -np.inf
    k = min(k, len(scores) - len(seen))
    if k <= 0:
        return np.empty(0, dtype=np.int64)
    best = np.argpartition(-scores, k - 1)[:k]
    return best[np.lexsort((best, -scores[best]))]


def _lengths(table: np.ndarray) -> np.ndarray:
    return np.maximum(np.linalg.norm(table, axis=1), 1e-9)
