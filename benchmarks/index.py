"""Exact search against an inverted file: recall, speed, build time and memory, up to a million items."""

import argparse
from typing import Any

import numpy as np
import recording
from service import the_bundle

from course_lib.serving.bundle import load_bundle
from course_lib.serving.retrieval import Study, study, synthetic_items
from course_lib.serving.scoring import Catalogue

NUM_QUERIES = 50
COLUMNS = ["items", "search", "cells opened", "recall@10", "queries a second"]


def user_vectors(catalogue: Catalogue, num_queries: int) -> np.ndarray:
    """Vectors of the first users as the service makes them, [num_queries, dim]."""
    bundle, alpha, rows = catalogue.bundle, catalogue.bundle.settings["alpha"], []
    for row in range(num_queries):
        user = catalogue.user(bundle.indices[bundle.indptr[row] : bundle.indptr[row + 1]])
        rows.append(np.concatenate([(1 - alpha) * user.h, alpha * user.e]))
    return np.array(rows, dtype=np.float32)


def measure(sizes: list[int], seed: int) -> dict[str, Any]:
    """Study each size once, and return the record."""
    machine = recording.machine(2)
    catalogue = Catalogue.of(load_bundle(the_bundle()))
    queries = user_vectors(catalogue, NUM_QUERIES)
    studies: list[Study] = [study(catalogue.vectors, queries)]
    studies += [study(synthetic_items(catalogue.vectors, size, seed=seed), queries) for size in sizes]
    rows = [
        [
            f"{one.num_items:,}",
            point.name,
            point.probes or "all",
            round(point.recall, 3),
            round(point.queries_per_second),
        ]
        for one in studies
        for point in one.points
    ]
    built = [[f"{one.num_items:,}", round(one.build_seconds, 1), round(one.megabytes)] for one in studies]
    return {
        "name": "index",
        "title": "Finding ten of a million",
        "question": "What does an approximate index give up, and what does it gain, as the catalogue grows?",
        "command": "python benchmarks/index.py",
        "setup": [
            f"The item vectors of lesson 07's bundle ({catalogue.vectors.shape[1]} numbers), and catalogues made from "
            "them by adding noise; queries are 50 users as the service folds them in.",
            "Exact: all inner products in numpy. Index: Faiss's inverted file with about √n cells. One query at a "
            "time, one thread; the index is built by all cores.",
        ],
        "targets": [],
        "tables": [
            {"title": "Recall and speed", "columns": COLUMNS, "rows": rows},
            {"title": "Building the index", "columns": ["items", "seconds", "MB, vectors included"], "rows": built},
        ],
        "machine": machine,
        "versions": recording.versions("numpy", "faiss-cpu"),
        "seeds": {"synthetic items": seed},
    }


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100_000, 1_000_000], help="synthetic catalogues")
    parser.add_argument("--seed", type=int, default=0, help="of the synthetic items (default 0)")
    arguments = parser.parse_args()
    recording.save(measure(arguments.sizes, arguments.seed))


if __name__ == "__main__":
    main()
