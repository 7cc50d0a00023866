"""The benchmarks page is what the records say, the synthetic graph is what it promises, and the scripts can start."""

import importlib
import json
import re
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.paths import ROOT

BENCHMARKS = ROOT / "benchmarks"
sys.path.append(str(BENCHMARKS))
peers, recording, report, scaling_page = (
    importlib.import_module(name) for name in ("peers", "recording", "report", "scaling_page")
)
synthetic_graph = importlib.import_module("synthetic_graph").synthetic_graph

RECORD = {
    "name": "walk",
    "title": "Walking",
    "question": "How fast?",
    "command": "python benchmarks/walk.py",
    "setup": ["On foot."],
    "targets": [
        {"what": "speed", "kind": "at least", "limit": 5, "measured": 4.9, "unit": "km/h", "why": "the wind."},
        {"what": "rests", "kind": "at most", "limit": 2, "measured": 2, "unit": "rests", "why": "no."},
    ],
    "tables": [{"title": "Legs", "columns": ["leg", "km"], "rows": [["left", 2.5], ["right", 2.0]]}],
    "machine": {"machine": "2 legs"},
    "versions": {"shoe": "1.0"},
    "seeds": {"the path": 3},
}


def test_pages_are_made_from_the_records() -> None:
    assert report.PAGE.read_text(encoding="utf-8") == report.page()
    assert report.SCALING.read_text(encoding="utf-8") == scaling_page.page()


@pytest.mark.parametrize("record", [json.loads(path.read_text("utf-8")) for path in report.RESULTS.glob("*.json")])
def test_figures_lie_beside_the_page(record: dict[str, Any]) -> None:
    if "figure" in record:
        assert (report.PAGE.parent / record["figure"]).read_text(encoding="utf-8").startswith("<?xml")
        assert f"]({record['figure']})" in report.section(record)


def test_make_runs_every_benchmark_and_the_report_last() -> None:
    bench = re.search(r"for script in ([\w\s\\]+); do", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert bench
    *scripts, last = bench[1].replace("\\", " ").split()
    assert last == "report"
    assert sorted(scripts) == sorted(path.stem for path in report.RESULTS.glob("*.json"))


@pytest.mark.parametrize("path", sorted(report.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_records_are_complete_and_come_from_a_script(path: Path) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record.keys() >= RECORD.keys()
    assert record["name"] == path.stem
    assert record["command"] == f"python benchmarks/{path.stem}.py"
    assert (BENCHMARKS / f"{path.stem}.py").is_file()


def test_missed_target_is_shown_as_missed() -> None:
    lines = report.section(RECORD).splitlines()
    assert "| speed | at least 5 km/h | 4.9 km/h | **no** |" in lines
    assert "| rests | at most 2 rests | 2 rests | yes |" in lines
    assert "Missed: speed. Why: the wind." in lines
    assert "| leg | km |\n| --- | ---: |\n| left | 2.5 |\n| right | 2 |" in "\n".join(lines)
    assert not any("Missed: rests" in line for line in lines)
    assert lines[-1] == "Ran on: machine 2 legs; shoe 1.0; seed of the path 3."


def test_saved_record_reaches_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    assert json.loads(recording.save(RECORD).read_text(encoding="utf-8")) == RECORD
    assert report.section(RECORD) in report.page(tmp_path)


def test_page_without_records_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run a benchmark first"):
        report.page(tmp_path)


def test_peak_memory_keeps_what_was_given_back() -> None:
    code = "import recording; len(b'x' * 300_000_000); print(recording.peak_memory())"
    done = subprocess.run([sys.executable, "-c", code], cwd=BENCHMARKS, capture_output=True, text=True)
    assert 0.3 < float(done.stdout) < 0.9, done.stderr


@given(
    size=st.tuples(st.integers(20, 90), st.integers(20, 90)), share=st.floats(0.0, 1.0), seed=st.integers(0, 2**32 - 1)
)
def test_synthetic_graph_has_exactly_the_size(size: tuple[int, int], share: float, seed: int) -> None:
    num_users, num_items = size
    fewest, most = max(size), num_users * num_items // 10
    num_interactions = min(fewest + round(share * max(0, most - fewest)), most)
    if num_interactions < fewest:
        with pytest.raises(ValueError, match="do not fit"):
            synthetic_graph(num_users, num_items, fewest, seed)
        return
    graph = synthetic_graph(num_users, num_items, num_interactions, seed)
    assert (graph.num_users, graph.num_items, len(graph)) == (num_users, num_items, num_interactions)
    assert graph.matrix().nnz == num_interactions  # no pair twice
    assert len(np.unique(graph.user)) == num_users and len(np.unique(graph.item)) == num_items


def test_synthetic_graph_of_gowalla_size_has_long_tails() -> None:
    graph = synthetic_graph(29_858, 40_981, 810_128)
    assert graph.matrix().shape == (29_858, 40_981) and graph.matrix().nnz == len(graph) == 810_128
    for one in (graph.user, graph.item):
        degree = np.sort(np.bincount(one))[::-1]
        top_tenth = degree[: len(degree) // 10].sum() / len(graph)
        assert 0.3 < top_tenth < 0.6  # uniform draws would give 0.13
        assert degree[0] > 20 * np.median(degree)


def test_synthetic_graph_depends_on_the_seed_alone() -> None:
    first, again, other = (synthetic_graph(200, 300, 2000, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.user, again.user) and np.array_equal(first.item, again.item)
    assert not np.array_equal(first.user, other.user)


@pytest.mark.parametrize(("size", "bounds"), [((20, 30, 29), "30 .* to 60"), ((20, 30, 61), "30 .* to 60")])
def test_graph_that_cannot_be_drawn_is_refused(size: tuple[int, int, int], bounds: str) -> None:
    with pytest.raises(ValueError, match=bounds):
        synthetic_graph(*size)


@pytest.mark.parametrize(
    "script", [f"{path.stem}.py" for path in sorted(report.RESULTS.glob("*.json"))] + ["report.py"]
)
def test_scripts_explain_themselves(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(BENCHMARKS / script), run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: {script}")


def test_environment_that_cannot_be_made_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(peers, "PYTHON", sys.executable)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(RuntimeError, match=r"no environment for peer: `uv pip install` failed"):
        peers.environment("peer", ("recbole==1.2.1",))
    assert not (tmp_path / "peer" / "requirements.txt").exists()  # so the next run makes it again


def test_environment_is_made_once_and_again_for_other_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(peers, "PYTHON", sys.executable)
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    make_wheel(wheel)
    python = peers.environment("peer", (f"tiny @ {wheel.as_uri()}",))
    assert subprocess.run([python, "-c", "import tiny"]).returncode == 0
    left = python.parent / "left"
    left.touch()
    assert peers.environment("peer", (f"tiny @ {wheel.as_uri()}",)) == python and left.exists()
    peers.environment("peer", (f"tiny @ {wheel.as_uri()}", f"tiny @ {wheel.as_uri()}"))
    assert not left.exists()


def make_wheel(path: Path) -> None:
    """A wheel with one empty module."""
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
