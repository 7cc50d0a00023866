"""From a hundred thousand to ten million interactions: what each model's time and memory do, and where it stops."""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gowalla_size
import numpy as np
import peers
import psutil
import recording
import scale_causes
import scale_worker as worker
from synthetic_graph import synthetic_graph
from tqdm.auto import tqdm

from course_lib.data import load
from course_lib.paths import ROOT

REAL = ("movielens-100k", "movielens-1m", "complete-journey")
SIZES = (100_000, 200_000, 1_000_000, 3_000_000, 10_000_000)
MOST_MEMORY = 12.0  # GB of one process
MOST_SECONDS = 180.0  # of processor time
MEASURED = {"fit": "fit, s", "memory": "peak memory, GB", "evaluate": "evaluate 1,000 users, s", "serve": "serve, ms"}
UNIT = {"fit": 1.0, "memory": 1.0, "evaluate": 1000.0, "serve": 1000.0}
NEAR_LINEAR = 1.25  # a slope on log axes; 1 is linear
STOPPED = f"its process was ended at the next size, at {MOST_SECONDS:g} s of processor time or {MOST_MEMORY:g} GB."
GRAPH_MODELS = ("GF-CF", "LightGCN, BPR", "LightGCN, sampled", "early fusion, BPR")
SETUP = [
    "Real data: MovieLens-100K and -1M, every rating; Complete Journey, every product of every basket. Drawn graphs: "
    f"users and items grow with the interactions in Gowalla's proportions, {gowalla_size.NUM_USERS:,} and "
    f"{gowalla_size.NUM_ITEMS:,} for {gowalla_size.NUM_INTERACTIONS:,}, activity and popularity lognormal.",
    "Each model learns from nine tenths of each user's interactions, in a process of its own with one thread. Seconds "
    "are processor time, so other programs on the machine hardly count. Peak memory is that of the process when the "
    "fit is over: Python and libraries, graph, and model.",
    f"A process is ended at {MOST_MEMORY:g} GB or {MOST_SECONDS:g} s; the row says so, and larger drawn graphs are not "
    "tried.",
    f"LightGCN and early fusion, BPR: 2 layers, 64 numbers, one epoch in {worker.STEPS} steps, each over the whole "
    f"graph; early fusion also maps {worker.TEXT_DIM} numbers an item. LightGCN, sampled: one epoch, "
    f"{worker.SAMPLED_BATCH:,} interactions a step, five neighbours a node and layer (`sampled_lightgcn.py`). "
    f"LightGCN, softmax: one epoch, {worker.SOFTMAX_BATCH} users a step, each against the whole catalogue. No "
    "validation while training.",
    "The C library keeps the memory that is freed (two variables, `scale_causes.KEEP`), except where a table says "
    "otherwise.",
    f"Evaluate: the full ranking of all items for {worker.NUM_EVALUATED} users, scaled to 1,000. Serve: "
    f"`recommend` for one user, ten items, mean of {worker.NUM_SERVED}.",
    "Slopes: least squares on the logarithms over the drawn graphs that the model went through, from a million on "
    "where there are two such, from the smallest elsewhere. 1 is linear, 2 is quadratic.",
    "In the figure, lines join the drawn graphs, hollow marks are real data, a cross is where a process was ended.",
]


