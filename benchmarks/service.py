"""The service under load on this machine: latency at a fixed rate, saturation, events, start-up, memory."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import recording

from course_lib.paths import ROOT, cache_dir
from course_lib.serving import load
from course_lib.serving.bundle import load_bundle
from course_lib.serving.export import export_films
from course_lib.serving.manifest import BundleError, verify

RATES = (100, 300, 600, 1000)
COLUMNS = ["requests a second asked for", "answered a second", "p50 ms", "p95 ms", "p99 ms", "failed"]


def the_bundle() -> Path:
    """The bundle of lesson 07, made where it is missing."""
    folder = cache_dir() / "lesson_07" / "bundle"
    try:
        verify(folder)
    except BundleError:
        export_films(folder)
    return folder


def start(bundle: Path, database: Path, *options: str) -> tuple[subprocess.Popen[str], str, float]:
    """The process, its address, and the seconds until it was ready."""
    command = [sys.executable, "-m", "course_lib", "serve", "--port", "0", "--rate-limit", "0", *options]
    command += ["--bundle", str(bundle), "--database", str(database)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=dict(os.environ))
    assert process.stdout is not None
    address = process.stdout.readline().split()[-1]
    while httpx.get(f"{address}/readyz").status_code != 200:
        time.sleep(0.01)
    return process, address, time.perf_counter() - began


def click_to_list(address: str, items: list[str], repeats: int) -> np.ndarray:
    """Milliseconds from sending an event to the changed list in hand, [repeats]."""
    taken = []
    with httpx.Client(base_url=address) as client:
        for number in range(repeats):
            body = {"user_id": "visitor", "item_id": items[number]}
            began = time.perf_counter()
            client.post("/v1/events", json=body, headers={"Idempotency-Key": uuid.uuid4().hex}).raise_for_status()
            client.get("/v1/recommendations", params={"user_id": "visitor"}).raise_for_status()
            taken.append(1000 * (time.perf_counter() - began))
    return np.array(taken)


def measure(seconds: float) -> dict[str, Any]:
    """Run all of it once, and return the record."""
    machine, folder = recording.machine(2), the_bundle()
    bundle = load_bundle(folder)
    paths = [f"/v1/recommendations?user_id={user_id}&k=10" for user_id in bundle.user_ids]
    with tempfile.TemporaryDirectory() as scratch:
        process, address, ready = start(folder, Path(scratch) / "events.sqlite3", "--no-encoder")
        load.run(address, paths, seconds=2, rate=100)  # warm-up
        results = {str(rate): load.run(address, paths, seconds, rate, connections=32) for rate in RATES}
        results["as many as come back"] = load.run(address, paths, seconds, connections=32)
        clicks = click_to_list(address, [item.item_id for item in bundle.items], 300)
        process.kill()
        process.wait()
        memory = memory_with_encoder(folder, Path(scratch) / "more.sqlite3")
    event = [round(float(np.percentile(clicks, one)), 1) for one in (50, 95, 99)]
    return record(machine, seconds, results, event, ready, memory)


def memory_with_encoder(folder: Path, database: Path) -> float:
    """Resident megabytes of a service that has just encoded a long text."""
    process, address, _ = start(folder, database)
    while httpx.get(f"{address}/readyz").json()["encoder"] == "loading":
        time.sleep(0.05)
    film = {"title": "A film to warm up", "description": "Somebody reads a very long letter. " * 20}
    httpx.post(f"{address}/v1/items", json=film, timeout=20).raise_for_status()
    memory = psutil.Process(process.pid).memory_info().rss / 1e6
    process.kill()
    process.wait()
    return memory


def record(
    machine: dict[str, str],
    seconds: float,
    results: dict[str, load.LoadResult],
    event: list[float],
    ready: float,
    memory: float,
) -> dict[str, Any]:
    """What is written down."""
    rows = [[name, *_cells(result)] for name, result in results.items()]
    return {
        "name": "service",
        "title": "The service under load",
        "question": "How fast does one process answer, and how soon does a click count?",
        "command": "python benchmarks/service.py",
        "setup": [
            "`course serve` with the bundle of lesson 07 (1,682 films, 448 numbers each), k = 10, one process; users "
            "of the training data in turn, each folded in from the history.",
            "The load generator runs on the same two cores. A request's time counts from when it should have left.",
            "In the last line 32 clients wait for their answers: its latency is 32 divided by the throughput.",
            f"Each line is {seconds:g} s long. A click: POST of an event, written to the disk, then GET of the list.",
        ],
        "targets": [
            _target("p99 at 300 requests a second", "at most", 10, results["300"].milliseconds(99), "ms"),
            _target("saturation", "at least", 1000, results["as many as come back"].throughput, "requests a second"),
            _target("event to changed list, p99", "at most", 50, event[2], "ms"),
            _target("start-up without the encoder", "at most", 3, ready, "s"),
            _target("resident memory with the encoder", "at most", 600, memory, "MB"),
        ],
        "tables": [
            {"title": "Recommendations", "columns": COLUMNS, "rows": rows},
            {"title": "Click to changed list, 300 clicks", "columns": ["p50 ms", "p95 ms", "p99 ms"], "rows": [event]},
        ],
        "machine": machine,
        "versions": recording.versions("numpy", "fastapi", "uvicorn", "onnxruntime"),
        "seeds": {},
    }


def _cells(result: load.LoadResult) -> list[float]:
    percentiles = [round(result.milliseconds(one), 1) for one in (50, 95, 99)]
    return [round(result.throughput), *percentiles, result.failed]


def _target(what: str, kind: str, limit: float, measured: float, unit: str) -> dict[str, Any]:
    return {"what": what, "kind": kind, "limit": limit, "measured": round(float(measured), 2), "unit": unit}


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="length of each line (default 8)")
    recording.save(measure(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
