"""One evaluator for every model and protocol: full ranking, per-user values, intervals, paired tests.

Taught in 02_collaborative_filtering.
"""

from course_lib.evaluation.intervals import Comparison, bootstrap_interval, compare
from course_lib.evaluation.metrics import METRICS, user_metrics
from course_lib.evaluation.ranking import Evaluation, evaluate, top_k

__all__ = [
    "METRICS",
    "Comparison",
    "Evaluation",
    "bootstrap_interval",
    "compare",
    "evaluate",
    "top_k",
    "user_metrics",
]
