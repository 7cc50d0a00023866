"""What every benchmark writes down: the machine, the versions, the memory it took, and the record itself as JSON."""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import report

GIGABYTE = 1e9


def machine(threads: int) -> dict[str, str]:
    """The machine in plain words, and how busy it was before the benchmark began."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = psutil.virtual_memory().total / GIGABYTE
    return {
        "machine": f"{cores} {platform.machine()} cores, {memory:.0f} GB of memory, {platform.system()}, no GPU used",
        "threads": f"at most {threads}",
        "load before the start": f"{psutil.getloadavg()[0]:.1f} busy cores (mean of one minute)",
        "Python": platform.python_version(),
    }


def versions(*packages: str) -> dict[str, str]:
    """Installed versions of packages."""
    return {package: version(package) for package in packages}


def peak_memory() -> float:
    """Most memory that this process has held so far, in GB."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / GIGABYTE
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would count what the parent process held before this one began
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024 / GIGABYTE
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIGABYTE  # macOS counts bytes


def seconds(run: Callable[[], Any], repetitions: int) -> list[float]:
    """Wall time of each repetition, after one that warms up."""
    run()
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return times


def save(record: dict[str, Any]) -> Path:
    """Write `results/NAME.json`, print the record as a table, and return the path."""
    path = report.RESULTS / f"{record['name']}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(report.section(record))
    print(f"Written to benchmarks/results/{path.name}. `python benchmarks/report.py` renews the page.")
    return path
