"""Environments for the libraries we compare with: each has its own under build/, made once by uv."""

import shutil
import subprocess
import sys
from pathlib import Path

ENVIRONMENTS = Path(__file__).resolve().parent.parent / "build" / "benchmarks"
PYTHON = "3.11"  # the newest that RecBole's requirements have wheels for


def environment(name: str, packages: tuple[str, ...]) -> Path:
    """The Python of a peer's environment; made where it is missing, half done or out of date.

    Parameters
    ----------
    name : str
        Folder under build/benchmarks.
    packages : tuple of str
        Requirements, with versions.

    Raises
    ------
    RuntimeError
        Where uv cannot make it.
    """
    folder = ENVIRONMENTS / name
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = folder / "requirements.txt"  # written last
    wanted = "\n".join(packages) + "\n"
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return python
    print(f"Making an environment for {name} under build/benchmarks: {', '.join(packages)}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        ["venv", "--python", PYTHON, str(folder)],
        ["pip", "install", "--python", str(python), *packages],
    ):
        finished = subprocess.run([sys.executable, "-m", "uv", "--quiet", *command], capture_output=True, text=True)
        if finished.returncode:
            raise RuntimeError(
                f"no environment for {name}: `uv {' '.join(command[:2])}` failed. It needs Python {PYTHON} and a "
                f"package index within reach; then run the benchmark again. uv said:\n{finished.stderr.strip()}"
            )
    done.write_text(wanted, encoding="utf-8")
    return python
