"""The other side of encoder.py; runs in the environment of sentence-transformers, not in the course's."""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer


def main(model_folder: str, titles_file: str, answer_file: str, vectors_file: str, threads: str) -> None:
    """Encode the titles once, after a warm-up; write seconds, versions and vectors."""
    torch.set_num_threads(int(threads))
    model = SentenceTransformer(model_folder, device="cpu")
    titles = json.loads(Path(titles_file).read_text(encoding="utf-8"))
    model.encode([f"warm-up: {title}" for title in titles[:64]], batch_size=32, show_progress_bar=False)
    began = time.perf_counter()
    vectors = model.encode(titles, batch_size=32, show_progress_bar=False)
    seconds = time.perf_counter() - began
    np.save(vectors_file, vectors)
    names = ("sentence-transformers", "torch", "transformers", "tokenizers")
    answer = {"seconds": seconds, "versions": {name: version(name) for name in names}}
    Path(answer_file).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
