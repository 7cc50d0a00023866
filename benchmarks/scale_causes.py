"""Why times grow as they do in `scale.py`: memory given back, vectors far away; and the quality of sampled training."""

from dataclasses import replace
from statistics import mean
from typing import Any

from sampled_lightgcn import SampledLightGCN
from tqdm.auto import tqdm

from course_lib import splits
from course_lib.data import load
from course_lib.evaluation import evaluate
from course_lib.models import LightGCN

METHOD = "LightGCN, BPR"
LARGEST = str(2**40)  # bytes: no block is ever as large
KEEP = {"MALLOC_MMAP_THRESHOLD_": LARGEST, "MALLOC_TRIM_THRESHOLD_": LARGEST}  # of the GNU C library, man mallopt
SEEDS = (0, 1, 2)
TRAINING = SampledLightGCN(num_epochs=60, batch_size=2048, learning_rate=0.005)


def why_steep(causes: list[dict[str, Any]]) -> str:
    """What the reads say about slopes above 1."""
    first, last = causes[0], causes[-1]
    return (
        f"an edge of a step of message passing takes {first['far']:.0f} ns at {first['interactions']:,} interactions "
        f"and {last['far']:.0f} ns at {last['interactions']:,}, because the vectors outgrow the processor's caches. "
        f"Where every edge reads one of the same few vectors, it takes {first['near']:.0f} and {last['near']:.0f} ns."
    )


def tables(
    rows: list[dict[str, Any]], causes: list[dict[str, Any]], sampling: dict[str, list[float]]
) -> list[dict[str, Any]]:
    """Reads and freed memory by size, and the quality of sampled training."""
    kept = {row["interactions"]: row for row in rows if row["method"] == METHOD and row["graph"] == "drawn"}
    return [
        {
            "title": "One edge of one step of message passing, ns",
            "columns": ["interactions", "the graph as it is", "every edge reads one of the same 1,000 vectors"],
            "rows": [[f"{one['interactions']:,}", round(one["far"], 1), round(one["near"], 1)] for one in causes],
        },
        {
            "title": f"Memory that is freed: {METHOD}",
            "columns": ["interactions", "given back (default), s", "kept, s", "given back, GB", "kept, GB"],
            "rows": [
                [f"{one['interactions']:,}", *compared(one["given back"], kept.get(one["interactions"], {}))]
                for one in causes
            ],
        },
        {
            "title": f"Sampled neighbours and quality: MovieLens-100K, NDCG@10, {TRAINING.num_epochs} epochs, "
            f"{TRAINING.batch_size:,} interactions a step, {len(SEEDS)} seeds, not tuned",
            "columns": ["", "mean", "lowest", "highest"],
            "rows": [[name, *(round(of(one), 4) for of in (mean, min, max))] for name, one in sampling.items()],
        },
    ]


def compared(given_back: dict[str, Any], kept: dict[str, Any]) -> list[Any]:
    """Seconds and GB of both, or why there are none."""
    return [
        f"{one[measured]:.3g}" if measured in one else f"stopped: {one['stopped']}" if "stopped" in one else "-"
        for measured in ("fit", "memory")
        for one in (given_back, kept)
    ]


def sampling() -> dict[str, list[float]]:
    """NDCG@10 on MovieLens-100K, test part, by seed: trained on the whole graph, and on sampled neighbours."""
    split = splits.make("benchmark", load("movielens-100k"), SEEDS[0]).merge_valid()
    whole = LightGCN(
        loss="bpr",
        cosine=False,
        temperature=1.0,
        num_epochs=TRAINING.num_epochs,
        batch_size=TRAINING.batch_size,
        learning_rate=TRAINING.learning_rate,
        device="cpu",
    )
    found: dict[str, list[float]] = {"whole graph in every step": [], "five sampled neighbours a node and layer": []}
    for seed in tqdm(SEEDS, unit="seed"):
        models = (replace(whole, seed=seed).fit(split), replace(TRAINING, seed=seed).fit(split))
        for values, model in zip(found.values(), models, strict=True):
            values.append(evaluate(model, split, k=(10,)).mean("ndcg@10"))
    return found
