"""The set-up: made once, left alone while whole, repaired when broken, clear when it cannot work.

The project set up here is tiny and builds itself, so that real environments are made in seconds without a network.
"""

import ast
import importlib.metadata
import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from course_lib import bootstrap
from course_lib.paths import ROOT

SCRIPT = ROOT / "course_lib" / "bootstrap.py"
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny"
version = "1.0"
dependencies = [{dependencies}]
optional-dependencies = {{ all = [] }}
"""
BACKEND = '''\
"""Builds the editable wheel of the project it lies in; notes each build, and hangs while a file `hang` exists."""
import time
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
NEEDS = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]["dependencies"]
METADATA = "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\nProvides-Extra: all\\n"
METADATA += "".join(f"Requires-Dist: {name}\\n" for name in NEEDS)


def build_editable(target, config_settings=None, metadata_directory=None):
    with (HERE / "builds").open("a") as notes:
        notes.write("build\\n")
    while (HERE / "hang").exists():
        time.sleep(0.05)
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(Path(target) / name, "w") as wheel:
        wheel.writestr("tiny.pth", str(HERE))
        wheel.writestr("tiny-1.0.dist-info/METADATA", METADATA)
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return name
'''


def tiny_project(root: Path, dependencies: str = "") -> Path:
    """A clone in miniature: bootstrap, pins, one module, a build backend of its own."""
    (root / "course_lib").mkdir(parents=True)
    shutil.copy(SCRIPT, root / "course_lib")
    (root / "pyproject.toml").write_text(PYPROJECT.format(dependencies=dependencies), encoding="utf-8")
    (root / "backend.py").write_text(BACKEND, encoding="utf-8")
    (root / "constraints.txt").write_text("# no pins\n", encoding="utf-8")
    (root / "tiny.py").write_text("answer = 42\n", encoding="utf-8")
    return root


def offline(**changes: str) -> dict[str, str]:
    """The environment without any package index, so that uv cannot be installed and pip has to do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "COURSE_"))}
    return {**kept, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, **changes}


def start_set_up(root: Path, **changes: str) -> "subprocess.Popen[str]":
    """Start the set-up as `make` does, with the standard library alone (-S hides all installed packages)."""
    command, pipe = [sys.executable, "-S", str(root / "course_lib" / "bootstrap.py")], subprocess.PIPE
    return subprocess.Popen(command, text=True, env=offline(**changes), stdout=pipe, stderr=pipe)


def answer(root: Path) -> str:
    """What the installed project says when asked from elsewhere."""
    command = [str(bootstrap.environment_python(root)), "-c", "import tiny; print(tiny.answer)"]
    return subprocess.run(command, cwd=root.parent, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was set up; tests that break it mend it again."""
    root = tiny_project(tmp_path_factory.mktemp("a folder") / "with spaces")
    process = start_set_up(root)
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    assert "uv could not be installed. Going on with pip" in out
    return root


def test_set_up_installs_the_project(whole: Path) -> None:
    assert answer(whole) == "42"
    assert "tiny-1.0" in json.loads(bootstrap.stamp_file(whole).read_text(encoding="utf-8"))["packages"]


def test_second_run_does_nothing(whole: Path) -> None:
    before = bootstrap.stamp_file(whole).stat().st_mtime_ns
    assert start_set_up(whole).communicate(timeout=5) == ("", "")
    assert bootstrap.stamp_file(whole).stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_pins_are_noticed(whole: Path, name: str) -> None:
    kept = (whole / name).read_bytes()
    (whole / name).write_bytes(kept + b"# newer\n")
    reason = bootstrap.why_stale(whole, "")
    (whole / name).write_bytes(kept)
    assert reason is not None
    assert "changed since" in reason
    assert bootstrap.why_stale(whole, "") is None


def test_other_switch_is_noticed(whole: Path) -> None:
    assert "COURSE_TORCH" in str(bootstrap.why_stale(whole, "cpu"))


def test_moved_folder_is_noticed(whole: Path) -> None:
    moved = whole.rename(whole.with_name("moved"))
    reason = bootstrap.why_stale(moved, "")
    moved.rename(whole)
    assert "the folder's place changed" in str(reason)


DAMAGE = {
    "course-stamp.json": "not finished",
    "**/tiny-1.0.dist-info/RECORD": "Packages are missing from .venv: tiny-1.0.",
    f"*/{bootstrap.environment_python(Path()).name}": "does not start",
}


@pytest.mark.parametrize(("broken", "reason"), DAMAGE.items())
def test_damage_is_noticed(whole: Path, broken: str, reason: str) -> None:
    (path,) = (whole / ".venv").glob(broken)
    hidden = path.rename(path.with_name("hidden"))
    found = bootstrap.why_stale(whole, "")
    hidden.rename(path)
    assert reason in str(found)
    assert bootstrap.why_stale(whole, "") is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"fingerprint": 1}'])
def test_half_written_stamp_is_no_stamp(whole: Path, content: str) -> None:
    stamp = bootstrap.stamp_file(whole)
    kept = stamp.read_bytes()
    stamp.write_text(content, encoding="utf-8")
    reason = bootstrap.why_stale(whole, "")
    stamp.write_bytes(kept)
    assert "not finished" in str(reason)


def test_killed_set_up_is_repaired_by_two_at_once(tmp_path: Path) -> None:
    root = tiny_project(tmp_path / "clone")
    (root / "hang").touch()
    killed = start_set_up(root)
    while not (root / "builds").exists():
        assert killed.poll() is None
        time.sleep(0.05)
    for process in (*psutil.Process(killed.pid).children(recursive=True), killed):
        process.kill()
    killed.communicate()
    assert not bootstrap.stamp_file(root).exists()
    (root / "hang").unlink()

    both = [start_set_up(root), start_set_up(root)]
    printed = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    assert sum("was not finished. Making .venv" in out for out, _ in printed) == 1
    assert sum("Waiting for it" in out for out, _ in printed) == 1
    assert (root / "builds").read_text(encoding="utf-8").split() == ["build", "build"]  # the killed one, and one more
    assert answer(root) == "42"


def test_failing_install_says_so_and_leaves_no_stamp(tmp_path: Path) -> None:
    root = tiny_project(tmp_path / "clone", dependencies='"no-such-package-as-this"')
    process = start_set_up(root)
    _, err = process.communicate()
    assert process.returncode == 1
    assert "The set-up stopped. This command failed with exit code" in err
    assert "check the network" in err
    assert "Traceback" not in err
    assert not bootstrap.stamp_file(root).exists()


def give_uv(root: Path) -> None:
    """An empty environment in `root` that has this Python's uv."""
    venv.EnvBuilder(symlinks=os.name != "nt").create(root / ".venv")
    (site_packages,) = (root / ".venv").glob("[Ll]ib/**/site-packages")
    for file in importlib.metadata.files("uv") or []:
        target = Path(os.path.normpath(site_packages / file))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(str(file.locate()), target)


class RecordingProxy(socketserver.ThreadingTCPServer):
    """A web proxy that notes which hosts it is asked for and connects to none."""

    asked: list[str]


class Refuse(socketserver.StreamRequestHandler):
    """Answers each request of the proxy with: forbidden."""

    server: RecordingProxy

    def handle(self) -> None:
        """Note the host of `CONNECT host:port` and refuse."""
        self.server.asked.append(self.rfile.readline().decode().split()[1])
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RecordingProxy]:
    """A proxy that all of uv's requests go to; uv starts with an empty cache and does not retry."""
    for name in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(name)
    with RecordingProxy(("127.0.0.1", 0), Refuse) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
        monkeypatch.setenv("UV_HTTP_RETRIES", "0")
        yield server
        server.shutdown()


