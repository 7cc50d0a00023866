"""The recommenders of the course, all with one protocol: `fit`, `score`, `recommend`, `save`, `load`."""

from course_lib.models.base import NotFittedError, Recommender, load
from course_lib.models.baselines import Popularity, Random
from course_lib.models.ease import EASE
from course_lib.models.embedding import GCN, EmbeddingRecommender, LightGCN, MatrixFactorization
from course_lib.models.graph_filter import GraphFilter
from course_lib.models.neighbours import ItemKNN

__all__ = [
    "EASE",
    "GCN",
    "EmbeddingRecommender",
    "GraphFilter",
    "ItemKNN",
    "LightGCN",
    "MatrixFactorization",
    "NotFittedError",
    "Popularity",
    "Random",
    "Recommender",
    "load",
]
