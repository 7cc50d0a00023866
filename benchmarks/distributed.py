"""Two processes beside one, through torchrun: the same LightGCN vectors and title vectors, and the time they take."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import distributed_worker as worker
import numpy as np
import peers
import recording
from scipy import sparse
from tqdm.auto import tqdm

from course_lib import splits
from course_lib.data import load
from course_lib.models import LightGCN
from course_lib.paths import ROOT
from course_lib.splits import Split
from course_lib.text.documents import film_titles

PROCESSES = (1, 2)
BOUND = 1e-5
SEED = 0
EXACT = "train-float64"
UNIT = "(largest difference)"
WHY = (
    "float32 sums depend on their order, and Adam divides each gradient by its own size, so that the rounding of a "
    "gradient near zero counts in full. In float64 the same code agrees to many more digits: see the next row."
)
WORK = {"train": "LightGCN, MovieLens-1M", "encode": "1,682 titles through MiniLM"}
SETUP = [
    "Started by `torchrun --standalone --nproc-per-node N`, joined by `torch.distributed` with gloo, one thread a "
    "process. On more machines the same script runs with `--nnodes` and `--rdzv-endpoint`.",
    f"LightGCN: {worker.LAYERS} layers, {worker.DIM} numbers, softmax, {worker.BATCH:,} users a step, {worker.EPOCHS} "
    "epochs on nine tenths of MovieLens-1M. Every process holds all vectors and the whole graph, and "
    "differentiates the loss of its share of the users; gradients are added up by `all_reduce`; then all take the "
    "same step. The propagation over the graph is not shared out: each process does all of it.",
    "Titles: sorted by length and dealt out like cards; vectors come back by `all_gather` in the order of the titles. "
    "float32, nothing cached, models loaded before the clock starts.",
    "The vectors of `LightGCN.fit` with the same settings and seed are compared as well.",
]


def run(processes: int, what: str, folder: Path) -> dict[str, np.ndarray]:
    """One start of torchrun; what its first process wrote."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    given = folder / f"{what.partition('-')[0]}.input"
    command += [str(Path(worker.__file__)), what, str(given), str(folder / f"{what}.npz")]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    if finished.returncode:
        raise RuntimeError(f"{processes} processes, {what}, failed:\n{finished.stderr[-3000:]}")
    return dict(np.load(folder / f"{what}.npz"))


def prepare(folder: Path) -> Split:
    """Write both inputs; return the split that LightGCN learns from."""
    folder.mkdir(parents=True, exist_ok=True)
    split = splits.make("benchmark", load("movielens-1m"), SEED).merge_valid()
    with (folder / "train.input").open("wb") as file:
        sparse.save_npz(file, split.train.matrix())
    titles = film_titles(load("movielens-100k").items)
    (folder / "encode.input").write_text(json.dumps(titles), encoding="utf-8")
    return split


def ours(split: Split) -> dict[str, np.ndarray]:
    """Vectors of the library's own fit, with the worker's settings; nothing to validate on, so all epochs run."""
    model = LightGCN(
        embedding_dim=worker.DIM,
        num_layers=worker.LAYERS,
        temperature=worker.TEMPERATURE,
        learning_rate=worker.LEARNING_RATE,
        num_epochs=worker.EPOCHS,
        batch_size=worker.BATCH,
        seed=worker.SEED,
        device="cpu",
    )
    model.fit(split)
    return {"user_vectors": model.user_vectors, "item_vectors": model.item_vectors}


def largest_difference(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> float:
    """Largest difference of any number in the arrays that both have, the seconds aside."""
    return max(float(np.abs(first[name] - second[name]).max()) for name in second if name != "seconds")


def measure(rounds: int) -> dict[str, Any]:
    """Take turns between one and two processes, and return the record."""
    machine = recording.machine(max(PROCESSES))
    folder = peers.ENVIRONMENTS / "distributed"
    split = prepare(folder)
    times: dict[str, dict[int, list[float]]] = {what: {processes: [] for processes in PROCESSES} for what in WORK}
    answers: dict[str, dict[int, dict[str, np.ndarray]]] = {what: {} for what in WORK}
    for _ in tqdm(range(rounds), unit="round"):
        for what in WORK:
            for processes in PROCESSES:
                answers[what][processes] = run(processes, what, folder)
                times[what][processes].append(float(answers[what][processes]["seconds"]))
    answers[EXACT] = {processes: run(processes, EXACT, folder) for processes in PROCESSES}
    return record(times, answers, ours(split), machine)


def record(
    times: dict[str, dict[int, list[float]]],
    answers: dict[str, dict[int, dict[str, np.ndarray]]],
    library: dict[str, np.ndarray],
    machine: dict[str, str],
) -> dict[str, Any]:
    """Times and differences as a record for the page."""
    middle = {what: {processes: median(seconds) for processes, seconds in of.items()} for what, of in times.items()}
    differences = {
        "LightGCN vectors, one process and two": largest_difference(answers["train"][1], answers["train"][2]),
        "the same, trained in float64": largest_difference(answers[EXACT][1], answers[EXACT][2]),
        "LightGCN vectors, one process and `LightGCN.fit`": largest_difference(answers["train"][1], library),
        "title vectors, one process and two": largest_difference(answers["encode"][1], answers["encode"][2]),
    }
    return {
        "name": "distributed",
        "title": "Beyond one process",
        "question": "Do two processes that work together give the vectors of one, and how much sooner?",
        "command": "python benchmarks/distributed.py",
        "setup": SETUP,
        "targets": [
            {"what": what, "kind": "at most", "limit": BOUND, "measured": one, "unit": UNIT, "why": WHY}
            for what, one in differences.items()
        ],
        "tables": [
            {
                "title": f"Seconds, {len(times['train'][1])} rounds in turn, one thread a process",
                "columns": ["", "one process, median", "two processes, median", "times faster"],
                "rows": [
                    [WORK[what], round(of[1], 2), round(of[2], 2), round(of[1] / of[2], 2)]
                    for what, of in middle.items()
                ],
            }
        ],
        "machine": machine,
        "versions": recording.versions("numpy", "torch", "transformers"),
        "seeds": {"split": SEED, "vectors and batches": worker.SEED},
        "seconds": times,
    }


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often the two take turns (default 3)")
    recording.save(measure(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
