"""What a notebook calls: banner, seeds, verdicts, and models that are fitted once and then loaded."""

import json
import os
import platform
import random
import shutil
import time
import warnings
from pathlib import Path
from typing import Any

# Before transformers and torch_geometric are imported: no bars and no warnings about their own plumbing.
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore", category=FutureWarning, module="torch_geometric")
warnings.filterwarnings("ignore", message=".*torch.jit.*")
warnings.filterwarnings("ignore", message="IProgress not found.*")

import tqdm.auto  # noqa: E402


class NoBar(tqdm.std.tqdm):
    """A bar that is never shown, whatever its options say."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "disable": True})


if os.environ.get("TQDM_DISABLE"):  # the notebook bar does not heed the variable, nor one that is told to be on
    tqdm.auto.tqdm = NoBar  # type: ignore[assignment]

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from cycler import cycler  # noqa: E402
from filelock import FileLock  # noqa: E402

from course_lib import fingerprint, ledger, models  # noqa: E402
from course_lib.evaluation import Evaluation, evaluate  # noqa: E402
from course_lib.paths import ROOT, cache_dir  # noqa: E402
from course_lib.splits import Split  # noqa: E402
from course_lib.training import pick_device  # noqa: E402
from course_lib.verdict import check_band as check_band  # noqa: E402

# Okabe & Ito (2008): eight colours that colour-blind readers can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")


def start(name: str, seed: int = 0) -> None:
    """Print what this lesson runs on and how long it takes, fix the seeds, set the style of figures."""
    seed_everything(seed)
    plt.rcParams.update(
        {
            "figure.figsize": (7.5, 4.0),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "axes.titlesize": 12,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=COLOURS),
        }
    )
    seconds = expected_seconds(name)
    print(f"{name}: Python {platform.python_version()}, torch {torch.__version__}, {describe_device()}")
    print(f"expected: about {seconds} s on two CPU cores" if seconds else "expected: not measured yet")


def seed_everything(seed: int = 0) -> None:
    """Seed Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # libraries that learners try may still use it
    torch.manual_seed(seed)


def describe_device() -> str:
    """The device in words, as the ledger names it."""
    device = pick_device()
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def expected_seconds(name: str) -> int | None:
    """Seconds of the whole lesson on two CPU cores, as measured when it was last executed; None if unknown."""
    for path in (ROOT / "notebooks" / f"{name}.ipynb", ROOT / "notebooks" / "electives" / f"{name}.ipynb"):
        if path.is_file():
            metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
            return metadata.get("course", {}).get("cpu_seconds")
    return None


def check_against_record(evaluation: Evaluation, metric: str = "ndcg@10") -> None:
    """`check_band` against the interval that the recorded study has for this model, data set and protocol."""
    row = ledger.recorded(evaluation.model, evaluation.dataset, evaluation.protocol)
    interval = row["metrics"][metric]
    name = f"{evaluation.model}: {metric}"
    check_band(name, evaluation.mean(metric), interval["low"], interval["high"])


def fit(model: models.Recommender, split: Split, k: tuple[int, ...] = (10, 20)) -> Evaluation:
    """Fit a model, evaluate it on the test part, and put the row on this machine's scoreboard."""
    began = time.perf_counter()
    model.fit(split)
    seconds = time.perf_counter() - began
    evaluation = evaluate(model, split, k)
    ledger.record_live(ledger.row_of(model, evaluation, seeds=1, fit_seconds=seconds, device=describe_device()))
    _save(model, split)
    return evaluation


def artifact(model: models.Recommender, split: Split) -> models.Recommender:
    """The fitted model: loaded where a lesson on this machine has fitted it before, else fitted now and kept.

    The key covers the settings, the code of the model and the training data, so that an outdated artefact is
    never loaded.
    """
    folder = _folder(model, split)
    if not (folder / "model.json").is_file():
        _save(model.fit(split), split)
    return models.load(folder)


def _folder(model: models.Recommender, split: Split) -> Path:
    data = fingerprint.of_arrays(split.train.user, split.train.item, split.valid.user, split.valid.item)
    key = fingerprint.of_text(fingerprint.of_model(model), data)
    return cache_dir() / "artefacts" / f"{type(model).__name__}-{split.protocol}-{key}"


def _save(model: models.Recommender, split: Split) -> None:
    """Write into a folder of our own, then rename: a reader sees a whole artefact or none."""
    folder = _folder(model, split)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if folder.is_dir():
            return
        partial = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(partial, ignore_errors=True)
        model.save(partial)
        partial.rename(folder)
