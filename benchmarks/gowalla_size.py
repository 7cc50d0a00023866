"""The graph filter on a graph of Gowalla's size: split, fit and full evaluation, in seconds and gigabytes."""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import recording
from synthetic_graph import synthetic_graph
from threadpoolctl import threadpool_limits

from course_lib import splits
from course_lib.data import Interactions
from course_lib.evaluation import evaluate
from course_lib.models import GraphFilter

NUM_USERS, NUM_ITEMS, NUM_INTERACTIONS = 29_858, 40_981, 810_128
THREADS = 2
COLUMNS = ["step", "seconds", "CPU seconds of all threads", "peak memory so far, GB"]
METRICS = ("recall@20", "ndcg@20")
QUESTION = (
    "Does the training-free graph filter (GF-CF), with every user's full ranking of all items, go through a graph of "
    f"Gowalla's size - {NUM_USERS:,} users, {NUM_ITEMS:,} items, {NUM_INTERACTIONS:,} interactions - on two cores?"
)


def measure(seed: int) -> dict[str, Any]:
    """Run every step once, and return the record."""
    machine = recording.machine(THREADS)
    rows: list[list[Any]] = []

    def timed(step: str, run: Callable[[], Any]) -> Any:
        began, cpu_began = time.perf_counter(), time.process_time()
        outcome = run()
        spent = (time.perf_counter() - began, time.process_time() - cpu_began, recording.peak_memory())
        rows.append([step, *(round(value, 2) for value in spent)])
        return outcome

    graph = timed("generate", lambda: synthetic_graph(NUM_USERS, NUM_ITEMS, NUM_INTERACTIONS, seed))
    split = timed("split (benchmark)", lambda: splits.benchmark(graph, seed))
    model = timed("fit", lambda: GraphFilter(seed=seed).fit(split))
    evaluation = timed("evaluate", lambda: evaluate(model, split))
    total, total_cpu = (round(sum(row[column] for row in rows[1:]), 2) for column in (1, 2))
    rows.append(["split, fit and evaluate", total, total_cpu, round(recording.peak_memory(), 2)])
    metrics = [
        [metric, *(round(value, 5) for value in (evaluation.mean(metric), *evaluation.interval(metric)))]
        for metric in METRICS
    ]
    return {
        "name": "gowalla_size",
        "title": "A graph of Gowalla's size through the graph filter",
        "question": QUESTION,
        "command": "python benchmarks/gowalla_size.py",
        "setup": describe(graph, len(evaluation.users)),
        "targets": [
            {"what": "split, fit and evaluate", "kind": "at most", "limit": 120, "measured": total, "unit": "s"},
            {"what": "peak memory", "kind": "at most", "limit": 6, "measured": rows[-1][-1], "unit": "GB"},
        ],
        "tables": [
            {"title": "Time and memory", "columns": COLUMNS, "rows": rows},
            {"title": "Metrics", "columns": ["metric", "mean", "95 % low", "high"], "rows": metrics},
        ],
        "machine": machine,
        "versions": recording.versions("numpy", "scipy", "scikit-learn", "torch"),
        "seeds": {"graph, split and decomposition": seed},
    }


def describe(graph: Interactions, num_evaluated: int) -> list[str]:
    """What was run, in sentences."""
    sides = (("user", graph.user, graph.num_users), ("item", graph.item, graph.num_items))
    degrees = {side: np.bincount(one, minlength=size) for side, one, size in sides}
    tails = "; ".join(
        f"each {side} has {count.min()} to {count.max():,}, in the median {np.median(count):.0f}"
        for side, count in degrees.items()
    )
    return [
        f"The graph is drawn, not downloaded: lognormal activity and popularity. Interactions: {tails}.",
        f"Split 8 : 1 : 1 inside each user; {num_evaluated:,} users with a test item rank all items they have not "
        "seen, in batches.",
        "There is no taste in the graph, only popularity: the metrics show that the run was complete, not how good "
        "the model is.",
        "Peak memory is that of the whole process: Python, libraries, graph, model and evaluation.",
    ]


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="seed of the graph, split and model (default 0)")
    arguments = parser.parse_args()
    with threadpool_limits(THREADS):
        recording.save(measure(arguments.seed))


if __name__ == "__main__":
    main()
