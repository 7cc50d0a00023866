"""Studies: every model of a question, five seeds, recorded once so that lessons can draw them in a second.

Fits are timed in seconds of the processor, so that what else the machine does counts little.
`course study NAME` runs one and writes `results/NAME.json`. Each row holds a fingerprint of the code, settings
and data behind it; a test fails where one has gone stale, and another runs a sample of the rows again. A study of
films that asks for it also keeps each user's NDCG@10 in `results/users/NAME.safetensors`, for lesson 06.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from tqdm.auto import tqdm

from course_lib import fingerprint, lesson
from course_lib.evaluation import Evaluation, bootstrap_interval, compare, evaluate
from course_lib.ledger import RESULTS, Row
from course_lib.models import Recommender
from course_lib.splits import Split
from course_lib.studies.plans import STUDIES, Factory, Study

USERS = RESULTS / "users"


def names() -> list[str]:
    """Names of the studies that can be run."""
    return list(STUDIES)


def run(name: str) -> Path:
    """Run a study and write `results/NAME.json`; returns the path."""
    study = _study(name)
    dataset = study.dataset()
    rows, comparisons = [], []
    per_user: dict[str, np.ndarray] = {}
    fits = tqdm(total=len(study.protocols) * len(study.models) * len(study.seeds), unit="fit")
    for protocol, make_split in study.protocols.items():
        cut = {seed: make_split(dataset, seed) for seed in study.seeds}
        merged: dict[str, Evaluation] = {}
        for label, factory in study.models.items():
            fits.set_description(f"{name}: {label}, {protocol}")
            evaluations, seconds = [], []
            for seed in study.seeds:
                model = factory(seed)
                began = time.process_time()
                model.fit(cut[seed])
                seconds.append(time.process_time() - began)
                evaluations.append(evaluate(model, cut[seed]))
                fits.update()
            merged[label] = _merge(evaluations, label, protocol)
            per_user[f"{protocol}|{label}"] = _per_user(evaluations, cut[study.seeds[0]].num_users)
            rows.append(_row(model, merged[label], evaluations, seconds, _fingerprint(factory, cut)))
        comparisons += [_comparison(merged[first], merged[second], protocol) for first, second in study.pairs]
    fits.close()
    record = {"study": name, "question": study.question, "rows": rows, "comparisons": comparisons}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if study.keeps_users:
        USERS.mkdir(exist_ok=True)
        save_file(per_user, USERS / f"{name}.safetensors")
    return path


def user_values(*names: str) -> dict[tuple[str, str], np.ndarray]:
    """NDCG@10 of each user under each seed, as recorded by studies that keep users.

    Returns
    -------
    dict of (protocol, model) to ndarray of float64, [num_seeds, num_users]
        NaN where a user has no target under a seed. Kept with three decimals' precision.
    """
    found = {}
    for name in names:
        for key, values in load_file(USERS / f"{name}.safetensors").items():
            protocol, _, model = key.partition("|")
            found[protocol, model] = values.astype(np.float64)
    return found


def rerun(name: str, model: str, protocol: str, seed: int) -> dict[str, float]:
    """One fit of a study again: its metrics, to be held against the recorded `per_seed` values."""
    study = _study(name)
    split = study.protocols[protocol](study.dataset(), seed)
    evaluation = evaluate(study.models[model](seed).fit(split), split)
    return {metric: evaluation.mean(metric) for metric in evaluation.values}


def stale() -> dict[str, str]:
    """Recorded rows whose code, settings or data have changed since, as `"study: model, protocol"` to a reason."""
    reasons = {}
    for name, study in STUDIES.items():
        path = RESULTS / f"{name}.json"
        if not path.is_file():
            reasons[name] = f"never recorded: run `course study {name}`"
            continue
        recorded = {
            (row["model"], row["protocol"]): row for row in json.loads(path.read_text(encoding="utf-8"))["rows"]
        }
        dataset = study.dataset()
        for protocol, make_split in study.protocols.items():
            cut = {seed: make_split(dataset, seed) for seed in study.seeds}
            for label, factory in study.models.items():
                row = recorded.pop((label, protocol), None)
                if row is None or row["fingerprint"] != _fingerprint(factory, cut):
                    why = "not recorded" if row is None else "code, settings or data changed"
                    reasons[f"{name}: {label}, {protocol}"] = f"{why}: run `course study {name}`"
        for label, protocol in recorded:
            reasons[f"{name}: {label}, {protocol}"] = f"recorded, but no longer part of it: run `course study {name}`"
    return reasons


def _study(name: str) -> Study:
    if name not in STUDIES:
        raise ValueError(f"no study {name!r}; there are {', '.join(STUDIES)}")
    return STUDIES[name]


def _merge(evaluations: list[Evaluation], label: str, protocol: str) -> Evaluation:
    """Each user's mean over the seeds in which the user was evaluated."""
    users = np.unique(np.concatenate([evaluation.users for evaluation in evaluations]))
    count = np.zeros(len(users))
    for evaluation in evaluations:
        count[np.searchsorted(users, evaluation.users)] += 1
    values = {}
    for metric in evaluations[0].values:
        total = np.zeros(len(users))
        for evaluation in evaluations:
            total[np.searchsorted(users, evaluation.users)] += evaluation.values[metric]
        values[metric] = total / count
    return Evaluation(label, protocol, evaluations[0].dataset, "test", users, values)


def _per_user(evaluations: list[Evaluation], num_users: int) -> np.ndarray:
    """NDCG@10, [num_seeds, num_users] float16, NaN where a user was not evaluated."""
    values = np.full((len(evaluations), num_users), np.nan, dtype=np.float16)
    for row, evaluation in zip(values, evaluations, strict=True):
        row[evaluation.users] = evaluation.values["ndcg@10"]
    return values


def _row(model: Recommender, merged: Evaluation, evaluations: list[Evaluation], seconds: list[float], key: str) -> Row:
    metrics = {}
    for metric, values in merged.values.items():
        low, high = bootstrap_interval(values)
        metrics[metric] = {"mean": _rounded(merged.mean(metric)), "low": _rounded(low), "high": _rounded(high)}
    return {
        "model": merged.model,
        "dataset": merged.dataset,
        "protocol": merged.protocol,
        "seeds": len(evaluations),
        "metrics": metrics,
        "per_seed": {metric: [_rounded(each.mean(metric)) for each in evaluations] for metric in merged.values},
        "fit_seconds": round(float(np.median(seconds)), 2),
        "parameters": model.num_parameters,
        "device": lesson.describe_device(),
        "fingerprint": key,
    }


def _comparison(first: Evaluation, second: Evaluation, protocol: str) -> dict[str, Any]:
    found: dict[str, Any] = {"protocol": protocol, "first": first.model, "second": second.model}
    for metric in ("ndcg@10", "recall@20"):
        outcome = compare(first, second, metric)
        numbers = {"difference": outcome.difference, "low": outcome.low, "high": outcome.high, "p": outcome.p_value}
        found[metric] = {key: _rounded(value) for key, value in numbers.items()}
    return found


def _fingerprint(factory: Factory, cut: dict[int, Split]) -> str:
    split = cut[min(cut)]
    data = fingerprint.of_arrays(split.train.user, split.train.item, split.test.user, split.test.item)
    return fingerprint.of_text(fingerprint.of_model(factory(min(cut))), data, str(sorted(cut)))


def _rounded(value: float) -> float:
    return round(float(value), 5)
