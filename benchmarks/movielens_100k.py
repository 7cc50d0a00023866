"""MovieLens-100K: the course's models beside RecBole's, on RecBole's own split, by quality and by time."""

import argparse
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
import peers
import recording
import torch
from evaluator import RECBOLE
from tqdm.auto import tqdm

from course_lib import sources, splits
from course_lib.data import Interactions, load
from course_lib.evaluation import Evaluation, bootstrap_interval, evaluate
from course_lib.models import EASE, GraphFilter, LateFusion, LightGCN, Recommender
from course_lib.splits import Split

METRIC = "ndcg@10"
SEEDS = range(5)
COLUMNS = ["", "validation", "test", "95 % low", "high", "seconds", "epochs"]
TRAINED = "LightGCN, 2 layers, softmax"
EPOCHS = {"epochs": 500}  # at most; both stop long before
THEIRS: dict[str, tuple[str, dict[str, Any]]] = {  # row of the table: model and settings
    "RecBole BPR": ("BPR", {"learning_rate": 0.0005}),
    "RecBole LightGCN": ("LightGCN", {"learning_rate": 0.002, "n_layers": 3, "reg_weight": 0.0001}),
}


def light_gcn(seed: int) -> LightGCN:
    """LightGCN with the softmax loss; validated often, so that the time to a quality is known."""
    return LightGCN(num_layers=2, validate_every=10, patience=4, seed=seed)


OURS: dict[str, Callable[[int], Recommender]] = {
    "EASE": lambda seed: EASE(),
    "GF-CF": lambda seed: GraphFilter(seed=seed),
    TRAINED: light_gcn,
    "EASE + GF-CF": lambda seed: LateFusion(graph=GraphFilter(seed=seed), words=EASE()),
    "EASE + LightGCN": lambda seed: LateFusion(graph=light_gcn(seed), words=EASE()),
}
WITHOUT_GRAPH = ("EASE",)
SETUP = [
    "RecBole makes the split (each user's ratings at random, 8 : 1 : 1; every rating is a positive) and hands it over; "
    "all models learn from, stop on and are tested on the same three parts. All items are ranked that the user has "
    "neither in training nor in validation. All scores, RecBole's too, go through the course's evaluator.",
    "RecBole publishes no settings for this data set, so its models get the best ones published for the nearest, "
    "MovieLens-1M: BPR a learning rate of .0005 (RecBole, `benchmark/hyper/general`); LightGCN 3 layers, a learning "
    "rate of .002 and a weight of .0001 of the squared norms (RecBole-GNN, `results/general/ml-1m.md`; RecBole's own "
    "search chose 1 layer, .0005 and .01, which learns at a quarter of the pace). 64 numbers a vector, "
    "2,048 positives a step, validation after each epoch, stop after 10 epochs without improvement, on NDCG@10; "
    "validation scores all users at once, which is faster than its default.",
    "Ours have the course's defaults. A fusion adds two models' scores, as z-scores, with the weight that validates "
    "best of 21; its seconds are those of both models and of that choice.",
    "Seconds of RecBole: from the call of its trainer until the epoch that validated best has been validated. Seconds "
    "of ours: the whole `fit`, the epochs after the best included.",
    "Intervals: 95 %, over users, of the mean over the seeds (ours) or of the one run (RecBole).",
]


def train_recbole(python: Path, folder: Path, label: str, threads: int) -> dict[str, Any]:
    """Train one model in RecBole's environment; its answer, with the arrays it wrote."""
    model, chosen = THEIRS[label]
    files = [f"{label}.settings.json", f"{label}.answer.json", f"{label}.npz"]
    settings = {"data_path": str(folder), **EPOCHS, **chosen}
    (folder / files[0]).write_text(json.dumps(settings), encoding="utf-8")
    command = [python, Path(__file__).with_name("recbole_training.py"), model, *files, str(threads)]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # its packages, not ours
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=clean)
    if finished.returncode:
        raise RuntimeError(f"{label} failed:\n{finished.stderr[-3000:]}")
    answer = json.loads((folder / files[1]).read_text(encoding="utf-8"))
    best = max(answer["curve"], key=lambda row: row["valid"])
    return {**answer, "best": best, "arrays": dict(np.load(folder / files[2]))}


