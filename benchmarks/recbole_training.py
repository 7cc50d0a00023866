"""RecBole's side of `movielens_100k.py`: its split, its training, its early stopping. Runs in RecBole's environment.

python recbole_training.py MODEL SETTINGS.json ANSWER.json SCORES.npz THREADS
"""

import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
import recording
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.interaction import Interaction
from recbole.utils import get_model, get_trainer, init_seed

SETTINGS = {
    "load_col": {"inter": ["user_id", "item_id"]},  # every rating is a positive
    "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "user", "order": "RO", "mode": "full"},
    "metrics": ["NDCG", "Recall"],
    "topk": [10],
    "valid_metric": "NDCG@10",
    "metric_decimal_place": 12,
    "eval_batch_size": 4_096_000,  # all users at once; its default, 2 users at a time, is several times slower
    "use_gpu": False,
    "show_progress": False,
}


def tokens(dataset: object, field: str, ids: torch.Tensor) -> np.ndarray:
    """Original ids, as int64."""
    return dataset.id2token(field, ids.numpy()).astype(np.int64)


def parts(dataset: object, loaders: dict[str, object]) -> dict[str, np.ndarray]:
    """RecBole's split in original ids: part -> [2, num_interactions], users above items."""
    return {
        name: np.stack(
            [
                tokens(dataset, field, loader._dataset.inter_feat[field])
                for field in (dataset.uid_field, dataset.iid_field)
            ]
        )
        for name, loader in loaders.items()
    }


def all_scores(model: torch.nn.Module, dataset: object) -> dict[str, np.ndarray]:
    """Scores of every user for every item, with the original ids of rows and columns."""
    model.eval()
    users, items = (torch.arange(1, number) for number in (dataset.user_num, dataset.item_num))
    with torch.no_grad():
        scores = model.full_sort_predict(Interaction({dataset.uid_field: users})).view(len(users), -1)
    return {
        "scores": scores[:, 1:].numpy(),
        "user_id": tokens(dataset, dataset.uid_field, users),
        "item_id": tokens(dataset, dataset.iid_field, items),
    }


def main(name: str, settings_path: str, answer_path: str, scores_path: str, threads: int) -> None:
    """Train until validation stops improving; write the curve, the result, the split and the scores."""
    torch.set_num_threads(threads)
    chosen = json.loads(Path(settings_path).read_text(encoding="utf-8"))
    config = Config(model=name, dataset="ml-100k", config_dict={**SETTINGS, **chosen})
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    loaders = dict(zip(("train", "valid", "test"), data_preparation(config, dataset), strict=True))
    init_seed(config["seed"], config["reproducibility"])
    model = get_model(name)(config, loaders["train"]._dataset)
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)

    curve, began = [], time.perf_counter()

    def note(epoch: int, valid: float) -> None:
        curve.append({"epoch": epoch + 1, "seconds": time.perf_counter() - began, "valid": valid})
        print(name, curve[-1], flush=True)

    trainer.fit(loaders["train"], loaders["valid"], saved=True, callback_fn=note)
    took = time.perf_counter() - began
    result = trainer.evaluate(loaders["test"], load_best_model=True)  # loads the weights that validated best
    np.savez(scores_path, **all_scores(model, dataset), **parts(dataset, loaders))
    answer = {
        "curve": curve,
        "seconds": took,
        "test": result,
        "peak_memory": recording.peak_memory(),
        "versions": {"Python": platform.python_version(), **recording.versions("recbole", "numpy", "torch")},
    }
    Path(answer_path).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]))
