"""What the larger benchmarks compute is right: splits handed over, growth, limits, shared work, the scaling page."""

import importlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from course_lib import splits
from course_lib.data import Interactions, load
from course_lib.evaluation import evaluate
from course_lib.graph import bipartite_adjacency, symmetric_normalize, to_torch
from course_lib.models import LightGCN
from course_lib.models.embedding import LightGCNEncoder
from course_lib.paths import ROOT

sys.path.append(str(ROOT / "benchmarks"))
movielens_100k, movielens_1m, scale, scale_causes, scale_figure, scale_worker, scaling_page, distributed, sampled = (
    importlib.import_module(name)
    for name in (
        "movielens_100k",
        "movielens_1m",
        "scale",
        "scale_causes",
        "scale_figure",
        "scale_worker",
        "scaling_page",
        "distributed",
        "sampled_lightgcn",
    )
)
synthetic_graph = importlib.import_module("synthetic_graph").synthetic_graph


def drawn(method: str, exponent: float, stopped_at: int | None = None) -> list[dict[str, Any]]:
    """Measurements that grow with a power of the interactions."""
    sizes = [size for size in (100_000, 1_000_000, 10_000_000) if stopped_at is None or size <= stopped_at]
    rows: list[dict[str, Any]] = [
        {"graph": "drawn", "interactions": size, "method": method, "stopped": "", "limit": None, "before": 0.5}
        | dict.fromkeys(scale.MEASURED, (size / 1000000.0) ** exponent)
        for size in sizes
    ]
    if stopped_at is not None:
        rows[-1] = {"graph": "drawn", "interactions": stopped_at, "method": method, "stopped": "time", "limit": 150.0}
    return rows


def test_slope_is_the_exponent() -> None:
    assert scale.slope(drawn("EASE", 1.5), "fit") == pytest.approx(1.5)
    assert math.isnan(scale.slope(drawn("EASE", 3.0, stopped_at=1_000_000), "fit"))  # one point makes no line


def test_record_of_scale_names_what_was_stopped(tmp_path: Path) -> None:
    rows = [row for method in scale_worker.METHODS if method != "EASE" for row in drawn(method, 1.0)]
    rows = drawn("EASE", 3.0, stopped_at=1_000_000) + rows
    slow = {"fit": 3.0, "memory": 2.0, "stopped": "", "limit": None}
    causes: list[dict[str, Any]] = [
        {"interactions": 1_000_000, "far": 10.0, "near": 9.0, "given back": slow},
        {"interactions": 10_000_000, "far": 70.0, "near": 9.0, "given back": {"stopped": "time", "limit": 150.0}},
    ]
    record = scale.record(rows, causes, {"whole": [0.1, 0.3], "sampled": [0.2, 0.2]}, {}, seed=0)
    assert record["tables"][2]["rows"] == [
        ["1,000,000", "3", "1", "2", "1"],
        ["10,000,000", "stopped: time", "10", "stopped: time", "10"],
    ]
    assert record["tables"][3]["rows"] == [["whole", 0.2, 0.1, 0.3], ["sampled", 0.2, 0.2, 0.2]]
    assert record["tables"][0]["rows"][0] == ["EASE", "-", "-", "-", "-", "at 1,000,000: time"]
    assert record["tables"][0]["rows"][1] == ["GF-CF", 1.0, 1.0, 1.0, 1.0, "never"]
    assert all(target["measured"] in (pytest.approx(1.0), 10_000_000) for target in record["targets"])
    for name in ("first.svg", "second.svg"):
        scale_figure.draw(record, tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("first.svg", "second.svg"))
    assert first == second and b"early fusion, BPR" in first


def test_process_over_a_limit_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    hungry = [sys.executable, "-c", "import time; kept = b'x' * 300_000_000; time.sleep(60)"]
    busy = [sys.executable, "-c", "while True: pass"]
    monkeypatch.setattr(scale, "MOST_MEMORY", 0.2)
    monkeypatch.setattr(scale, "MOST_SECONDS", 0.3)
    for command, limit in ((hungry, "memory"), (busy, "time"), ([sys.executable, "-c", ""], "")):
        with subprocess.Popen(command) as process:
            assert scale.watch(process) == limit


