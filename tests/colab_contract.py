"""Prove that lessons run as on Colab: under its package list, from an empty folder, with nothing of it changed.

`make colab` runs this; it downloads some gigabytes the first time. A bare repository on this disk stands in for the
public address. Arguments: the lessons to run, `00_welcome 02_collaborative_filtering 07_deployment` if left out.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course_lib import publish
from course_lib.paths import ROOT

LESSONS = ["00_welcome", "02_collaborative_filtering", "07_deployment"]  # 07 adds an extra
COLAB = tomllib.loads((ROOT / "tests" / "colab_versions.toml").read_text(encoding="utf-8"))
TAG = "contract"
CELL_TIMEOUT = 900  # seconds
SHOWN_LINES = 30
SNAPSHOT = """
import hashlib, json
from importlib import metadata

found = {}
for one in reversed(list(metadata.distributions())):  # of two with one name, the first on the path is the one in use
    record = one.locate_file(one._path.name) / "RECORD"
    found[one.name.lower()] = [one.version, hashlib.sha256(record.read_bytes()).hexdigest(), record.stat().st_mtime_ns]
print(json.dumps(found))
"""
BEFORE = """
import numpy, pandas, torch  # as on Colab, where they are in memory before the first cell runs
loaded_before = {one.__name__: one for one in (numpy, pandas, torch)}"""
AFTER = """
import json, sys
from importlib import metadata

origin = json.loads(metadata.distribution("graphs-and-words").read_text("direct_url.json"))
tensor = torch.from_numpy(pandas.DataFrame({"a": numpy.arange(4.0)})["a"].to_numpy(copy=True))
print(json.dumps({
    "same": all(sys.modules[name] is one for name, one in loaded_before.items()),
    "fits": all(one.__version__.split("+")[0] == metadata.version(name) for name, one in loaded_before.items()),
    "works": float(tensor.sum()) == 6.0,
    "origin": [origin["url"], origin["vcs_info"]["requested_revision"]],
}))"""

Snapshot = dict[str, list[str | int]]
Row = tuple[bool, str, str]  # whether it holds, what was checked, what was found


def call(*command: str | Path, folder: Path = ROOT) -> str:
    """Standard output of a command, which must succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def make_environment(folder: Path) -> Path:
    """A Python with Colab's packages and pip; the Python that runs this where Colab's cannot be had."""
    environment = folder / "env"
    make = [sys.executable, "-m", "uv", "venv", "--seed", "--quiet", environment, "--python"]
    if subprocess.run([*make, COLAB["python"]], capture_output=True).returncode != 0:
        print(f"note: no Python {COLAB['python']} here; going on with this one", flush=True)
        call(*make, sys.executable)
    python = environment / "bin" / "python"
    listed = [f"{name}=={version}" for name, version in COLAB["packages"].items()]
    call(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *listed)
    return python


def publish_here(folder: Path) -> str:
    """Publish a copy of this working tree as a bare repository in `folder`; its address."""
    source, bare = folder / "source", folder / "course.git"
    for path in publish.tracked_files():
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    git = ["git", "-c", "user.name=contract", "-c", "user.email=contract@example.org"]
    call("git", "init", "--quiet", folder=source)
    call(sys.executable, "-m", "course_lib", "publish", "--repo", bare.as_uri(), "--ref", TAG, folder=source)
    call("git", "add", "--all", folder=source)
    call(*git, "commit", "--quiet", "--message", "publish", folder=source)
    call(*git, "tag", TAG, folder=source)
    call("git", "clone", "--quiet", "--bare", source, bare)
    return bare.as_uri().removesuffix(".git")


def add_kernel(folder: Path, python: Path) -> None:
    """Make a kernel `colab` of that Python known to Jupyter, with a cache and a progress file of its own."""
    variables = {
        "COURSE_CACHE_DIR": str(folder / "cache"),
        "COURSE_PROGRESS_FILE": str(folder / "progress.json"),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # no warning about Python's own frozen modules
        "PYTHONPATH": "",
    }
    start = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": start, "display_name": "Colab", "language": "python", "env": variables}
    path = folder / "jupyter" / "kernels" / "colab" / "kernel.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(spec), encoding="utf-8")
    os.environ["JUPYTER_PATH"] = str(folder / "jupyter")


