"""Full-rank evaluation of the same scores on MovieLens-100K: the course's evaluator beside RecBole's and ranx."""

import argparse
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import peers
import recording
import torch
from tqdm.auto import tqdm

from course_lib import splits
from course_lib.data import load
from course_lib.evaluation import Evaluation, evaluate, top_k, user_metrics
from course_lib.models import EASE
from course_lib.splits import Split

SEED = 0
THREADS = 1  # ours uses no second one; RecBole's small batches lose by it where other programs are busy
CUTOFFS = (10, 20)
RANX = ("ranx==0.3.21", "psutil==7.2.2")
RECBOLE = ("recbole==1.2.1", "torch==2.5.1", "numpy==1.26.4", "scipy==1.12.0", "pandas==2.1.4", "setuptools==74.1.3")
PEERS = {"recbole": RECBOLE, "ranx": RANX}
PARTS = ("train", "valid", "test")
WAYS = {  # row of the table: whose, label, and the row of ours it is held against
    "evaluate": ("course_lib: evaluate", "evaluate"),
    "default": ("RecBole: Trainer.evaluate as it comes, eval_batch_size 4096", "evaluate"),
    "one_batch": ("RecBole: Trainer.evaluate, all users in one batch", "evaluate"),
    "ranking": ("course_lib: top_k and user_metrics alone, scores masked before", "ranking"),
    "bare": ("RecBole: Collector and Evaluator alone, scores masked before", "ranking"),
    "ranx": ("ranx: top 20 by numpy, Run.from_dict, evaluate, scores masked before", "ranking"),
    "metrics": ("course_lib: user_metrics alone, ranked before", "metrics"),
    "ranx_bare": ("ranx: evaluate alone, Run made before", "metrics"),
}
SETUP = [
    "EASE is fitted on the training part (per-user random 8 : 1 : 1); its score matrix goes to both, with the three "
    "parts, so the model's own time is in neither.",
    "Both rank all items that the user has neither in training nor in validation, and give recall, NDCG, MRR, hit, "
    "precision and MAP at 10 and 20. RecBole gets its own files, loaders, trainer and metrics; its model only looks "
    "the scores up.",
    "RecBole prepares its loader's lists of known and wanted items beforehand, untimed; ours are made within the time.",
    "By default RecBole holds 4096 scores at a time: 2 users a step. That is the time the target is about. One batch "
    "for all users is what a tuned setting reaches, and rows that start from masked scores leave out the rest.",
    "ranx judges lists that somebody else ranked: it gets each user's 20 best items by numpy's argpartition, as "
    "dictionaries, the way its guide makes a run. Its MAP divides by all relevant items, so it is left out.",
    "Read in RecBole's source (`recbole/evaluator/metrics.py`): all six metrics are defined as ours are, NDCG and MAP "
    "divide by min(k, relevant), recall by all relevant. What differs: equal scores (a fixed random order here, "
    "whatever torch.topk returns there), and here each user's value is kept for intervals.",
]


def alone(scores: np.ndarray, split: Split) -> dict[str, Callable[[], dict[str, np.ndarray]]]:
    """Ranking and metrics on scores that are gathered and masked beforehand; and metrics on hits at hand."""
    task = split.task("test")
    users = np.flatnonzero(np.diff(task.targets.indptr))
    masked = np.where(task.seen[users].toarray() > 0, -np.inf, scores[users])
    relevant = task.targets[users].toarray() > 0

    def hits() -> np.ndarray:
        return np.take_along_axis(relevant, top_k(masked, max(CUTOFFS)), axis=1)

    def metrics(hits: np.ndarray) -> dict[str, np.ndarray]:
        return user_metrics(hits, relevant.sum(axis=1), CUTOFFS)

    found = hits()
    return {"ranking": lambda: metrics(hits()), "metrics": lambda: metrics(found)}


def peer(name: str, python: Path, folder: Path, repetitions: int) -> dict[str, Any]:
    """One round of another library's side, in its own environment and process."""
    script = Path(__file__).with_name(f"{name}_evaluator.py")
    command = [python, script, "exam.npz", "answer.json", str(THREADS), str(repetitions)]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # its packages, not ours
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=clean)
    if finished.returncode:
        raise RuntimeError(f"the side of {name} failed:\n{finished.stderr[-3000:]}")
    return json.loads((folder / "answer.json").read_text(encoding="utf-8"))


