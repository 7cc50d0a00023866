"""Make the course's own environment, `.venv`, from nothing but Python: `python3 course_lib/bootstrap.py`.

Needs the standard library only. Running it again is always safe: it does nothing when the environment is whole
and fits the pins, and remakes it when it does not (a changed pin, a set-up that was stopped half-way).

Environment variables
---------------------
COURSE_TORCH
    `cpu` takes PyTorch's small CPU-only build. Unset: the build of the package registry (on Linux with CUDA).
"""

from __future__ import annotations  # so that an old Python reaches the message that says it is too old

import hashlib
import importlib.util
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

TORCH_VARIABLE = "COURSE_TORCH"
OLDEST, NEWEST = (3, 11), (3, 13)
GIGABYTE = 10**9
SWITCHES = ("", "cpu")  # values of COURSE_TORCH
EXTRA = "all"


class SetupError(Exception):
    """The environment cannot be made; the message says why and what to do."""


def environment_python(root: Path) -> Path:
    """The Python of the environment in the clone `root`."""
    windows = os.name == "nt"
    return root / ".venv" / ("Scripts/python.exe" if windows else "bin/python")


def torch_switch() -> str:
    """The value of COURSE_TORCH: `""` or `"cpu"`.

    Raises
    ------
    SetupError
        For any other value.
    """
    chosen = os.environ.get(TORCH_VARIABLE, "").strip().lower()
    if chosen not in SWITCHES:
        raise SetupError(f'{TORCH_VARIABLE} is "{chosen}": set it to "cpu" for the CPU-only build, or unset it.')
    return chosen


