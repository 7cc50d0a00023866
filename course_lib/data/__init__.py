"""Loading and checking data: `load("movielens-100k")`, `Interactions.from_csv("mine.csv")`.

Taught in 01_data.
"""

from course_lib.data.clothing_reviews import load_clothing_reviews
from course_lib.data.complete_journey import load_complete_journey, sample_baskets
from course_lib.data.datasets import Dataset, KnowledgeGraph, load
from course_lib.data.interactions import Interactions
from course_lib.data.movielens import load_item_profiles, load_movielens_1m, load_movielens_100k
from course_lib.data.schema import SchemaError

__all__ = [
    "Dataset",
    "Interactions",
    "KnowledgeGraph",
    "SchemaError",
    "load",
    "load_clothing_reviews",
    "load_complete_journey",
    "load_item_profiles",
    "load_movielens_1m",
    "load_movielens_100k",
    "sample_baskets",
]
