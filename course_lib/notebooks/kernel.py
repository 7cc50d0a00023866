"""Run the cells of a notebook in a fresh kernel of this very Python."""

import asyncio
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets import default

from course_lib.notebooks import catalogue

CELL_TIMEOUT = 600  # seconds
SHOWN_LINES = 15
COLOUR_CODES = re.compile(r"\x1b\[[0-9;]*m")

OnCell = Callable[[int, str], None]


class LessonFailed(RuntimeError):
    """A cell of a lesson raised an error, ran too long, or took the kernel with it."""


class ThisPython(KernelSpecManager):
    """Knows one kernel: the Python that runs this code, whatever is registered on the machine."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Start command of a kernel in this Python."""
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class ThisPythonManager(AsyncKernelManager):
    """Starts kernels of this Python."""

    @default("kernel_spec_manager")
    def _this_python(self) -> ThisPython:
        return ThisPython()

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]  # the base class is typed as blocking
        """Start the kernel, and let Ctrl-C through: nbclient would report it as a dead kernel."""
        if sys.platform != "win32":
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        options["env"] = {**(options.get("env") or os.environ), "TQDM_DISABLE": "1"}  # stored outputs hold no bars
        await super().start_kernel(**options)


class _Position:
    """Follows a run: which code cell it is in, and under which heading."""

    def __init__(self, on_cell: OnCell | None):
        self.on_cell = on_cell
        self.number = 0
        self.section = ""
        self.cell: NotebookNode | None = None

    def advance(self, cell: NotebookNode, **_: Any) -> None:
        self.section = catalogue.section(cell) or self.section
        if cell.cell_type == "code":
            self.number += 1
            self.cell = cell
            if self.on_cell:
                self.on_cell(self.number, self.section)


def run(notebook: NotebookNode, folder: Path, on_cell: OnCell | None = None) -> float:
    """Run every code cell in order and keep the outputs in `notebook` itself.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place, up to the failing cell if one fails.
    folder : Path
        Working folder of the kernel.
    on_cell : callable, optional
        Called before each code cell with its number, from 1, and the heading it stands under.

    Returns
    -------
    float
        Seconds, the start of the kernel included.

    Raises
    ------
    LessonFailed
        With the number, the section and the source of the cell, and the end of the traceback.
    """
    position = _Position(on_cell)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=ThisPythonManager,
        resources={"metadata": {"path": str(folder)}},
        timeout=CELL_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        on_cell_start=position.advance,
    )
    started = time.perf_counter()
    with tempfile.TemporaryFile() as log:  # what the kernel process itself says, such as why it crashed
        try:
            client.execute(stdout=log, stderr=log)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            log.seek(0)
            said = [line for line in log.read().decode(errors="replace").splitlines() if "[IPKernelApp]" not in line]
            raise LessonFailed(_explain(error, position, "\n".join(said))) from error
    return time.perf_counter() - started


def _explain(error: Exception, position: _Position, log: str) -> str:
    if isinstance(error, CellTimeoutError):
        reason = f"the cell ran longer than {CELL_TIMEOUT} seconds and was stopped"
    elif isinstance(error, DeadKernelError):
        reason = "the kernel died while this cell ran (out of memory, or a crash in native code)\n\n" + _end(log)
    else:
        reason = _traceback(position.cell)
    source = position.cell.source if position.cell else ""
    return f'code cell {position.number}, section "{position.section}"\n\n{source}\n\n{reason}'


def _traceback(cell: NotebookNode | None) -> str:
    outputs = cell.outputs if cell else []
    lines = [line for output in outputs if output.output_type == "error" for line in output.traceback]
    return _end("\n".join(lines))


def _end(text: str) -> str:
    return "\n".join(COLOUR_CODES.sub("", text).splitlines()[-SHOWN_LINES:])