def printed(cell: NotebookNode) -> str:
    """What a cell wrote to standard output."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def snapshot(python: Path) -> Snapshot:
    """Version, and hash and time of the list of files, of each installed distribution."""
    return json.loads(call(python, "-c", SNAPSHOT))


def environment_rows(python: Path, installed: Snapshot) -> Iterator[Row]:
    """Whether the environment is Colab's."""
    version = call(python, "--version").split()[1]
    yield version.startswith(COLAB["python"]), f"Python {COLAB['python']}", version
    off = [f"{name} {installed[name][0]}" for name, want in COLAB["packages"].items() if installed[name][0] != want]
    yield not off, "Colab's versions", ", ".join(off) or f"{len(COLAB['packages'])} as listed, {len(installed)} in all"
    present = sorted(set(COLAB["absent"]) & set(installed))
    yield not present, "absent before", ", ".join(present or COLAB["absent"])


def lesson_rows(name: str, folder: Path, python: Path, address: str) -> Iterator[Row]:
    """Run a lesson from an empty folder, in a kernel that has numpy, pandas and torch in memory; what it did."""
    content = folder / "content" / name
    content.mkdir(parents=True)
    notebook = nbformat.read(folder / "source" / "notebooks" / f"{name}.ipynb", as_version=4)
    notebook.cells = [new_code_cell(BEFORE), *notebook.cells, new_code_cell(AFTER)]
    before, began = snapshot(python), time.monotonic()
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        startup_timeout=CELL_TIMEOUT,
        kernel_name="colab",
        resources={"metadata": {"path": content}},
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        yield False, f"{name}: runs", "\n".join(str(error).splitlines()[-SHOWN_LINES:])
        return
    yield True, f"{name}: runs", f"{len(notebook.cells) - 2} cells in {time.monotonic() - began:.0f} s"
    said = "".join(printed(cell) for cell in notebook.cells if cell.cell_type == "code").splitlines()
    outside = [line for line in said if "OUTSIDE" in line]
    yield not outside, f"{name}: numbers in their bands", ", ".join(outside) or "all"
    yield from change_rows(name, before, snapshot(python))
    found = json.loads(printed(notebook.cells[-1]))
    wrong = ", ".join(key for key in ("same", "fits", "works") if not found[key])
    state = f"not {wrong}" if wrong else "what is in memory works and fits the disk"
    yield not wrong, f"{name}: needs no restart", state
    yield found["origin"] == [address, TAG], f"{name}: library from the address", " at ".join(found["origin"])


def change_rows(name: str, before: Snapshot, after: Snapshot) -> Iterator[Row]:
    """Whether a lesson only added packages."""
    kept = {"torch", "numpy", "pandas"}
    changed = sorted(one for one in before if after.get(one) != before[one])
    versions = ", ".join(f"{one} {before[one][0]}" for one in sorted(kept))
    yield not kept & set(changed), f"{name}: left untouched", versions
    yield not changed, f"{name}: others changed", ", ".join(changed) or "none"
    yield True, f"{name}: added", ", ".join(f"{one} {after[one][0]}" for one in sorted(set(after) - set(before))) or "-"


def main() -> int:
    """Run the contract; 1 if it is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", default=LESSONS)
    names = parser.parse_args().lessons
    broken = 0
    with tempfile.TemporaryDirectory(prefix="colab-") as name:
        folder = Path(name).resolve()
        address, python = publish_here(folder), make_environment(folder)
        add_kernel(folder, python)
        rows = environment_rows(python, snapshot(python))
        for lesson in [None, *names]:
            for holds, what, found in rows if lesson is None else lesson_rows(lesson, folder, python, address):
                print(f"{'ok  ' if holds else 'FAIL'}  {what:<50} {found}", flush=True)
                broken += not holds
    print(f"{broken} checks failed." if broken else "The contract holds.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
