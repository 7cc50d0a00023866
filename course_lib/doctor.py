"""Is this machine ready for the course? The checks behind `course doctor`."""

import importlib
import json
import os
import platform
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import psutil
import typer
from packaging.requirements import Requirement

from course_lib import bootstrap, paths, sources
from course_lib.dependencies import DISTRIBUTION, installed_version

GIGABYTE = 10**9
MEMORY = (2 * GIGABYTE, 4 * GIGABYTE)  # bytes available: red below the first, yellow below the second
CACHE_DISK = (GIGABYTE // 2, 2 * GIGABYTE)  # bytes free, likewise
CLONE_DISK = (GIGABYTE // 10, GIGABYTE)
LOOKS = {"green": ("ok  ", "green"), "yellow": ("look", "yellow"), "red": ("FIX ", "red")}
REPAIR = 'make setup, or: pip install -e ".[all]" -c constraints.txt'


@dataclass(frozen=True)
class Check:
    """One line of the report.

    Attributes
    ----------
    name : str
        What was looked at.
    mark : {"green", "yellow", "red"}
        Fine; works with limits; the lessons will not run.
    finding : str
        What was seen.
    advice : str
        What to do; empty when green.
    """

    name: str
    mark: str
    finding: str
    advice: str = ""


def report(as_json: bool) -> bool:
    """Print all checks, as lines or as one JSON list; whether none is red."""
    found = []
    for check in checks():
        found.append(check)
        if not as_json:
            show(check)
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in found], indent=2))
    return all(check.mark != "red" for check in found)


def checks() -> Iterator[Check]:
    """All checks, each as soon as it is done."""
    single: list[Callable[[], Check]] = [check_python, check_packages, check_extras, check_kernel, check_device]
    single += [check_cores, check_memory, check_cache, check_clone]
    for check in single:
        yield check()
    yield from check_artefacts()


def show(check: Check) -> None:
    """Print a check as a line with a coloured mark, and what to do below it."""
    word, colour = LOOKS[check.mark]
    typer.echo(f"{typer.style(word, fg=colour, bold=True)}  {check.name:<10}  {check.finding}")
    if check.advice:
        typer.echo(f"{'':18}-> {check.advice}")


def graded(name: str, value: float, limits: tuple[float, float], finding: str, advice: str) -> Check:
    """Red below the first limit, yellow below the second, green from there on."""
    mark = "red" if value < limits[0] else "yellow" if value < limits[1] else "green"
    return Check(name, mark, finding, "" if mark == "green" else advice)


def check_python() -> Check:
    """The version of this Python."""
    finding = f"{platform.python_version()} at {sys.executable}"
    if bootstrap.OLDEST <= sys.version_info[:2] <= bootstrap.NEWEST:
        return Check("python", "green", finding)
    wanted = " to ".join(".".join(map(str, version)) for version in (bootstrap.OLDEST, bootstrap.NEWEST))
    return Check("python", "red", finding, f"the course needs Python {wanted}: make course PYTHON=python3.12")


def requirements() -> tuple[list[Requirement], list[Requirement]]:
    """What the course needs, and what its extras need: from pyproject.toml, or from the installed package."""
    if not paths.in_clone():
        lines = [Requirement(line) for line in metadata.requires(DISTRIBUTION) or []]
        return [line for line in lines if "extra" not in str(line.marker)], []
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = [Requirement(line) for line in project["dependencies"]]
    extras = [Requirement(line) for group in project["optional-dependencies"].values() for line in group]
    return core, [one for one in extras if one.name != DISTRIBUTION]


def misfits(wanted: list[Requirement]) -> list[str]:
    """The requirements that are not met, in words; those for other machines aside."""
    found = []
    for one in wanted:
        if one.marker and not one.marker.evaluate():
            continue
        version = installed_version(one.name)
        if version is None:
            found.append(f"{one.name} is missing")
        elif not one.specifier.contains(version, prereleases=True):
            found.append(f"{one.name} is {version}, needs {one.specifier}")
    return sorted(set(found))


