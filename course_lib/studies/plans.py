"""What the studies of the course ask, and of which models."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from course_lib import splits
from course_lib.data import Dataset, load
from course_lib.models import (
    EASE,
    GCN,
    EmbeddingRecommender,
    GraphFilter,
    ItemKNN,
    LightGCN,
    MatrixFactorization,
    Popularity,
    Random,
    Recommender,
)
from course_lib.splits import Split
from course_lib.studies import words

SEEDS = (0, 1, 2, 3, 4)
Factory = Callable[[int], Recommender]


@dataclass(frozen=True)
class Study:
    """What to run: models by name, each built from a seed, on a data set under some protocols.

    Attributes
    ----------
    dataset : callable
        Returns the data set.
    protocols : dict of str to callable
        Name to a function from (data set, seed) to a split.
    models : dict of str to callable
        Name in the tables to a function from the seed to an unfitted model.
    pairs : tuple of (str, str)
        Models to compare, user by user.
    keeps_users : bool
        Whether each user's NDCG@10 is recorded too.
    """

    question: str
    dataset: Callable[[], Dataset]
    protocols: dict[str, Callable[[Dataset, int], Split]]
    models: dict[str, Factory]
    pairs: tuple[tuple[str, str], ...] = ()
    seeds: tuple[int, ...] = SEEDS
    keeps_users: bool = False


def _movielens() -> Dataset:
    return load("movielens-100k")


def _protocol(name: str) -> Callable[[Dataset, int], Split]:
    return lambda dataset, seed: splits.make(name, dataset, seed)


def _cold_products(dataset: Dataset, seed: int) -> Split:
    """Products with one description stay on one side."""
    split = splits.cold_item(dataset.interactions, pd.factorize(dataset.items["text"])[0], seed)
    return splits.named(split, dataset.name, "cold-item")


def _new_users(num_known: int) -> Callable[[Dataset, int], Split]:
    def cut(dataset: Dataset, seed: int) -> Split:
        split = splits.new_user(dataset.interactions, num_known=num_known, seed=seed)
        return splits.named(split, dataset.name, f"new-user, {num_known} known")

    return cut


def _trained(kind: type[EmbeddingRecommender], **settings: Any) -> Factory:
    return lambda seed: kind(seed=seed, **settings)


# BPR steps are many and small, softmax steps (the default) few and large: each has the rhythm that validates best.
BPR: dict[str, Any] = {
    "loss": "bpr",
    "cosine": False,
    "temperature": 1.0,
    "learning_rate": 0.005,
    "num_epochs": 200,
    "validate_every": 5,
}
FLOOR: dict[str, Factory] = {
    "Random": lambda seed: Random(seed=seed),
    "Popularity": lambda seed: Popularity(),
}
UNTRAINED: dict[str, Factory] = {
    "ItemKNN": lambda seed: ItemKNN(),
    "EASE": lambda seed: EASE(),
    "GraphFilter": lambda seed: GraphFilter(seed=seed),
}

STUDIES: dict[str, Study] = {
    "films": Study(
        question="What do clicks and the graph reach on films, under each protocol?",
        dataset=_movielens,
        protocols={name: _protocol(name) for name in ("benchmark", "temporal", "cold-item")},
        models={
            **FLOOR,
            **UNTRAINED,
            "MF, BPR": _trained(MatrixFactorization, **BPR),
            "MF, softmax": _trained(MatrixFactorization),
            "GCN, 2 layers": _trained(GCN, num_layers=2, learning_rate=0.005),
            "LightGCN, 2 layers": _trained(LightGCN, num_layers=2),
        },
        pairs=(
            ("EASE", "ItemKNN"),
            ("EASE", "MF, softmax"),
            ("MF, softmax", "MF, BPR"),
            ("LightGCN, 2 layers", "MF, softmax"),
            ("LightGCN, 2 layers", "GCN, 2 layers"),
            ("EASE", "LightGCN, 2 layers"),
        ),
        keeps_users=True,
    ),
    "losses": Study(
        question="Which made the difference, the loss or the cosine?",
        dataset=_movielens,
        protocols={"benchmark": _protocol("benchmark")},
        models={
            "MF, BPR, product": _trained(MatrixFactorization, **BPR),
            "MF, BPR, cosine": _trained(MatrixFactorization, **{**BPR, "cosine": True, "temperature": 0.2}),
            "MF, softmax, product": _trained(MatrixFactorization, cosine=False, temperature=1.0),
            "MF, softmax, cosine": _trained(MatrixFactorization),
        },
        pairs=(("MF, softmax, cosine", "MF, BPR, cosine"), ("MF, softmax, cosine", "MF, softmax, product")),
    ),
    "layers": Study(
        question="What do graph layers add under each loss?",
        dataset=_movielens,
        protocols={"benchmark": _protocol("benchmark")},
        models={
            f"LightGCN, {loss}, {layers} layers": _trained(LightGCN, num_layers=layers, **settings)
            for loss, settings in (("softmax", {}), ("bpr", BPR))
            for layers in range(4)
        },
        pairs=(
            ("LightGCN, softmax, 2 layers", "LightGCN, softmax, 0 layers"),
            ("LightGCN, softmax, 3 layers", "LightGCN, softmax, 0 layers"),
            ("LightGCN, bpr, 3 layers", "LightGCN, bpr, 0 layers"),
            ("LightGCN, softmax, 0 layers", "LightGCN, bpr, 3 layers"),
        ),
    ),
    "baskets": Study(
        question="Does the graph pay where data are sparse?",
        dataset=words.baskets,
        protocols={"benchmark": _protocol("benchmark")},
        models={
            **FLOOR,
            "ItemKNN, no brake": lambda seed: ItemKNN(),
            "ItemKNN, brake 20": lambda seed: ItemKNN(num_neighbours=1000, shrinkage=20.0),
            "EASE": lambda seed: EASE(regularization=100.0),
            "GraphFilter": lambda seed: GraphFilter(seed=seed),
            **{
                f"LightGCN, {layers} layers": _trained(
                    LightGCN, num_layers=layers, batch_size=1024, num_epochs=40, validate_every=5
                )
                for layers in range(4)
            },
        },
        pairs=(
            ("LightGCN, 2 layers", "LightGCN, 0 layers"),
            ("GraphFilter", "LightGCN, 0 layers"),
            ("EASE", "LightGCN, 2 layers"),
            ("EASE", "GraphFilter"),
        ),
    ),
    "new_users": Study(
        question="Who serves a user whom training never saw?",
        dataset=_movielens,
        protocols={f"new-user, {num_known} known": _new_users(num_known) for num_known in (1, 5, 20)},
        models={
            "Popularity": FLOOR["Popularity"],
            **UNTRAINED,
            "MF, softmax": _trained(MatrixFactorization),
            "LightGCN, 2 layers": _trained(LightGCN, num_layers=2),
        },
        pairs=(
            ("LightGCN, 2 layers", "MF, softmax"),
            ("EASE", "LightGCN, 2 layers"),
            ("LightGCN, 2 layers", "Popularity"),
            ("EASE", "Popularity"),
        ),
    ),
    "fusion": Study(
        question="What do words add to the graph on films, warm, later in time and cold?",
        dataset=_movielens,
        protocols={name: _protocol(name) for name in ("benchmark", "temporal", "cold-item")},
        models={**words.FILM_MODELS, **words.FILM_CONTROLS},
        pairs=words.FILM_PAIRS,
        keeps_users=True,
    ),
    "fusion_baskets": Study(
        question="What do words add to the graph where data are sparse?",
        dataset=words.baskets,
        protocols={"benchmark": _protocol("benchmark"), "cold-item": _cold_products},
        models=words.BASKET_MODELS,
        pairs=words.BASKET_PAIRS,
    ),
}
