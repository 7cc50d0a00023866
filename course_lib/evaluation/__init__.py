"""One evaluator for every model and protocol: full ranking, per-user values, intervals, paired tests.

Taught in 02_collaborative_filtering; what lies beyond one number, in 06_evaluation.
"""

from course_lib.evaluation.intervals import Comparison, bootstrap_interval, compare
from course_lib.evaluation.lists import evaluate_lists, exam_gap, recommendation_lists
from course_lib.evaluation.metrics import METRICS, user_metrics
from course_lib.evaluation.ranking import Evaluation, evaluate, top_k

__all__ = [
    "METRICS",
    "Comparison",
    "Evaluation",
    "bootstrap_interval",
    "compare",
    "evaluate",
    "evaluate_lists",
    "exam_gap",
    "recommendation_lists",
    "top_k",
    "user_metrics",
]