def check_packages() -> Check:
    """The packages the lessons import."""
    core, _ = requirements()
    bad = misfits(core)
    return Check("packages", "red", "; ".join(bad), REPAIR) if bad else Check("packages", "green", f"{len(core)} fit")


def check_extras() -> Check:
    """The packages for JupyterLab, headless runs and tests."""
    _, extras = requirements()
    bad = misfits(extras)
    if bad:
        return Check("extras", "yellow", "; ".join(bad), f"for JupyterLab, course run and the tests: {REPAIR}")
    return Check("extras", "green", "JupyterLab, headless runs and tests can be used" if extras else "not looked at")


def check_kernel() -> Check:
    """Whether notebooks can start this Python."""
    try:
        importlib.import_module("ipykernel")
    except ImportError as error:
        return Check("kernel", "red", f"ipykernel cannot be imported: {error}", REPAIR)
    return Check("kernel", "green", "notebooks can start this Python")


def check_device() -> Check:
    """What PyTorch computes on."""
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:  # OSError: a shared library of the build is missing
        return Check("device", "red", f"PyTorch cannot be imported: {error}", REPAIR)
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        name = f"CUDA: {properties.name}, {properties.total_memory / GIGABYTE:.0f} GB"
    elif torch.backends.mps.is_available():
        name = "MPS (Apple)"
    else:
        name = "CPU; the lessons are made for it"
    return Check("device", "green", f"{name} (PyTorch {torch.__version__}, {torch.get_num_threads()} threads)")


def check_cores() -> Check:
    """The CPU cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return graded("cores", cores, (1, 2), str(cores), "the stated times are for two cores; expect about twice as long")


def check_memory() -> Check:
    """The memory that is free now."""
    memory = psutil.virtual_memory()
    finding = f"{memory.available / GIGABYTE:.1f} GB available of {memory.total / GIGABYTE:.1f} GB"
    return graded("memory", memory.available, MEMORY, finding, "close other programs and notebooks that still run")


def check_disk(name: str, folder: Path, limits: tuple[float, float], advice: str) -> Check:
    """The space that is left where a folder lies."""
    free = shutil.disk_usage(folder).free
    return graded(name, free, limits, f"{free / GIGABYTE:.1f} GB free at {folder}", advice)


def check_cache() -> Check:
    """The folder for downloads: writable, and with space left."""
    move = f"move the cache: set {paths.CACHE_VARIABLE} to a folder with more space that you may write to"
    try:
        folder = paths.cache_dir()
    except OSError as error:
        return Check("cache", "red", f"the cache folder cannot be made: {error}", move)
    if not os.access(folder, os.W_OK):
        return Check("cache", "red", f"the cache folder {folder} cannot be written to", move)
    return check_disk("cache", folder, CACHE_DISK, move)


def check_clone() -> Check:
    """The disk the course itself lies on."""
    return check_disk("disk", paths.ROOT, CLONE_DISK, "free some space there; make clean deletes what can be remade")


def check_artefacts() -> Iterator[Check]:
    """Every dataset the lessons need and every model, read and compared with its checksums."""
    try:
        listed = sources.list_artefacts()
    except (OSError, sources.SourceError) as error:
        yield Check("data", "red", str(error), "see the line about the cache; otherwise restore datasets/manifest.toml")
        return
    for one in listed:
        if one.default or one.kind == "model":
            yield check_artefact(one)


def check_artefact(artefact: sources.ArtefactStatus) -> Check:
    """The files of one artefact."""
    kind = "model" if artefact.kind == "model" else "data"
    fetch = f"course data fetch {artefact.name}"
    bad = {state.file.name: state.state for state in sources.verify(artefact.name) if state.state != "ok"}
    if not bad:
        return Check(kind, "green", f"{artefact.name}: here, checksums fit")
    if "broken" in bad.values():
        broken = ", ".join(name for name, state in bad.items() if state == "broken")
        return Check(kind, "red", f"{artefact.name}: {broken} does not fit its checksum", fetch)
    if not artefact.default:
        return Check(kind, "green", f"{artefact.name}: not fetched; no lesson so far needs it")
    return Check(
        kind, "yellow", f"{artefact.name}: {len(bad)} files are not here yet", f"{fetch}, or let a lesson do it"
    )
