"""The tests reach no network: not from here, not from a subprocess, not from a kernel that nbval starts."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import offline_guard
import pytest
from nbformat.v4 import new_notebook, new_output
from sample_lesson import code

from course_lib.notebooks import catalogue, kernel
from course_lib.paths import ROOT

GUARD = ROOT / "tests" / "offline" / "guard.ipynb"
OUTSIDE = ("192.0.2.1", 80)  # reserved for documentation, belongs to nobody (RFC 5737)


def udp() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", OUTSIDE)


WAYS: dict[str, Callable[[], object]] = {
    "connect": lambda: socket.socket().connect(OUTSIDE),
    "connect_ex": lambda: socket.socket().connect_ex(OUTSIDE),
    "sendto": udp,
    "create_connection": lambda: socket.create_connection(OUTSIDE, timeout=1),
    "getaddrinfo": lambda: socket.getaddrinfo("example.org", 80),
    "asyncio": lambda: asyncio.run(asyncio.open_connection(*OUTSIDE)),
}


@pytest.mark.parametrize("way", WAYS)
def test_this_process_is_offline(way: str) -> None:
    with pytest.raises(OSError, match="the tests run offline"):
        WAYS[way]()


def test_urllib_is_offline() -> None:
    with pytest.raises(urllib.error.URLError, match=r"the tests run offline, but something looks up example\.org"):
        urllib.request.urlopen("http://example.org", timeout=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", b"localhost", "", None, "0.0.0.0"])
def test_this_machine_is_allowed(host: str | bytes | None) -> None:
    assert offline_guard.allowed(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "example.org", b"example.org", "localhost.example.org"]
)
def test_other_machines_are_not(host: str | bytes) -> None:
    assert not offline_guard.allowed(host)


def test_a_local_server_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname(), timeout=5) as client:
            client.sendall(b"hello")
        assert server.accept()[0].recv(5) == b"hello"


@pytest.mark.parametrize(("allow", "blocked"), [("0", True), ("1", False)])
def test_a_subprocess_is_offline_unless_it_is_let_out(allow: str, blocked: bool) -> None:
    script = f"import socket; socket.create_connection({OUTSIDE!r}, timeout=0.5)"
    environment = {**os.environ, offline_guard.ALLOW_VARIABLE: allow}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0, "nothing answers at an address that belongs to nobody"
    assert ("the tests run offline" in done.stderr) == blocked


def nbval(path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one notebook as `make test` does."""
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-n", "0", "-p", "no:cacheprovider", str(path)]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_notebook_about_kernels_can_fail() -> None:
    """`tests/offline/guard.ipynb` shows that kernels of nbval are offline; all tests together run it, guarded."""
    done = nbval(GUARD, **{offline_guard.ALLOW_VARIABLE: "1"})
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout


def test_nbval_overlooks_what_must_vary_and_nothing_else(tmp_path: Path) -> None:
    sources = [
        "class Model:\n    pass\n\n\nprint(Model())",
        "import tempfile\n\nprint('saved in', tempfile.mkdtemp(), 'and kept')",
        "import time\n\nprint(f'fitted in {time.time() % 100:.2f} s, evaluated in {time.time() % 100:.1f} ms')",
        "from tqdm import tqdm\n\nfor _ in tqdm(range(3), desc='training'):\n    time.sleep(time.time() % 0.1)",
        "import pandas as pd\n\npd.DataFrame({'a': [1]}).style",
        "print('ndcg@10 within 0.30-0.34 for 20 s', 0.325)",
        "print('ndcg@10', 0.326)",
    ]
    notebook = new_notebook(cells=[code(source) for source in sources])
    kernel.run(notebook, tmp_path)
    notebook.cells[-1].outputs = [new_output("stream", name="stdout", text="ndcg@10 0.325\n")]
    catalogue.write(notebook, tmp_path / "varies.ipynb")
    time.sleep(0.05)
    done = nbval(tmp_path / "varies.ipynb")
    assert "1 failed, 6 passed" in done.stdout, done.stdout
    assert "Cell 6" in done.stdout