def measure(rounds: int, repetitions: int) -> dict[str, Any]:
    """Alternate between the three, and return the record."""
    pythons = {name: peers.environment(name, packages) for name, packages in PEERS.items()}
    folder = peers.ENVIRONMENTS / "evaluator"
    folder.mkdir(exist_ok=True)
    machine = recording.machine(THREADS)
    torch.set_num_threads(THREADS)
    split = splits.make("benchmark", load("movielens-100k"), SEED)
    scores = EASE().fit(split).score(np.arange(split.num_users))
    parts = {part: np.stack([getattr(split, part).user, getattr(split, part).item]) for part in PARTS}
    np.savez(folder / "exam.npz", scores=scores, **parts)

    times: list[dict[str, list[float]]] = []
    for _ in tqdm(range(rounds), unit="round"):
        ours = {"evaluate": lambda: evaluate(scores, split, CUTOFFS), **alone(scores, split)}
        taken = {way: recording.seconds(run, repetitions) for way, run in ours.items()}
        answers = {name: peer(name, python, folder, repetitions) for name, python in pythons.items()}
        times.append(taken | answers["recbole"]["seconds"] | answers["ranx"]["seconds"])
    return record(times, evaluate(scores, split, CUTOFFS), answers, machine)


def record(
    times: list[dict[str, list[float]]], ours: Evaluation, answers: dict[str, dict[str, Any]], machine: dict[str, str]
) -> dict[str, Any]:
    """Times and metrics of all sides as a record for the page."""
    medians = {way: median(one for each in times for one in each[way]) for way in WAYS}
    ratio = {way: medians[way] / medians[own] for way, (_, own) in WAYS.items()}
    difference = {
        name: max(abs(ours.mean(metric) - value) for metric, value in answer["metrics"].items())
        for name, answer in answers.items()
    }
    return {
        "name": "evaluator",
        "title": "Evaluation: every user ranks every item",
        "question": "How long does one full evaluation on MovieLens-100K take, and do both give the same numbers?",
        "command": "python benchmarks/evaluator.py",
        "setup": SETUP,
        "targets": [
            {"what": what, "kind": kind, "limit": limit, "measured": measured, "unit": unit}
            for what, kind, limit, measured, unit in (
                ("speed against RecBole as it comes", "at least", 5, ratio["default"], "times"),
                ("largest difference in a metric, RecBole", "at most", 1e-9, difference["recbole"], "(absolute)"),
                ("largest difference in a metric, ranx", "at most", 1e-9, difference["ranx"], "(absolute)"),
            )
        ],
        "tables": tables(times, medians, ratio, ours, answers),
        "machine": machine,
        "versions": {
            **recording.versions("numpy", "scipy", "torch"),
            **{
                f"{name}'s side: {one}": at
                for name, answer in answers.items()
                for one, at in answer["versions"].items()
            },
        },
        "seeds": {"the split": SEED},
        "seconds": times,
    }


def tables(
    times: list[dict[str, list[float]]],
    medians: dict[str, float],
    ratio: dict[str, float],
    ours: Evaluation,
    answers: dict[str, dict[str, Any]],
) -> list[dict[str, Any]]:
    """Times, metrics and memory, side by side."""
    recbole, ranx = (answers[name]["metrics"] for name in PEERS)
    return [
        {
            "title": f"Milliseconds, {len(times)} rounds of {len(times[0]['evaluate'])} repetitions in turn",
            "columns": ["", "median", "fastest", "slowest", "times ours", "round by round"],
            "rows": [timing(way, times, medians[way], ratio[way]) for way in WAYS],
        },
        {
            "title": "Metrics on the test part",
            "columns": ["metric", "course_lib", "RecBole", "ranx"],
            "rows": [
                [
                    name,
                    *(round(one, 8) for one in (ours.mean(name), value)),
                    round(ranx[name], 8) if name in ranx else "-",
                ]
                for name, value in recbole.items()
            ],
        },
        {
            "title": "Peak memory of each process, GB",
            "columns": ["course_lib", "RecBole", "ranx"],
            "rows": [
                [round(one, 2) for one in (recording.peak_memory(), *(answers[name]["peak_memory"] for name in PEERS))]
            ],
        },
    ]


def timing(way: str, times: list[dict[str, list[float]]], middle: float, ratio: float) -> list[Any]:
    """A row: label, median, fastest and slowest in milliseconds, ratio to ours, and its range over the rounds."""
    label, own = WAYS[way]
    every = [one for each in times for one in each[way]]
    ratios = [median(each[way]) / median(each[own]) for each in times]
    span = "" if way == own else f"{min(ratios):.1f} to {max(ratios):.1f}"
    return [label, *(round(1000 * one, 1) for one in (middle, min(every), max(every))), round(ratio, 1), span]


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often the two take turns (default 5)")
    parser.add_argument("--repetitions", type=int, default=5, help="evaluations of each in a round (default 5)")
    arguments = parser.parse_args()
    recording.save(measure(arguments.rounds, arguments.repetitions))


if __name__ == "__main__":
    main()