@pytest.mark.parametrize("method", scale_worker.METHODS)
def test_worker_measures_every_method(method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = synthetic_graph(60, 50, 290)
    scale._write(tmp_path / "graph.npz", graph)
    split = scale_worker.read_split(tmp_path / "graph.npz")
    assert len(split.valid) == 0 and len(split.train) + len(split.test) == 290
    scale_worker.main(method, str(tmp_path / "graph.npz"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line) for line in lines] == [{"fit", "before", "memory"}, {"evaluate", "serve"}]
    assert all(value > 0 for line in lines for value in line.values())


def test_worker_tells_near_reads_from_far(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scale._write(tmp_path / "graph.npz", synthetic_graph(60, 50, 290))
    scale_worker.main("reads", str(tmp_path / "graph.npz"))
    assert all(value > 0 for value in json.loads(capsys.readouterr().out).values())


def test_sampled_rows_are_unbiased_and_short() -> None:
    A_hat = symmetric_normalize(bipartite_adjacency(synthetic_graph(60, 50, 290).matrix()))
    nodes, generator = np.array([3, 70, 71, 109]), np.random.default_rng(0)
    draws = np.zeros((4000, len(nodes), A_hat.shape[0]))
    for draw in draws:
        rows, columns = sampled.sample_rows(A_hat, nodes, 3, generator)
        assert np.diff(rows.indptr).max() <= 3
        draw[:, columns] = rows.toarray()
    error = np.abs(draws.mean(axis=0) - A_hat[nodes].toarray())
    assert np.diff(A_hat.indptr)[nodes].max() > 3  # so something was drawn
    assert (error <= 5 * draws.std(axis=0) / np.sqrt(len(draws)) + 1e-6).all()


def test_with_all_neighbours_sampled_vectors_and_gradients_are_those_of_lightgcn() -> None:
    A_hat = symmetric_normalize(bipartite_adjacency(synthetic_graph(60, 50, 290).matrix()))
    encoder = LightGCNEncoder(60, 50, 8, to_torch(A_hat), num_layers=2)
    table = torch.nn.Embedding.from_pretrained(encoder.layer_0().detach(), freeze=False)
    nodes = np.array([0, 5, 60, 90])
    H, own = sampled.propagate_sampled(table, A_hat, nodes, 1000, 2, np.random.default_rng(0))
    wanted = torch.cat(encoder())[torch.from_numpy(nodes)]
    torch.testing.assert_close(H, wanted)
    torch.testing.assert_close(own, encoder.layer_0()[torch.from_numpy(nodes)])
    for loss in (H.square().sum(), wanted.square().sum()):
        loss.backward()
    torch.testing.assert_close(table.weight.grad, torch.cat([encoder.user.grad, encoder.item.grad]))


def test_sampled_training_learns() -> None:
    split = splits.make("benchmark", load("movielens-100k")).merge_valid()
    few, more = (
        evaluate(sampled.SampledLightGCN(num_epochs=epochs, batch_size=2048).fit(split), split, k=(10,)).mean("ndcg@10")
        for epochs in (0, 6)
    )
    assert few < 0.1 < 0.2 < more  # popularity reaches 0.15


def handed(graph: Interactions, split: splits.Split) -> dict[str, np.ndarray]:
    """A split as RecBole's side writes it: original ids, in any order."""
    return {
        part: np.stack([graph.user_ids[one.user], graph.item_ids[one.item]])[:, ::-1]
        for part, one in (("train", split.train), ("valid", split.valid), ("test", split.test))
    }


def test_split_is_taken_over_as_it_is() -> None:
    graph = synthetic_graph(60, 50, 290)
    split = splits.benchmark(graph, seed=5)
    arrays = handed(graph, split)
    taken = movielens_100k.handed_over(arrays, graph)
    for part in ("train", "valid", "test"):
        assert (getattr(taken, part).matrix() != getattr(split, part).matrix()).nnz == 0
    with pytest.raises(ValueError, match="overlap, or leave"):
        movielens_100k.handed_over({**arrays, "valid": arrays["test"]}, graph)
    strange = np.array([[0], [int(np.flatnonzero(graph.matrix()[0].toarray()[0] == 0)[0])]])
    with pytest.raises(ValueError, match="not in our data"):
        movielens_100k.handed_over({**arrays, "valid": strange}, graph)


def test_scores_are_put_into_our_order() -> None:
    arrays = {"scores": np.array([[1, 2], [3, 4]]), "user_id": np.array([9, 4]), "item_id": np.array([2, 1])}
    assert movielens_100k.in_our_order(arrays).tolist() == [[4, 3], [2, 1]]


def test_time_to_a_quality_is_the_first_look_that_reaches_it() -> None:
    curve = [{"seconds": 1.0, "valid": 0.1}, {"seconds": 2.0, "valid": 0.3}, {"seconds": 3.0, "valid": 0.2}]
    assert movielens_100k.seconds_until(curve, 0.2) == 2.0
    assert movielens_100k.seconds_until(curve, 0.4) == math.inf


def test_two_processes_give_the_vectors_of_one_and_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = splits.benchmark(synthetic_graph(90, 80, 700)).merge_valid()
    with (tmp_path / "train.input").open("wb") as file:
        sparse.save_npz(file, split.train.matrix())
    two = distributed.run(2, "train", tmp_path)
    library = distributed.ours(split)
    assert distributed.largest_difference(two, library) < 1e-4  # float32 sums in another order
    untrained = LightGCN(num_epochs=1, learning_rate=0.0, seed=0).fit(split)
    assert np.abs(untrained.item_vectors - library["item_vectors"]).max() > 0.1  # so the bound says something


def test_scaling_page_computes_what_it_says() -> None:
    assert scaling_page.vectors(2e6, 1e6) == pytest.approx(3 * 64 * 4 / 1e3)
    assert scaling_page.adjacency(10) == pytest.approx(2 * 10 * 12 / 1e9)
    assert scaling_page.item_square(50_000) == pytest.approx(10.0)
    measured = {"measured": drawn(scaling_page.TRAINED, 1.0)}  # 1 s and 1 GB a million; libraries hold 0.5 GB
    assert scaling_page.fits(10.0, measured) == 10_000_000
    assert scaling_page.fits(19.5, measured) == 20_000_000
    row = scaling_page.growth({**measured, "steps": 10, "an interaction": {"users": 0.1, "items": 0.01}})[0]
    assert row == ["10,000,000", "1,000,000", "100,000", "0.282", "1.13", "0.24", "40", "1"]