def handed_over(arrays: dict[str, np.ndarray], interactions: Interactions) -> Split:
    """RecBole's split as one of ours.

    Raises
    ------
    ValueError
        Where its three parts are not exactly our interactions.
    """
    pair = interactions.user.astype(np.int64) * interactions.num_items + interactions.item
    chosen = {}
    for part in ("train", "valid", "test"):
        user = np.searchsorted(interactions.user_ids, arrays[part][0])
        item = np.searchsorted(interactions.item_ids, arrays[part][1])
        chosen[part] = np.isin(pair, user * interactions.num_items + item)
        if chosen[part].sum() != len(user):
            raise ValueError(f"RecBole's {part} part holds pairs that are not in our data")
    if not (sum(chosen.values()) == 1).all():
        raise ValueError("RecBole's parts overlap, or leave interactions out")
    parts = {part: interactions.select(mask) for part, mask in chosen.items()}
    named = splits.named(splits.benchmark(interactions), "movielens-100k", "benchmark")
    return replace(named, **parts)


def fit_ours(name: str, split: Split) -> list[dict[str, Any]]:
    """One row a seed: seconds of the fit, the curve where there is one, quality on validation and test."""
    rows = []
    for seed in SEEDS:
        began = time.perf_counter()
        model = OURS[name](seed).fit(split)
        took = time.perf_counter() - began
        rows.append(
            {
                "seconds": took,
                "curve": getattr(model, "history", []),
                "valid": evaluate(model, split, k=(10,), part="valid").mean(METRIC),
                "test": evaluate(model, split, k=(10,)),
            }
        )
    return rows


def seconds_until(curve: list[dict[str, float]], quality: float) -> float:
    """Seconds of training until validation was first at least so good; infinite where it never was."""
    return next((row["seconds"] for row in curve if row["valid"] >= quality), float("inf"))


def measure(threads: int) -> dict[str, Any]:
    """Train RecBole's models, then ours on the same split, and return the record."""
    python = peers.environment("recbole", RECBOLE)
    folder = peers.ENVIRONMENTS / "movielens_100k"
    data = folder / "ml-100k"
    data.mkdir(parents=True, exist_ok=True)
    shutil.copy(sources.fetch("movielens-100k") / "ml-100k.inter", data)
    machine = recording.machine(threads)
    torch.set_num_threads(threads)

    theirs = {label: train_recbole(python, folder, label, threads) for label in tqdm(THEIRS, unit="model")}
    split = handed_over(next(iter(theirs.values()))["arrays"], load("movielens-100k").interactions)
    for answer in theirs.values():  # the same split each time, in our order of users and items
        same = handed_over(answer["arrays"], load("movielens-100k").interactions)
        assert all(
            np.array_equal(getattr(same, part).item, getattr(split, part).item) for part in ("train", "valid", "test")
        )
        answer["evaluation"] = evaluate(in_our_order(answer["arrays"]), split, k=(10,))
    ours = {name: fit_ours(name, split) for name in tqdm(OURS, unit="model")}
    return record(theirs, ours, machine)