def fingerprint(root: Path, switch: str) -> str:
    """SHA-256 of all that decides how the environment looks: pins, Python, machine, switches, the clone's place."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((root / name).read_bytes() + b"\0")
    python = (*sys.version_info[:2], sys.implementation.name, platform.machine())
    digest.update(json.dumps([python, switch, str(root)]).encode())
    return digest.hexdigest()


def installed_packages(root: Path) -> list[str]:
    """The packages in the environment whose installation was finished, as `name-version`, sorted."""
    records = (root / ".venv").glob("[Ll]ib/**/site-packages/*.dist-info/RECORD")
    return sorted(record.parent.name.removesuffix(".dist-info") for record in records)


def stamp_file(root: Path) -> Path:
    """The file written last; an environment without it was never finished."""
    return root / ".venv" / "course-stamp.json"


def why_stale(root: Path, switch: str) -> str | None:
    """Why the environment has to be made, in words; None when it is whole and fits the pins."""
    if not (root / ".venv").exists():
        return "There is no .venv yet."
    try:
        stamp = json.loads(stamp_file(root).read_text(encoding="utf-8"))
        key, packages = stamp["fingerprint"], stamp["packages"]
    except (OSError, ValueError, KeyError, TypeError):
        return "The last set-up in .venv was not finished."
    if key != fingerprint(root, switch):
        return f"The pins, Python, {TORCH_VARIABLE} or the folder's place changed since .venv was made."
    missing = sorted(set(packages) - set(installed_packages(root)))
    if missing:
        return f"Packages are missing from .venv: {', '.join(missing[:5])}."
    try:
        subprocess.run([environment_python(root), "-I", "-S", "-c", ""], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "The Python in .venv does not start."
    return None


def needed_bytes(switch: str) -> int:
    """Disk space for the environment and its downloads; most of it is CUDA, where PyTorch brings that."""
    return 8 * GIGABYTE if sys.platform == "linux" and switch != "cpu" else 5 * GIGABYTE // 2


def check_machine(root: Path, switch: str) -> None:
    """Stop before anything is touched when the set-up could not be finished here."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SetupError(
            f"This is Python {platform.python_version()}; the course needs 3.{OLDEST[1]} to 3.{NEWEST[1]}. "
            "Run again with another one, for example: make course PYTHON=python3.12"
        )
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError("This Python cannot make environments. On Debian or Ubuntu: apt install python3-venv")
    free, needed = shutil.disk_usage(root).free, needed_bytes(switch)
    if free < needed:
        raise SetupError(
            f"The disk of {root} has {free / GIGABYTE:.1f} GB free; the set-up needs {needed / GIGABYTE:.1f} GB. "
            f"Free some space, or set {TORCH_VARIABLE}=cpu for the small build of PyTorch."
        )


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, then say how long it took."""
    print(f"  {title} ...", flush=True)
    start = time.monotonic()
    yield
    print(f"  {title}: done in {time.monotonic() - start:.1f} s", flush=True)


def run(command: list[str], advice: str, **variables: str) -> None:
    """Run a command with its output shown.

    Raises
    ------
    SetupError
        With the command and `advice`, when it fails.
    """
    code = subprocess.run(command, env={**os.environ, **variables}).returncode
    if code != 0:
        raise SetupError(f"This command failed with exit code {code}: {shlex.join(command)}\n{advice}")


def make_environment(root: Path) -> None:
    """Make an empty `.venv`, in place of whatever was there."""
    folder = root / ".venv"
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(
            f"{folder} could not be made: {error}\n"
            "Close what still uses it (JupyterLab, an activated shell), delete it, and run this again."
        ) from error


def install_uv(root: Path) -> bool:
    """Put the installer uv into the environment; whether that worked."""
    pip = [str(environment_python(root)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return subprocess.run([*pip, "--constraint", str(root / "constraints.txt"), "uv"]).returncode == 0


def install_project(root: Path, with_uv: bool, switch: str) -> None:
    """Install the course and all it needs, at the pinned versions.

    Parameters
    ----------
    with_uv : bool
        Install with the environment's uv; with its pip otherwise.
    switch : {"", "cpu"}
        The build of PyTorch.
    """
    python = str(environment_python(root))
    target = ["--editable", f"{root}[{EXTRA}]", "--constraint", str(root / "constraints.txt")]
    advice = "Look at the lines above, check the network and the disk, and run the same command again."
    if switch == "cpu":
        advice = (
            f"{TORCH_VARIABLE}=cpu takes PyTorch from PyTorch's own package index, which not every network reaches. "
            f"Unset {TORCH_VARIABLE} to take the larger build from the usual registry, or look at the lines above."
        )
    if not with_uv:
        if switch:
            raise SetupError(f"{TORCH_VARIABLE}={switch} needs uv, which could not be installed. {advice}")
        run([python, "-m", "pip", "install", "--disable-pip-version-check", *target], advice)
        return
    quiet = [] if sys.stderr.isatty() else ["--quiet"]  # in a log: no progress bars, no list of 200 packages
    variables = {"UV_TORCH_BACKEND": switch} if switch else {}
    run([python, "-m", "uv", "pip", "install", *quiet, "--python", python, *target], advice, **variables)


@contextmanager
def lock(root: Path) -> Iterator[None]:
    """Let one set-up at a time work in the clone; a second one waits. A killed process lets go by itself."""
    path = root / "build" / "setup.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("a+b") as handle:
        if not take(handle):
            print("Another set-up is at work in this folder. Waiting for it.", flush=True)
            while not take(handle):
                time.sleep(0.2)
        yield


def take(handle: IO[bytes]) -> bool:
    """Try to lock an open file; whether that worked. Closing the file unlocks it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def ensure(root: Path) -> bool:
    """Bring the environment of the clone `root` to what its pins say; whether anything had to be done.

    Raises
    ------
    SetupError
        Saying what was wrong and what to do.
    """
    switch = torch_switch()
    if why_stale(root, switch) is None:
        return False
    with lock(root):
        reason = why_stale(root, switch)
        if reason is None:
            return False
        check_machine(root, switch)
        print(f"{reason} Making .venv; the first time, this downloads a lot.", flush=True)
        with step(f"1/3 An empty environment for Python {platform.python_version()}"):
            make_environment(root)
        with step("2/3 The installer, uv"):
            has_uv = install_uv(root)
            if not has_uv:
                print("  uv could not be installed. Going on with pip, which takes longer.", flush=True)
        with step(f"3/3 The course and its packages{' (CPU-only PyTorch)' if switch else ''}"):
            install_project(root, has_uv, switch)
        stamp = {"fingerprint": fingerprint(root, switch), "packages": installed_packages(root)}
        stamp_file(root).write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    return True


def main() -> int:
    """Set up the clone this file lies in; the exit code."""
    try:
        ensure(Path(__file__).resolve().parent.parent)
    except SetupError as error:
        print(f"\nThe set-up stopped. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again; it starts over cleanly.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
