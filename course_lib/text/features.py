"""What the models take from the words: a table with one vector an item.

Taught in 04_bert_encoding (centring) and 05_fusion (controls).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from course_lib.text.encoder import TextEncoder, check_texts


class Features(Protocol):
    """One vector an item.

    Attributes
    ----------
    name : str
        Name in tables and figures.
    key : str
        16 hexadecimal digits that change with the features and are the same on every machine.
    vectors : ndarray of float32, [num_items, dim]
        Computed when first asked for.
    """

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def vectors(self) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class ItemText:
    """Texts about each item as vectors: every field encoded, centred, scaled to one length, then side by side.

    BERT's vectors all point into nearly the same direction (Ethayarajh 2019). Subtracting the catalogue's mean vector
    leaves what tells the items apart (Mu and Viswanath 2018).

    Attributes
    ----------
    documents : mapping of str to sequence of str
        Field ("title", "profile", ...) to its texts, [num_items]. "" where an item has none.
    encoder : TextEncoder
    """

    documents: Mapping[str, Sequence[str]]
    encoder: TextEncoder = field(default_factory=TextEncoder)

    def __post_init__(self) -> None:
        _check_documents(self.documents)

    @property
    def name(self) -> str:
        """The fields, such as "title + profile"."""
        return " + ".join(self.documents)

    @cached_property
    def key(self) -> str:
        """Of the texts and the encoder, not of the vectors: these differ in the last digits between machines."""
        fields = [[name, list(texts)] for name, texts in self.documents.items()]
        return key_of("text", json.dumps(fields), self.encoder.key)

    @cached_property
    def vectors(self) -> np.ndarray:
        """The catalogue's vectors, see `vectors_of`."""
        return self.vectors_of(self.documents)

    @cached_property
    def means(self) -> dict[str, np.ndarray]:
        """Mean vector of each field over the catalogue's items that have a text there, [dim] float32."""
        means = {}
        for name, texts in self.documents.items():
            vectors, written = self._encode(texts)
            total = vectors.sum(axis=0, dtype=np.float64)  # rows without a text are zero
            means[name] = (total / max(written.sum(), 1)).astype(np.float32)
        return means

    def vectors_of(self, documents: Mapping[str, Sequence[str]]) -> np.ndarray:
        r"""Vectors of any items, new ones too, centred by the catalogue's means.

        $$ x_i = \frac{1}{\sqrt{F}} \Big[ \frac{e_{if} - \mu_f}{\lVert e_{if} - \mu_f \rVert} \Big]_{f = 1 \ldots F} $$

        Parameters
        ----------
        documents : mapping of str to sequence of str
            The same fields as the catalogue's, each with [num_items] texts.

        Returns
        -------
        ndarray of float32, [num_items, num_fields * dim]
            Rows of length 1. The block of a field without a text is zero, and the row shorter.

        Raises
        ------
        ValueError
            Naming the field that is missing or unknown, or the entry that is not a text.
        """
        _check_documents(documents)
        if set(documents) != set(self.documents):
            raise ValueError(f"documents has the fields {', '.join(documents)}; needed are {', '.join(self.documents)}")
        blocks = []
        for name in self.documents:
            vectors, written = self._encode(documents[name])
            blocks.append(unit_rows(np.where(written[:, None], vectors - self.means[name], 0)))
        return np.hstack(blocks) / np.float32(np.sqrt(len(blocks)))

    def _encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors as BERT gives them, and which items have a text at all, [num_items] bool."""
        return self.encoder.encode(texts), np.array([bool(text.strip()) for text in texts], dtype=bool)


@dataclass(frozen=True, eq=False)
class FixedVectors:
    """Vectors that came from elsewhere.

    Attributes
    ----------
    vectors : ndarray of float32, [num_items, dim]
    name : str
    """

    vectors: np.ndarray
    name: str = "vectors"

    def __post_init__(self) -> None:
        vectors = np.ascontiguousarray(self.vectors, dtype=np.float32)
        if vectors.ndim != 2 or not np.isfinite(vectors).all():
            raise ValueError(f"vectors must be a table of finite numbers, [num_items, dim], not {vectors.shape}")
        object.__setattr__(self, "vectors", vectors)

    @cached_property
    def key(self) -> str:
        """Of the numbers themselves."""
        return key_of("fixed", str(self.vectors.shape), self.vectors.tobytes())


@dataclass(frozen=True, eq=False)
class Shuffled:
    """A control: the same vectors, each at another item. What still helps is not what the words say.

    Attributes
    ----------
    features : Features
    seed : int
        Of the permutation.
    """

    features: Features
    seed: int = 0

    @property
    def name(self) -> str:
        """Such as "title, shuffled"."""
        return f"{self.features.name}, shuffled"

    @property
    def key(self) -> str:
        """Of the features and the seed."""
        return key_of("shuffled", self.features.key, str(self.seed))

    @cached_property
    def vectors(self) -> np.ndarray:
        """The rows of `features.vectors` in random order."""
        vectors = self.features.vectors
        return vectors[np.random.default_rng(self.seed).permutation(len(vectors))]


@dataclass(frozen=True, eq=False)
class RandomVectors:
    """A control: random directions, rows of length 1.

    The key is that of the three numbers below, not of the vectors, whose last digits differ between machines.

    Attributes
    ----------
    num_items, dim : int
        Shape of the vectors.
    seed : int
    """

    num_items: int
    dim: int
    seed: int = 0

    @property
    def name(self) -> str:
        """In tables."""
        return "random vectors"

    @property
    def key(self) -> str:
        """Of shape and seed."""
        return key_of("random", str((self.num_items, self.dim, self.seed)))

    @cached_property
    def vectors(self) -> np.ndarray:
        """Drawn from a normal distribution, then scaled."""
        rng = np.random.default_rng(self.seed)
        return unit_rows(rng.standard_normal((self.num_items, self.dim), dtype=np.float32))


def genre_vectors(genres: Iterable[tuple[str, ...]]) -> FixedVectors:
    """A control: a one at each of the item's genres, rows scaled to length 1.

    Parameters
    ----------
    genres : iterable of tuple of str, [num_items]
        Such as `load("movielens-100k").items["genres"]`. Columns are the genres by name; the source's "unknown" means
        that there is none, and such a row is zero.
    """
    listed = [[genre for genre in genres_of_item if genre != "unknown"] for genres_of_item in genres]
    columns = {genre: column for column, genre in enumerate(sorted({genre for row in listed for genre in row}))}
    vectors = np.zeros((len(listed), len(columns)), dtype=np.float32)
    for item, row in enumerate(listed):
        vectors[item, [columns[genre] for genre in row]] = 1.0
    return FixedVectors(unit_rows(vectors), name="genres")


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _check_documents(documents: Mapping[str, Sequence[str]]) -> None:
    if not documents:
        raise ValueError("documents is empty; give at least one field, such as {'title': titles}")
    for name, texts in documents.items():
        check_texts(texts, f"documents[{name!r}]")
    sizes = {name: len(texts) for name, texts in documents.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"every field needs one text an item, but their numbers differ: {sizes}")


def key_of(*parts: str | bytes) -> str:
    """16 hexadecimal digits of a SHA-256."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()[:16]
