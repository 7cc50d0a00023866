"""One model on one graph, in a process of its own: the part of `scale.py` that is measured.

python scale_worker.py METHOD GRAPH.npz
python scale_worker.py reads GRAPH.npz
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import recording
import torch
from sampled_lightgcn import SampledLightGCN
from threadpoolctl import threadpool_limits

from course_lib import splits
from course_lib.data import Interactions
from course_lib.evaluation import evaluate
from course_lib.graph import bipartite_adjacency, symmetric_normalize, to_torch
from course_lib.models import EASE, EarlyFusion, GraphFilter, LightGCN, Recommender
from course_lib.splits import Split
from course_lib.text.features import RandomVectors

NUM_EVALUATED = 200
NUM_SERVED = 20
STEPS = 10
TEXT_DIM = 64
SOFTMAX_BATCH = 1024
SAMPLED_BATCH = 32_768
NEAR = 1000  # vectors that stay in the processor's cache


def bpr(split: Split) -> dict[str, Any]:
    """One epoch in ten steps, each over the whole graph: the pairwise loss looks at one wrong answer a positive."""
    batch_size = -(-len(split.train) // STEPS)
    return {"loss": "bpr", "cosine": False, "temperature": 1.0, "num_epochs": 1, "batch_size": batch_size}


METHODS: dict[str, Callable[[Split], Recommender | SampledLightGCN]] = {
    "EASE": lambda split: EASE(),
    "GF-CF": lambda split: GraphFilter(),
    "LightGCN, BPR": lambda split: LightGCN(**bpr(split)),
    "LightGCN, sampled": lambda split: SampledLightGCN(batch_size=SAMPLED_BATCH),
    "LightGCN, softmax": lambda split: LightGCN(num_epochs=1, batch_size=SOFTMAX_BATCH),
    "early fusion, BPR": lambda split: EarlyFusion(text=RandomVectors(split.num_items, TEXT_DIM), **bpr(split)),
}


def read_split(path: Path) -> Split:
    """Nine tenths to learn from, one to test on, none to validate; only some users are tested."""
    with np.load(path) as arrays:
        user, item, num_users, num_items = (arrays[name] for name in ("user", "item", "num_users", "num_items"))
    ones = np.ones(len(user), dtype=np.float32)
    graph = Interactions(user, item, ones, None, np.arange(int(num_users)), np.arange(int(num_items)))
    split = splits.benchmark(graph).merge_valid()
    asked = np.unique(split.test.user)
    asked = np.random.default_rng(0).permutation(asked)[:NUM_EVALUATED]
    return replace(split, test=split.test.select(np.isin(split.test.user, asked)))


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time, and what came out."""
    began = time.process_time()
    outcome = run()
    return time.process_time() - began, outcome


def reads(split: Split) -> dict[str, float]:
    """Nanoseconds that one edge of a step of message passing takes, the fastest of five.

    "far" is the graph as it is. For "near" every edge reads one of the same thousand vectors: as many products and
    sums, but nothing to fetch from memory except the edges themselves.
    """
    A_hat = symmetric_normalize(bipartite_adjacency(split.train.matrix()))
    H = torch.ones(A_hat.shape[0], LightGCN.embedding_dim)
    fastest = {}
    for name, indices in {"far": A_hat.indices, "near": A_hat.indices % NEAR}.items():
        product = to_torch(type(A_hat)((A_hat.data, indices, A_hat.indptr), shape=A_hat.shape))
        fastest[name] = min(timed(lambda product=product: product @ H)[0] for _ in range(5)) / A_hat.nnz * 1e9
    return fastest


def main(method: str, path: str) -> None:
    """Fit, evaluate and serve; print what each took as JSON, one line after each step."""
    torch.set_num_threads(1)
    if method == "reads":
        print(json.dumps(reads(read_split(Path(path)))))
        return
    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])  # its first call imports for seconds
    split = read_split(Path(path))
    before = recording.peak_memory()
    fit, model = timed(lambda: METHODS[method](split).fit(split))
    print(json.dumps({"fit": fit, "before": before, "memory": recording.peak_memory()}), flush=True)
    evaluated, evaluation = timed(lambda: evaluate(model, split))
    users = evaluation.users[:NUM_SERVED]
    histories = [model.train[user].indices for user in users]
    model.recommend(histories[0])
    served, _ = timed(lambda: [model.recommend(history) for history in histories])
    print(json.dumps({"evaluate": evaluated / len(evaluation.users), "serve": served / len(users)}), flush=True)


if __name__ == "__main__":
    with threadpool_limits(1):
        main(*sys.argv[1:])