def test_uv_installs_the_project(tmp_path: Path, proxy: RecordingProxy) -> None:
    root = tiny_project(tmp_path / "with spaces")
    give_uv(root)
    bootstrap.install_project(root, with_uv=True, switch="")
    assert answer(root) == "42"
    assert "tiny-1.0" in bootstrap.installed_packages(root)
    assert proxy.asked == []


def test_cpu_switch_goes_to_the_cpu_index_and_says_when_it_fails(tmp_path: Path, proxy: RecordingProxy) -> None:
    root = tiny_project(tmp_path / "clone", dependencies='"torch"')
    give_uv(root)
    with pytest.raises(bootstrap.SetupError, match="COURSE_TORCH=cpu takes PyTorch from PyTorch's own package index"):
        bootstrap.install_project(root, with_uv=True, switch="cpu")
    assert {host.split(":")[0].split(".", 1)[1] for host in proxy.asked} == {"pytorch.org"}
    assert "tiny-1.0" not in bootstrap.installed_packages(root)


def test_cpu_switch_needs_uv(tmp_path: Path) -> None:
    with pytest.raises(bootstrap.SetupError, match="needs uv"):
        bootstrap.install_project(tmp_path, with_uv=False, switch="cpu")


def test_unknown_switch_is_refused(tmp_path: Path) -> None:
    root = tiny_project(tmp_path / "clone")
    process = start_set_up(root, COURSE_TORCH="gpu")
    _, err = process.communicate()
    assert process.returncode == 1
    assert 'COURSE_TORCH is "gpu": set it to "cpu"' in err
    assert not (root / ".venv").exists()


def test_full_disk_is_refused_before_anything_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tiny_project(tmp_path / "clone")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    with pytest.raises(bootstrap.SetupError, match=r"has 1\.0 GB free; the set-up needs"):
        bootstrap.ensure(root)
    assert not (root / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 9, 2), (3, 10, 0), (3, 14, 0)])
def test_wrong_python_is_refused(version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(bootstrap.SetupError, match=r"the course needs 3\.11 to 3\.13"):
        bootstrap.check_machine(ROOT, "")


def test_old_pythons_can_read_bootstrap() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_no_module_hides_one_of_the_standard_library() -> None:
    """`python3 course_lib/bootstrap.py` puts course_lib first on the module path."""
    names = {path.stem for path in (ROOT / "course_lib").iterdir()}
    assert names & set(sys.stdlib_module_names) == set()