def graphs(folder: Path, sizes: tuple[int, ...], seed: int) -> Iterator[tuple[str, int, Path]]:
    """Name, number of interactions and file of each graph: the real ones, then the drawn ones by size."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "graph.npz"
    for name in REAL:
        graph = load(name).interactions
        _write(path, graph)
        yield name, len(graph), path
    for size in sizes:
        share = size / gowalla_size.NUM_INTERACTIONS
        num_users, num_items = round(share * gowalla_size.NUM_USERS), round(share * gowalla_size.NUM_ITEMS)
        _write(path, synthetic_graph(num_users, num_items, size, seed))
        yield "drawn", size, path


def _write(path: Path, graph: Any) -> None:
    np.savez(path, user=graph.user, item=graph.item, num_users=graph.num_users, num_items=graph.num_items)


def run(method: str, path: Path, variables: dict[str, str] = scale_causes.KEEP) -> dict[str, Any]:
    """What the worker measured; `stopped` says at which limit it was ended, if it was."""
    command = [sys.executable, str(Path(worker.__file__)), method, str(path)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, **variables, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        stopped = watch(process)
        output, errors = process.communicate()
    if process.returncode and not stopped:
        raise RuntimeError(f"{method} failed:\n{errors[-3000:]}")
    measured = {name: value for line in output.splitlines() for name, value in json.loads(line).items()}
    return {**measured, "stopped": stopped, "limit": {"memory": MOST_MEMORY, "time": MOST_SECONDS}.get(stopped)}


def watch(process: subprocess.Popen[str]) -> str:
    """Wait for a process, ending it at a limit: "memory" or "time", "" where it came to its own end."""
    observed = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            memory, times = observed.memory_info().rss / recording.GIGABYTE, observed.cpu_times()
        except psutil.NoSuchProcess:
            break
        over = {"memory": memory > MOST_MEMORY, "time": times.user + times.system > MOST_SECONDS}
        if any(over.values()):
            process.kill()
            return "memory" if over["memory"] else "time"
        time.sleep(0.1)
    return ""


def slope(rows: list[dict[str, Any]], measured: str) -> float:
    """Slope on log axes over the drawn graphs; NaN with fewer than two."""
    points = [(row["interactions"], row[measured]) for row in rows if row["graph"] == "drawn" and row.get(measured)]
    large = [point for point in points if point[0] >= 1_000_000]
    chosen = large if len(large) > 1 else points
    if len(chosen) < 2:
        return math.nan
    x, y = np.log(np.array(chosen, dtype=float)).T
    return float(np.polyfit(x, y, 1)[0])


def measure(sizes: tuple[int, ...], seed: int) -> dict[str, Any]:
    """Run every model on every graph that it has not been stopped on a smaller one of, and return the record."""
    machine = recording.machine(1)
    rows: list[dict[str, Any]] = []
    causes: list[dict[str, Any]] = []
    bar = tqdm(total=(len(REAL) + len(sizes)) * len(worker.METHODS), unit="fit")
    for graph, interactions, path in graphs(peers.ENVIRONMENTS / "scale", sizes, seed):
        for method in worker.METHODS:
            smaller = [row for row in rows if row["method"] == method and row["graph"] == graph == "drawn"]
            bar.update()
            if any(row["stopped"] for row in smaller):
                continue
            row = {"graph": graph, "interactions": interactions, "method": method, **run(method, path)}
            rows.append(row)
            tqdm.write(json.dumps(row))
        if graph == "drawn":
            given_back = run(scale_causes.METHOD, path, {})
            causes.append({"interactions": interactions, **run("reads", path), "given back": given_back})
            tqdm.write(json.dumps(causes[-1]))
        path.unlink()
    return record(rows, causes, scale_causes.sampling(), machine, seed)


def record(
    rows: list[dict[str, Any]],
    causes: list[dict[str, Any]],
    sampling: dict[str, list[float]],
    machine: dict[str, str],
    seed: int,
) -> dict[str, Any]:
    """All measurements, the slopes, and what came of the targets."""
    of_method = {method: [row for row in rows if row["method"] == method] for method in worker.METHODS}
    slopes = {method: {one: slope(of, one) for one in MEASURED} for method, of in of_method.items()}
    base = min(row["before"] for row in rows if "before" in row)
    measured = {
        "title": f"Measured; Python, libraries and the smallest graph alone hold {base:.2f} GB",
        "columns": ["graph", "interactions", "", *MEASURED.values()],
        "rows": [
            [row["graph"], f"{row['interactions']:,}", row["method"], *(cell(row, one) for one in MEASURED)]
            for row in rows
        ],
    }
    return {
        "name": "scale",
        "title": "From a hundred thousand to ten million interactions",
        "question": "How do time and memory of each model grow, and where does it stop?",
        "command": "python benchmarks/scale.py",
        "setup": SETUP,
        "figure": "images/scale.svg",
        "targets": targets(of_method, slopes, scale_causes.why_steep(causes)),
        "tables": [table_of_slopes(of_method, slopes), *scale_causes.tables(rows, causes, sampling), measured],
        "machine": machine,
        "versions": recording.versions("numpy", "scipy", "scikit-learn", "torch"),
        "seeds": {"drawn graphs": seed},
        "steps": worker.STEPS,
        "an interaction": {  # of the drawn graphs
            "users": gowalla_size.NUM_USERS / gowalla_size.NUM_INTERACTIONS,
            "items": gowalla_size.NUM_ITEMS / gowalla_size.NUM_INTERACTIONS,
        },
        "measured": rows,
        "causes": causes,
        "sampling": sampling,
    }


def table_of_slopes(of_method: dict[str, list[dict[str, Any]]], slopes: dict[str, dict[str, float]]) -> dict[str, Any]:
    """How each model's time and memory grow, and where it was stopped."""
    return {
        "title": "Slopes on log axes",
        "columns": ["", *(name.rpartition(",")[0] for name in MEASURED.values()), "stopped"],
        "rows": [[method, *slopes_of(of), how_far(of_method[method])] for method, of in slopes.items()],
    }


def targets(
    of_method: dict[str, list[dict[str, Any]]], slopes: dict[str, dict[str, float]], why_steep: str
) -> list[dict[str, Any]]:
    """Graph models are to grow nearly linearly, all the way to the largest graph."""
    steepest = [(f"slope of the time to fit, {method}", slopes[method]["fit"]) for method in GRAPH_MODELS]
    furthest = [
        (method, max(row["interactions"] for row in of_method[method] if not row["stopped"])) for method in GRAPH_MODELS
    ]
    return [
        *(
            {"what": what, "kind": "at most", "limit": NEAR_LINEAR, "measured": one, "unit": "", "why": why_steep}
            for what, one in steepest
        ),
        *(
            {
                "what": f"largest graph fitted, {method}",
                "kind": "at least",
                "limit": max(SIZES),
                "measured": one,
                "unit": "interactions",
                "why": STOPPED,
            }
            for method, one in furthest
        ),
    ]


def slopes_of(of: dict[str, float]) -> list[Any]:
    """Slopes as cells; a dash where there are too few graphs."""
    return [round(one, 2) if math.isfinite(one) else "-" for one in of.values()]


def how_far(rows: list[dict[str, Any]]) -> str:
    """At which drawn graph a model was stopped, and why."""
    ends = [f"at {row['interactions']:,}: {row['stopped']}" for row in rows if row["stopped"]]
    return "; ".join(ends) or "never"


def cell(row: dict[str, Any], measured: str) -> Any:
    """A number in the unit of its column, or why there is none."""
    if measured in row:
        return float(f"{UNIT[measured] * row[measured]:.3g}")
    return f"stopped: {row['stopped']}"


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="interactions of the drawn graphs")
    parser.add_argument("--seed", type=int, default=0, help="of the drawn graphs (default 0)")
    arguments = parser.parse_args()
    recording.save(measure(tuple(arguments.sizes), arguments.seed))


if __name__ == "__main__":
    main()
