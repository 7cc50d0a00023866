"""The datasets of the course, each behind the same door: `load("movielens-100k")`.

Taught in 01_data.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from course_lib.data.interactions import Interactions


@dataclass(frozen=True, eq=False)
class KnowledgeGraph:
    """Facts about the items as triples (head, relation, tail), with entities and relations numbered from zero.

    Attributes
    ----------
    head, relation, tail : ndarray of int32, [num_triples]
        Triple t says: `entity_ids[head[t]]` stands in `relation_ids[relation[t]]` to `entity_ids[tail[t]]`.
    entity_ids : ndarray of str, [num_entities]
        Sorted, so the numbering does not depend on the order of the triples.
    relation_ids : ndarray of str, [num_relations]
        Sorted likewise.
    item_entity : ndarray of int32, [num_items]
        The entity that is item i; -1 where the item is not in the graph.
    """

    head: np.ndarray
    relation: np.ndarray
    tail: np.ndarray
    entity_ids: np.ndarray
    relation_ids: np.ndarray
    item_entity: np.ndarray

    def __len__(self) -> int:
        return len(self.head)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Interactions and what is known about both sides of them.

    Attributes
    ----------
    name : str
    interactions : Interactions
    items : DataFrame, [num_items rows]
        Row i describes item i.
    users : DataFrame, [num_users rows]
        Row u describes user u.
    knowledge : KnowledgeGraph or None
    """

    name: str
    interactions: Interactions
    items: pd.DataFrame
    users: pd.DataFrame
    knowledge: KnowledgeGraph | None = None


def load(name: str) -> Dataset:
    """Load a dataset, fetching its files the first time.

    Parameters
    ----------
    name : {"movielens-100k", "movielens-1m", "complete-journey"}

    Raises
    ------
    ValueError
        For another name.
    """
    from course_lib.data import complete_journey, movielens  # they import Dataset from here

    loaders = {
        "movielens-100k": movielens.load_movielens_100k,
        "movielens-1m": movielens.load_movielens_1m,
        "complete-journey": complete_journey.load_complete_journey,
    }
    if name not in loaders:
        raise ValueError(f"There is no dataset called {name!r}. Choose one of: {', '.join(loaders)}.")
    return loaders[name]()
