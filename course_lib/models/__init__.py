"""The recommenders of the course, all with one protocol: `fit`, `score`, `recommend`, `save`, `load`."""

from course_lib.models.base import NotFittedError, Recommender, load
from course_lib.models.baselines import Popularity, Random
from course_lib.models.ease import EASE
from course_lib.models.embedding import GCN, EmbeddingRecommender, LightGCN, MatrixFactorization
from course_lib.models.fusion import AdditiveFusion, AlignedFusion, EarlyFusion, GatedFusion
from course_lib.models.graph_filter import GraphFilter
from course_lib.models.late_fusion import LateFusion
from course_lib.models.neighbours import ItemKNN
from course_lib.models.words import TextProfile, TextRecommender, TextToFactors

__all__ = [
    "EASE",
    "GCN",
    "AdditiveFusion",
    "AlignedFusion",
    "EarlyFusion",
    "EmbeddingRecommender",
    "GatedFusion",
    "GraphFilter",
    "ItemKNN",
    "LateFusion",
    "LightGCN",
    "MatrixFactorization",
    "NotFittedError",
    "Popularity",
    "Random",
    "Recommender",
    "TextProfile",
    "TextRecommender",
    "TextToFactors",
    "load",
]
