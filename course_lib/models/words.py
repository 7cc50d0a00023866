"""Models that know items by their words, and so can place an item that nobody has taken yet.

Taught in 04_bert_encoding (words alone) and 05_fusion (the map from text to factors).
"""

import copy
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from course_lib.models.base import INPUT, Recommender
from course_lib.splits import Split
from course_lib.text.features import Features


@dataclass(kw_only=True)
class TextRecommender(Recommender):
    """A model that is given one text vector for each item.

    Attributes
    ----------
    text : Features
        The items' words as vectors, see `course_lib.text`. A model that was loaded from disk can do without.
    item_vectors : ndarray of float32, [num_items, embedding_dim]
        Learned; an item is scored by its product with a user's vector.
    fold_in_vectors : ndarray of float32, [num_items, embedding_dim]
        A user's vector is the sum of these over the history.
    """

    learned: ClassVar[tuple[str, ...]] = ("train", "item_vectors", "fold_in_vectors")
    text: Features | None = field(default=None, repr=False, metadata=INPUT)

    @abstractmethod
    def new_item_vectors(self, text_vectors: np.ndarray) -> np.ndarray:
        """What `item_vectors` would hold for items known by their words alone.

        Parameters
        ----------
        text_vectors : ndarray, [num_new, text_dim]
            Made as those of the catalogue were: see `ItemText.vectors_of`.
        """

    def with_new_items(self, text_vectors: np.ndarray) -> Self:
        """The same model with a longer catalogue: new items, nobody has taken them yet, follow the known ones.

        Nothing is trained again. Recommended at once; and once somebody takes one, it counts in their history like
        an item of middling weight.
        """
        self.check_fitted()
        vectors = self.new_item_vectors(text_vectors).astype(np.float32)  # [num_new, embedding_dim]
        train, item_vectors, fold_in_vectors = (getattr(self, name) for name in TextRecommender.learned)
        known = np.linalg.norm(fold_in_vectors, axis=1)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        weight = np.divide(np.median(known[known > 0]), length, out=np.zeros_like(length), where=length > 0)
        longer = {
            "train": sparse.hstack([train, sparse.csr_matrix((train.shape[0], len(vectors)))], "csr", train.dtype),
            "item_vectors": np.vstack([item_vectors, vectors]),
            "fold_in_vectors": np.vstack([fold_in_vectors, vectors * weight]),
        }
        grown = copy.copy(self)
        vars(grown).update(longer)
        return grown

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Product of the summed history with every item, [num_rows, num_items]."""
        self.check_fitted()
        return (histories @ self.fold_in_vectors) @ self.item_vectors.T  # type: ignore[attr-defined]

    def text_vectors(self, split: Split) -> np.ndarray:
        """The items' words, checked against the catalogue, [num_items, text_dim].

        Raises
        ------
        ValueError
            Where no text was given, or not one vector for each item.
        """
        if self.text is None:
            raise ValueError(f"{self.name} needs words: give it text=ItemText(...), one text for each item")
        if len(self.text.vectors) != split.num_items:
            raise ValueError(
                f"{self.name} was given {len(self.text.vectors)} text vectors for {split.num_items} items: "
                "there must be one for each item, in the order of the catalogue"
            )
        return self.text.vectors


@dataclass(kw_only=True)
class TextProfile(TextRecommender):
    r"""Words alone: $e_u$ is the mean of $e_i$ over what the user took, and $s_{ui} = e_u^\top e_i$.

    The oldest content-based recommender (Rocchio 1971; Pazzani & Billsus 2007, section 10.3). It learns nothing.
    """

    def fit(self, split: Split) -> Self:
        """Keep the vectors."""
        self.item_vectors = self.text_vectors(split).astype(np.float32)
        self.train = split.train.matrix()
        self.fold_in_vectors = self.item_vectors
        return self

    def new_item_vectors(self, text_vectors: np.ndarray) -> np.ndarray:
        """The words themselves."""
        return text_vectors

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Mean of the history's vectors times every item's, [num_rows, num_items]."""
        num_known = np.maximum(np.asarray(histories.sum(axis=1)), 1)
        return super().score_histories(sparse.csr_matrix(histories.multiply(1 / num_known), dtype=np.float32))


@dataclass(kw_only=True)
class TextToFactors(TextRecommender):
    r"""A linear map from an item's words to where the clicks would have put it.

    Factorise the clicks, $R \approx U \Sigma V^\top$, and let $F = V \Sigma$ hold a row for each item that was taken.
    Ridge regression finds the map from words $X$ to factors:

    $$ W = (X^\top X + \lambda I)^{-1} X^\top (F - \bar f), \qquad \hat f_i = W^\top x_i + \bar f $$

    An item nobody took gets $\hat f_i$, every other keeps its own $f_i$ (the idea of Gantner et al. 2010 and of
    van den Oord et al. 2013, in closed form).

    Attributes
    ----------
    num_factors : int
        Columns of $U$ and $V$. Few: only what many share can be read from a text.
    regularization : float
        $\lambda$. Larger trusts the words less.
    seed : int
        Of the randomised singular value decomposition.
    """

    learned: ClassVar[tuple[str, ...]] = (*TextRecommender.learned, "user_vectors", "text_map", "offset", "strength")
    num_factors: int = 16
    regularization: float = 3.0
    seed: int = 0

    def fit(self, split: Split) -> Self:
        """Factorise, regress, predict the factors of the items that nobody took."""
        X = self.text_vectors(split).astype(np.float64)
        self.train = split.train.matrix()
        taken = np.unique(self.train.indices)
        num_factors = min(self.num_factors, len(taken) - 1, self.train.shape[0] - 1)
        U, S, Vt = randomized_svd(self.train[:, taken].astype(np.float64), num_factors, random_state=self.seed)
        F = Vt.T * S  # [num_taken, num_factors]

        x_mean, f_mean = X[taken].mean(axis=0), F.mean(axis=0)
        X_taken = X[taken] - x_mean
        penalty = self.regularization * np.eye(X.shape[1])
        W = np.linalg.solve(X_taken.T @ X_taken + penalty, X_taken.T @ (F - f_mean))  # [text_dim, num_factors]

        self.text_map, self.offset = W.astype(np.float32), (f_mean - x_mean @ W).astype(np.float32)
        self.strength, self.user_vectors = S.astype(np.float32), U.astype(np.float32)
        self.item_vectors = self.new_item_vectors(self.text.vectors)  # type: ignore[union-attr]
        self.item_vectors[taken] = F
        self.fold_in_vectors = self.item_vectors / self.strength**2  # r V S^-1 = r F S^-2 is a user's row of U
        return self

    def new_item_vectors(self, text_vectors: np.ndarray) -> np.ndarray:
        """Factors predicted from the words, [num_new, num_factors]."""
        return (text_vectors @ self.text_map + self.offset).astype(np.float32)

    def score(self, users: np.ndarray) -> np.ndarray:
        """$u^\\top f_i$ for all items, [len(users), num_items]."""
        self.check_fitted()
        return self.user_vectors[users] @ self.item_vectors.T
