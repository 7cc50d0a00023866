"""The same film titles through the same MiniLM: the course's encoder beside sentence-transformers."""

import argparse
import json
import os
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import peers
import recording
import torch
from tqdm.auto import tqdm

from course_lib import sources
from course_lib.data import load
from course_lib.text.documents import film_titles
from course_lib.text.encoder import TextEncoder
from course_lib.text.features import unit_rows

MODEL = "all-minilm-l6-v2"
PACKAGES = (
    "sentence-transformers==6.2.0",
    *(f"{package}=={version(package)}" for package in ("torch", "transformers", "tokenizers", "numpy")),
)
SETUP = [
    '1,682 texts such as "Toy Story (1995). Animation, Children\'s, Comedy.", the same model folder, float32 on the '
    "CPU, batches of 32 sorted by length, 256 tokens at most, mean pooling.",
    "Both have loaded the model and encoded 64 texts before the clock starts. They take turns, one process at a time.",
    "Our time includes the cache: hashing, rounding to float16, writing the file. It is empty at the start of a turn.",
    "torch, transformers and tokenizers are of the same versions on both sides.",
    "sentence-transformers returns vectors of length 1; ours are scaled to it for the comparison.",
]


def ours(folder: Path, titles: list[str]) -> tuple[float, np.ndarray]:
    """Seconds, and vectors, [num_titles, dim]: with an empty cache."""
    before = os.environ.get("COURSE_CACHE_DIR")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["COURSE_CACHE_DIR"] = cache
        encoder = TextEncoder(str(folder), device="cpu")
        encoder.encode([f"warm-up: {title}" for title in titles[:64]], progress=False)
        began = time.perf_counter()
        vectors = encoder.encode(titles, progress=False)
        seconds = time.perf_counter() - began
    os.environ.pop("COURSE_CACHE_DIR")
    if before is not None:
        os.environ["COURSE_CACHE_DIR"] = before
    return seconds, vectors


def theirs(python: Path, model: Path, folder: Path, threads: int) -> dict[str, Any]:
    """One turn of sentence-transformers, in its own environment and process; vectors lie in `folder` then."""
    script = Path(__file__).with_name("sentence_transformers_encoder.py")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [python, script, model, "titles.json", "answer.json", "vectors.npy", str(threads)]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**clean, "HF_HUB_OFFLINE": "1"})
    if finished.returncode:
        raise RuntimeError(f"the side of sentence-transformers failed:\n{finished.stderr[-3000:]}")
    return json.loads((folder / "answer.json").read_text(encoding="utf-8"))


def measure(rounds: int, threads: int) -> dict[str, Any]:
    """Alternate between the two, and return the record."""
    python = peers.environment("sentence_transformers", PACKAGES)
    folder = peers.ENVIRONMENTS / "encoder"
    folder.mkdir(exist_ok=True)
    machine = recording.machine(threads)
    torch.set_num_threads(threads)
    model = sources.fetch(MODEL)
    titles = film_titles(load("movielens-100k").items)
    (folder / "titles.json").write_text(json.dumps(titles), encoding="utf-8")

    times = []
    for _ in tqdm(range(rounds), unit="round"):
        seconds, vectors = ours(model, titles)
        answer = theirs(python, model, folder, threads)
        times.append({"course_lib": seconds, "sentence-transformers": answer["seconds"]})
    difference = float(np.abs(unit_rows(vectors) - np.load(folder / "vectors.npy")).max())
    return record(times, difference, answer, machine)


def record(
    times: list[dict[str, float]], difference: float, answer: dict[str, Any], machine: dict[str, str]
) -> dict[str, Any]:
    """Times and the largest difference as a record for the page."""
    every = {side: [one[side] for one in times] for side in times[0]}
    middle = {side: median(seconds) for side, seconds in every.items()}
    ratio = median(one["course_lib"] / one["sentence-transformers"] for one in times)
    return {
        "name": "encoder",
        "title": "Encoding: film titles through MiniLM",
        "question": "How long does it take to encode the 1,682 film titles, and are the vectors the same?",
        "command": "python benchmarks/encoder.py",
        "setup": SETUP,
        "targets": [
            {"what": what, "kind": "at most", "limit": limit, "measured": measured, "unit": unit}
            for what, limit, measured, unit in (
                ("1,682 titles, median", 15, middle["course_lib"], "s"),
                ("median ratio of our time to theirs in the same round", 1.05, ratio, "times"),
                ("largest difference of any number in the normalised vectors", 1e-4, difference, "(absolute)"),
            )
        ],
        "tables": [
            {
                "title": f"Seconds, {len(times)} rounds in turn",
                "columns": ["", "median", "fastest", "slowest"],
                "rows": [
                    [side, *(round(one, 2) for one in (middle[side], min(seconds), max(seconds)))]
                    for side, seconds in every.items()
                ],
            }
        ],
        "machine": machine,
        "versions": {
            **recording.versions("torch", "transformers", "tokenizers"),
            **{f"beside sentence-transformers: {name}": value for name, value in answer["versions"].items()},
        },
        "seeds": {},
        "seconds": times,
    }


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often the two take turns (default 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each (default 2; 1 on a busy machine)")
    arguments = parser.parse_args()
    recording.save(measure(arguments.rounds, arguments.threads))


if __name__ == "__main__":
    main()
