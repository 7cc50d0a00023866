"""Add what the course needs to a Python that has some of it already, such as Colab's, and change nothing else."""

import importlib
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

DISTRIBUTION = "graphs-and-words"
HELD = ("torch", "numpy", "pandas")  # another version of these would need a restart
SHOWN_LINES = 20


def installed_version(name: str) -> str | None:
    """Version of an installed distribution; None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def missing(distribution: str = DISTRIBUTION, extra: str = "") -> list[str]:
    """Requirements of a distribution, and of one of its extras, of which no version is installed, without markers.

    Empty where the distribution itself is not installed but imported from a folder: nothing says what it needs.
    """
    if installed_version(distribution) is None:
        return []
    wanted = [Requirement(line) for line in metadata.requires(distribution) or []]
    needed = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": extra})]
    absent = [one for one in needed if installed_version(one.name) is None]
    return [str(one).partition(";")[0] for one in absent]  # pip itself would pass over what asks for an extra


def install_missing(distribution: str = DISTRIBUTION, extra: str = "") -> None:
    """Install the missing requirements with pip, holding torch, numpy and pandas at the versions that are there.

    Raises
    ------
    RuntimeError
        With pip's own message, if pip fails or leaves something out.
    """
    absent = missing(distribution, extra)
    if not absent:
        return
    held = [f"{name}=={version}" for name in HELD if (version := installed_version(name))]
    print(f"Installing {', '.join(absent)}; {', '.join(held) or 'everything else'} stays.")
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(held) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--constraint", str(constraints), *absent]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    importlib.invalidate_caches()
    if done.returncode != 0 or missing(distribution, extra):
        said = "\n".join(done.stdout.splitlines()[-SHOWN_LINES:])
        raise RuntimeError(f"pip could not install {', '.join(absent)}:\n{said}")