def in_our_order(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """RecBole's scores, [num_users, num_items], by ascending ids."""
    rows, columns = np.argsort(arrays["user_id"]), np.argsort(arrays["item_id"])
    return arrays["scores"][np.ix_(rows, columns)]


def over_users(evaluations: list[Evaluation]) -> list[float]:
    """Mean over the seeds, user by user; then mean and interval over the users."""
    values = np.mean([one.values[METRIC] for one in evaluations], axis=0)
    return [round(value, 4) for value in (values.mean(), *bootstrap_interval(values))]


def table(theirs: dict[str, dict[str, Any]], ours: dict[str, list[dict[str, Any]]]) -> list[list[Any]]:
    """Quality and seconds of every model."""
    rows = []
    for label, answer in theirs.items():
        quality = [round(answer["best"]["valid"], 4), *over_users([answer["evaluation"]])]
        rows.append([label, *quality, round(answer["best"]["seconds"], 1), answer["best"]["epoch"]])
    for name, fits in ours.items():
        quality = [round(mean(row["valid"] for row in fits), 4), *over_users([row["test"] for row in fits])]
        epochs = [row["curve"][-1]["epoch"] for row in fits if row["curve"]]
        seconds = round(median(row["seconds"] for row in fits), 2)
        rows.append([name, *quality, seconds, median(epochs) if epochs else "none"])
    return rows


def targets(goal: dict[str, Any], ours: dict[str, list[dict[str, Any]]], times: list[float]) -> list[dict[str, Any]]:
    """Quality of the graph model that validates best, and the speed of LightGCN against RecBole's."""
    graph = [name for name in ours if name not in WITHOUT_GRAPH]
    chosen = max(graph, key=lambda name: mean(row["valid"] for row in ours[name]))
    what = [
        (
            f"NDCG@10 of the graph model that validates best ({chosen})",
            0.325,
            "",
            over_users([row["test"] for row in ours[chosen]])[0],
        ),
        (
            "time of RecBole's LightGCN to its best validation, over our LightGCN's to the same",
            50,
            "times",
            goal["best"]["seconds"] / median(times),
        ),
    ]
    return [
        {"what": name, "kind": "at least", "limit": limit, "measured": measured, "unit": unit}
        for name, limit, unit, measured in what
    ]


def reaching(goal: dict[str, Any], seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Seconds to the quality of RecBole's LightGCN as a table."""
    best = goal["best"]
    return {
        "title": f"Seconds to a validation NDCG@10 of {best['valid']:.4f}, which took RecBole's LightGCN "
        f"{best['seconds']:.1f} s",
        "columns": ["", "median", "fastest", "slowest", "times faster"],
        "rows": [
            [name, *(round(one, 2) for one in (median(s), min(s), max(s), best["seconds"] / median(s)))]
            for name, s in seconds.items()
        ],
    }


def record(
    theirs: dict[str, dict[str, Any]], ours: dict[str, list[dict[str, Any]]], machine: dict[str, str]
) -> dict[str, Any]:
    """Both sides as a record for the page."""
    goal = theirs["RecBole LightGCN"]
    times = [seconds_until(row["curve"], goal["best"]["valid"]) for row in ours[TRAINED]]
    seconds = {TRAINED: times, "GF-CF, the whole fit": [row["seconds"] for row in ours["GF-CF"]]}
    memory = [recording.peak_memory(), *(answer["peak_memory"] for answer in theirs.values())]
    return {
        "name": "movielens_100k",
        "title": "MovieLens-100K: quality and training time",
        "question": "How good are the course's models and RecBole's on the same split, and how long does each train?",
        "command": "python benchmarks/movielens_100k.py",
        "setup": SETUP,
        "targets": targets(goal, ours, times),
        "tables": [
            {"title": "NDCG@10 and seconds", "columns": COLUMNS, "rows": table(theirs, ours)},
            reaching(goal, seconds),
            {
                "title": "Peak memory of each process, GB",
                "columns": ["course_lib, all models one after the other", *theirs],
                "rows": [[round(one, 2) for one in memory]],
            },
        ],
        "machine": machine,
        "versions": {
            **recording.versions("numpy", "scipy", "torch"),
            **{f"beside RecBole: {name}": value for name, value in goal["versions"].items()},
        },
        "seeds": {"RecBole": "2020 (its default)", "ours": ", ".join(map(str, SEEDS))},
        "curves": {
            **{label: answer["curve"] for label, answer in theirs.items()},
            TRAINED: [row["curve"] for row in ours[TRAINED]],
        },
    }


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2, help="threads of each (default 2; 1 on a busy machine)")
    recording.save(measure(parser.parse_args().threads))


if __name__ == "__main__":
    main()
