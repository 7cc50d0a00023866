"""The set-up cell of every lesson, run for real: in a clone, and in an empty folder with pip and no network."""

import json
import os
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
from sample_lesson import STUB_LIBRARY, sample, save

from course_lib import address, dependencies
from course_lib.address import Address
from course_lib.notebooks import catalogue, header, kernel

ADDRESS = Address("https://example.org/school/course", "v1.0")
RUN_CELL = """
import sys
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell

InteractiveShell.instance().run_cell(Path(sys.argv[1]).read_text(encoding="utf-8")).raise_error()
"""
WHERE = """
import json
from importlib import metadata

found = reversed(list(metadata.distributions()))  # of two with one name, the first on the path is the one in use
print(json.dumps({d.name: [d.version, str(d.locate_file(""))] for d in found}))
"""


def make_wheel(folder: Path, name: str, files: dict[str, str], requires: list[str]) -> Path:
    """Write a pure-Python wheel, version 1.0, by hand."""
    module = name.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *[f"Requires-Dist: {one}" for one in requires]]
    files = files | {
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    wheel = folder / f"{module}-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


@pytest.fixture
def bare_python(tmp_path: Path) -> Path:
    """A Python that sees the packages of this environment, pip among them, but not the course library."""
    folder = tmp_path / "env"
    venv.create(folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    outer = Path(metadata.distribution("ipython").locate_file("")).resolve()
    (Path(site) / "outer.pth").write_text(f"{outer}\n", encoding="utf-8")
    return python


def run(python: Path, folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    offline = str(Path(__file__).parent / "offline")
    options = {"PYTHONPATH": offline, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder.parent / "wheels")}
    environment = {**os.environ, **options, "IPYTHONDIR": str(folder.parent / "ipython")}
    command = [str(python), "-c", script, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def prepare(tmp_path: Path, helper_requires: list[str]) -> tuple[Path, Path]:
    """An empty folder, and beside it the set-up cell and wheels of a course that needs one package that is missing."""
    wheels, empty = tmp_path / "wheels", tmp_path / "empty"
    wheels.mkdir()
    empty.mkdir()
    library = {
        "course_lib/__init__.py": "",
        "course_lib/lesson.py": "import missing_piece\n" + STUB_LIBRARY["lesson.py"],
        "course_lib/dependencies.py": Path(dependencies.__file__).read_text(encoding="utf-8"),
    }
    course = make_wheel(wheels, dependencies.DISTRIBUTION, library, ["numpy>=99", "missing-piece>=1"])
    make_wheel(wheels, "missing-piece", {"missing_piece.py": ""}, helper_requires)
    source = header.setup_code(empty / "00_sample.ipynb", ADDRESS)
    assert "install --quiet --no-deps git+https://example.org/school/course@v1.0\n" in source
    cell = tmp_path / "cell.py"
    cell.write_text(source.replace(ADDRESS.pip, course.as_posix()), encoding="utf-8")
    return empty, cell


def test_in_a_clone_it_finds_the_library_and_prints_only_the_banner(tmp_path: Path) -> None:
    path = save(sample(), tmp_path, "electives/privacy")
    notebook = catalogue.read(path)
    header.refresh(notebook, path)
    notebook.cells = notebook.cells[:2]
    kernel.run(notebook, path.parent)
    [output] = notebook.cells[1].outputs
    assert output.text == "banner of electives/privacy\n"


def test_in_an_empty_folder_it_installs_what_is_missing_and_nothing_else(tmp_path: Path, bare_python: Path) -> None:
    empty, cell = prepare(tmp_path, helper_requires=["numpy"])
    before = json.loads(run(bare_python, empty, WHERE).stdout)
    done = run(bare_python, empty, RUN_CELL, str(cell))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "banner of 00_sample" in done.stdout
    assert "Installing missing-piece>=1; torch==" in done.stdout
    after = json.loads(run(bare_python, empty, WHERE).stdout)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"missing-piece", dependencies.DISTRIBUTION}


def test_it_refuses_to_replace_numpy_and_shows_what_pip_said(tmp_path: Path, bare_python: Path) -> None:
    empty, cell = prepare(tmp_path, helper_requires=["numpy<1"])
    before = json.loads(run(bare_python, empty, WHERE).stdout)
    done = run(bare_python, empty, RUN_CELL, str(cell))
    assert done.returncode != 0
    again = run(bare_python, empty, RUN_CELL, str(cell))
    said = done.stdout + done.stderr
    assert "pip could not install missing-piece>=1" in said
    assert "numpy" in said.partition("pip could not install")[2]
    assert "pip could not install missing-piece>=1" in again.stdout + again.stderr, "a second run must not skip it"
    after = json.loads(run(bare_python, empty, WHERE).stdout)
    assert after["numpy"] == before["numpy"]


def test_an_extra_is_installed_and_can_be_imported_at_once(tmp_path: Path, bare_python: Path) -> None:
    wheels, empty = tmp_path / "wheels", tmp_path / "empty"
    wheels.mkdir()
    empty.mkdir()
    make_wheel(wheels, "missing-piece", {"missing_piece.py": "print('imported')"}, [])
    course = make_wheel(wheels, "some-course", {}, ["missing-piece; extra == 'serving'"])
    script = [
        "import subprocess, sys",
        f"subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', {str(course)!r}], check=True)",
        f"exec(open({str(dependencies.__file__)!r}, encoding='utf-8').read())",
        "install_missing('some-course')",
        "print('nothing to do without the extra')",
        "install_missing('some-course', extra='serving')",
        "import missing_piece",
    ]
    done = run(bare_python, empty, "\n".join(script))
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, third = done.stdout.splitlines()
    assert (first, third) == ("nothing to do without the extra", "imported")
    assert second.startswith("Installing missing-piece; torch==")


def test_missing_reads_markers_and_extras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requires = ["pytest", "absent-one>=2", "absent-two; python_version < '3'", "absent-three; extra == 'lab'"]
    with ZipFile(make_wheel(tmp_path, "some-course", {}, requires)) as wheel:
        wheel.extractall(tmp_path / "site")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    assert dependencies.missing("some-course") == ["absent-one>=2"]
    assert dependencies.missing("some-course", extra="lab") == ["absent-one>=2", "absent-three"]
    assert dependencies.missing("a-course-that-is-not-installed") == []


def test_the_distribution_is_the_one_in_pyproject() -> None:
    assert address.settings()["project"]["name"] == dependencies.DISTRIBUTION
