"""RecBole's side of `evaluator.py`: its own evaluation of scores that are given. Runs in RecBole's environment.

python recbole_evaluator.py EXAM.npz ANSWER.json THREADS REPETITIONS
"""

import json
import platform
import sys
from pathlib import Path

import numpy as np
import recording
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.trainer import Trainer
from recbole.utils import InputType

DEFAULT_BATCH = 4096  # RecBole's own eval_batch_size: scores held at a time, so 2 users with 1,682 items
SETTINGS = {
    "load_col": {"inter": ["user_id", "item_id"]},
    "benchmark_filename": ["train", "valid", "test"],  # the split is given
    "eval_args": {"group_by": "user", "order": "RO", "mode": "full"},
    "metrics": ["Recall", "NDCG", "MRR", "Hit", "Precision", "MAP"],
    "topk": [10, 20],
    "valid_metric": "NDCG@10",
    "metric_decimal_place": 12,
    "use_gpu": False,
}


class GivenScores(GeneralRecommender):
    """A model that looks its scores up, [n_users, n_items], padding row and column first."""

    input_type = InputType.PAIRWISE

    def __init__(self, config: Config, dataset: object) -> None:
        super().__init__(config, dataset)
        self.unused = torch.nn.Parameter(torch.zeros(1))  # the trainer wants something to optimise

    def full_sort_predict(self, interaction: object) -> torch.Tensor:
        """Scores of the users of a batch, [num_rows, n_items]."""
        return self.scores[interaction[self.USER_ID]]


def write_parts(exam: dict[str, np.ndarray], folder: Path) -> None:
    """The three parts as RecBole's atomic files."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in SETTINGS["benchmark_filename"]:
        lines = [f"{user}\t{item}" for user, item in exam[part].T.tolist()]
        text = "\n".join(["user_id:token\titem_id:token", *lines]) + "\n"
        (folder / f"{folder.name}.{part}.inter").write_text(text, encoding="utf-8")


def prepare(scores: np.ndarray, folder: Path, batch: int) -> tuple[Trainer, FullSortEvalDataLoader]:
    """RecBole's trainer and test loader around the given scores."""
    settings = {**SETTINGS, "data_path": str(folder.parent), "eval_batch_size": batch}
    config = Config(model=GivenScores, dataset=folder.name, config_dict=settings)
    dataset = create_dataset(config)
    _, _, test_data = data_preparation(config, dataset)
    model = GivenScores(config, dataset)
    users, items = (dataset.field2id_token[field][1:].astype(int) for field in ("user_id", "item_id"))  # its order
    model.scores = torch.zeros(dataset.user_num, dataset.item_num)
    model.scores[1:, 1:] = torch.from_numpy(scores[np.ix_(users, items)])
    return Trainer(config, model), test_data


def bare(trainer: Trainer, batch: tuple) -> dict[str, float]:
    """Collector and evaluator alone, on scores that are already gathered and masked."""
    interaction, masked, positive_u, positive_i = batch
    trainer.eval_collector.eval_batch_collect(masked, interaction, positive_u, positive_i)
    return trainer.evaluator.evaluate(trainer.eval_collector.get_data_struct())


def main(exam_path: str, answer_path: str, threads: int, repetitions: int) -> None:
    """Evaluate three ways, and write seconds and metrics."""
    torch.set_num_threads(threads)
    exam = dict(np.load(exam_path))
    folder = Path("exam").resolve()
    write_parts(exam, folder)

    trainer, small_batches = prepare(exam["scores"], folder, DEFAULT_BATCH)
    one_trainer, one_batch = prepare(exam["scores"], folder, exam["scores"].size * 2)
    assert len(one_batch) == 1
    one_trainer.evaluate(one_batch, load_best_model=False)  # sets what the next line needs
    gathered = one_trainer._full_sort_batch_eval(next(iter(one_batch)))
    times = {
        "default": recording.seconds(lambda: trainer.evaluate(small_batches, load_best_model=False), repetitions),
        "one_batch": recording.seconds(lambda: one_trainer.evaluate(one_batch, load_best_model=False), repetitions),
        "bare": recording.seconds(lambda: bare(one_trainer, gathered), repetitions),
    }
    answer = {
        "seconds": times,
        "metrics": trainer.evaluate(small_batches, load_best_model=False),
        "peak_memory": recording.peak_memory(),
        "versions": {"Python": platform.python_version(), **recording.versions("recbole", "numpy", "torch")},
    }
    Path(answer_path).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
