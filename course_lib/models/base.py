"""What every recommender of the course can do: fit, score, recommend, save and load.

Taught in 02_collaborative_filtering.
"""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from course_lib.evaluation.ranking import top_k
from course_lib.splits import Split

FORMAT_VERSION = 1
INPUT = {"input": True}  # marks a field that holds data or another model, not a setting
REGISTRY: dict[str, type["Recommender"]] = {}


class NotFittedError(RuntimeError):
    """A model was asked for scores before it learned anything."""


@dataclass(kw_only=True)
class Recommender(ABC):
    """Base of all models. A subclass is a dataclass whose fields are its hyper-parameters.

    Attributes
    ----------
    name : str
        Name in tables.
    learned : tuple of str
        Names of the attributes that `fit` sets, each an ndarray or a csr_matrix: they are what is saved.
    """

    learned: ClassVar[tuple[str, ...]] = ()
    name: str = field(init=False, default="")

    def __init_subclass__(cls) -> None:
        REGISTRY[cls.__name__] = cls

    def __post_init__(self) -> None:
        self.name = self.name or type(self).__name__

    @abstractmethod
    def fit(self, split: Split) -> Self:
        """Learn from `split.train`; `split.valid` may choose when to stop. The test part is never looked at."""

    @abstractmethod
    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores of users known by their histories alone, whom `fit` never saw.

        Parameters
        ----------
        histories : csr_matrix, [num_rows, num_items]
            1 where the user took the item.

        Returns
        -------
        ndarray of float32, [num_rows, num_items]
            Higher is better. Known items are not masked.
        """

    def score(self, users: np.ndarray) -> np.ndarray:
        """Scores of users of the training data, [len(users), num_items] float32. Known items are not masked."""
        self.check_fitted()
        return self.score_histories(self.train[users])  # type: ignore[attr-defined]

    def recommend(self, history: np.ndarray, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The k best new items for anyone with a history.

        Parameters
        ----------
        history : array of int, [num_known]
            Positions of the items this person took. May be empty.
        k : int
            How many; fewer come back where the catalogue holds no more new items.

        Returns
        -------
        items : ndarray of int, [k]
        scores : ndarray of float32, [k]
        """
        self.check_fitted()
        known = np.unique(np.asarray(history, dtype=np.int64))
        if known.size and (known[0] < 0 or known[-1] >= self.num_items):
            raise ValueError(f"history holds item {known[-1]}; items are numbered 0 to {self.num_items - 1}")
        row = sparse.csr_matrix(
            (np.ones(len(known), dtype=np.float32), (np.zeros(len(known), dtype=int), known)), (1, self.num_items)
        )
        scores = np.array(self.score_histories(row)[0], dtype=np.float32)
        scores[known] = -np.inf
        items = top_k(scores[None, :], min(k, self.num_items - len(known)))[0]
        return items, scores[items]

    @property
    def num_items(self) -> int:
        """Items in the catalogue."""
        return self.train.shape[1]  # type: ignore[attr-defined]

    @property
    def num_parameters(self) -> int:
        """Learned numbers that are stored, the training matrix itself not counted."""
        self.check_fitted()
        states = [getattr(self, attribute) for attribute in self.learned if attribute != "train"]
        return int(sum(state.nnz if sparse.issparse(state) else state.size for state in states))

    def hyperparameters(self) -> dict[str, Any]:
        """The settings that the constructor takes, with their values."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.init and not one.metadata}

    def inputs(self) -> dict[str, Any]:
        """What else the constructor takes: the words of the items, or other models."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.metadata}

    def check_fitted(self) -> None:
        """Raise `NotFittedError` where `fit` has not run."""
        if not all(hasattr(self, attribute) for attribute in self.learned):
            raise NotFittedError(f"{self.name} has not learned anything yet: call fit(split) first")

    def save(self, folder: str | Path) -> Path:
        """Write `weights.safetensors` and `model.json` into a folder; nothing is pickled."""
        self.check_fitted()
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {}
        for attribute in self.learned:
            state = getattr(self, attribute)
            if sparse.issparse(state):
                tensors[f"{attribute}.data"] = state.data
                tensors[f"{attribute}.indices"] = state.indices
                tensors[f"{attribute}.indptr"] = state.indptr
                tensors[f"{attribute}.shape"] = np.array(state.shape)
            else:
                tensors[attribute] = np.ascontiguousarray(state)
        save_file(tensors, folder / "weights.safetensors")
        description = {
            "format": FORMAT_VERSION,
            "class": type(self).__name__,
            "name": self.name,
            "settings": self.hyperparameters(),
        }
        (folder / "model.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        for name, part in self.inputs().items():
            if isinstance(part, Recommender):
                part.save(folder / name)
        return folder


def load(folder: str | Path) -> Recommender:
    """Read a model that `save` wrote.

    Raises
    ------
    ValueError
        Where the folder holds no model, or one of another format or of an unknown class.
    """
    folder = Path(folder)
    try:
        description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "weights.safetensors")
    except FileNotFoundError as error:
        raise ValueError(
            f"{folder} holds no saved model: {Path(error.filename or '').name or error} is missing"
        ) from error
    if description["format"] != FORMAT_VERSION or description["class"] not in REGISTRY:
        raise ValueError(
            f"{folder} holds a {description['class']} in format {description['format']}; this library reads format "
            f"{FORMAT_VERSION} of {', '.join(sorted(REGISTRY))}"
        )
    kind = REGISTRY[description["class"]]
    inner = {one.name: load(folder / one.name) for one in fields(kind) if (folder / one.name).is_dir()}
    model = kind(**description["settings"], **inner)
    model.name = description["name"]
    for attribute in model.learned:
        if attribute in tensors:
            setattr(model, attribute, tensors[attribute])
        else:
            parts = [tensors[f"{attribute}.{part}"] for part in ("data", "indices", "indptr")]
            setattr(model, attribute, sparse.csr_matrix(tuple(parts), shape=tuple(tensors[f"{attribute}.shape"])))
    return model
