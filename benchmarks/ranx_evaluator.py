"""ranx's side of `evaluator.py`: the same scores, masked and cut to ranked lists. Runs in the environment of ranx.

python ranx_evaluator.py EXAM.npz ANSWER.json THREADS REPETITIONS
"""

import json
import platform
import sys
from pathlib import Path

import numba
import numpy as np
import recording
from ranx import Qrels, Run, evaluate

CUTOFFS = (10, 20)
NAMES = {"recall": "recall", "ndcg": "ndcg", "mrr": "mrr", "hit": "hit_rate", "precision": "precision"}  # ours: theirs
METRICS = {f"{ours}@{k}": f"{theirs}@{k}" for ours, theirs in NAMES.items() for k in CUTOFFS}


def masked_scores(exam: dict[str, np.ndarray]) -> np.ndarray:
    """Scores with minus infinity at what a user has in training or validation."""
    scores = exam["scores"].copy()
    for part in ("train", "valid"):
        scores[exam[part][0], exam[part][1]] = -np.inf
    return scores


def run_of(scores: np.ndarray, users: list[int]) -> Run:
    """Each user's best items with their scores, as ranx wants them."""
    best = np.argpartition(-scores[users], max(CUTOFFS), axis=1)[:, : max(CUTOFFS)]
    return Run.from_dict(
        {
            str(user): dict(zip(map(str, items.tolist()), scores[user, items].tolist(), strict=True))
            for user, items in zip(users, best, strict=True)
        }
    )


def main(exam_path: str, answer_path: str, threads: int, repetitions: int) -> None:
    """Evaluate two ways, and write seconds and metrics."""
    numba.set_num_threads(threads)
    exam = dict(np.load(exam_path))
    wanted: dict[str, dict[str, int]] = {}
    for user, item in exam["test"].T.tolist():
        wanted.setdefault(str(user), {})[str(item)] = 1
    users = [int(user) for user in wanted]
    scores, qrels = masked_scores(exam), Qrels.from_dict(wanted)
    names = list(METRICS.values())
    made = run_of(scores, users)
    times = {
        "ranx": recording.seconds(lambda: evaluate(qrels, run_of(scores, users), names), repetitions),
        "ranx_bare": recording.seconds(lambda: evaluate(qrels, made, names), repetitions),
    }
    found = evaluate(qrels, made, names)
    answer = {
        "seconds": times,
        "metrics": {ours: float(found[theirs]) for ours, theirs in METRICS.items()},
        "peak_memory": recording.peak_memory(),
        "versions": {"Python": platform.python_version(), **recording.versions("ranx", "numba", "numpy")},
    }
    Path(answer_path).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
