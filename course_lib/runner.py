"""Run lessons end to end without a screen and turn them into pages: the work behind `course run`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from course_lib import render
from course_lib.notebooks import catalogue, kernel
from course_lib.verdict import OUTSIDE


@dataclass(frozen=True)
class LessonRun:
    """How the run of one lesson went.

    Attributes
    ----------
    name : str
        Name of the lesson, such as `02_collaborative_filtering`.
    seconds : float
        From the start of the kernel to the last cell, or to the cell that failed.
    error : str or None
        Number, section and source of the failing cell and the end of its traceback, or the verdicts that left their
        bands; None if all went well.
    """

    name: str
    seconds: float
    error: str | None


def run_lessons(paths: Sequence[Path], build_dir: Path, console: Console | None = None) -> list[LessonRun]:
    """Execute each lesson in a fresh kernel, showing progress, and write its page.

    A lesson that fails does not stop the others. The notebooks themselves are not changed.

    Parameters
    ----------
    paths : sequence of Path
        Notebooks, as given by `notebooks.lessons`.
    build_dir : Path
        Receives `index.html`, and `lessons/NAME.ipynb` and `lessons/NAME.html` for each lesson.
    console : Console, optional
        Where to show progress; standard output if left out.
    """
    render.copy_assets(build_dir)
    runs: list[LessonRun] = []
    titles: dict[str, str] = {}
    loaded = [(catalogue.lesson_name(path), path, catalogue.read(path)) for path in paths]
    with _progress(console or Console(), loaded) as progress:
        for name, path, notebook in loaded:
            progress.start(name)
            runs.append(_run_one(name, path, notebook, progress))
            progress.finish(runs[-1])
            titles[name] = notebook.metadata.get("course", {}).get("title", name)
            render.write_lesson(notebook, name, titles[name], build_dir)
            render.write_index(runs, titles, build_dir)
    return runs


def _run_one(name: str, path: Path, notebook: NotebookNode, progress: "_Lines") -> LessonRun:
    started = time.perf_counter()
    error = None
    try:
        kernel.run(notebook, path.parent, progress.cell)
    except kernel.LessonFailed as failure:
        error = str(failure)
    return LessonRun(name, time.perf_counter() - started, error or _outside(notebook))


def _outside(notebook: NotebookNode) -> str | None:
    """The verdicts of a lesson that ran to the end but whose numbers left their bands."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    lines = [line for output in outputs for line in output.get("text", "").splitlines() if OUTSIDE in line]
    return "\n".join(lines) or None


def _progress(console: Console, loaded: Sequence[tuple[str, Path, NotebookNode]]) -> "_Lines":
    totals = {name: sum(cell.cell_type == "code" for cell in notebook.cells) for name, _, notebook in loaded}
    return _Bars(console, totals) if console.is_terminal else _Lines(console, totals)


class _Lines:
    """Progress as plain lines, for logs: one when a lesson starts and one when it ends."""

    def __init__(self, console: Console, totals: dict[str, int]):
        self.console = console
        self.totals = totals

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to tidy up."""

    def start(self, name: str) -> None:
        self._print(f"{name}: running {self.totals[name]} cells")

    def cell(self, number: int, section: str) -> None:
        """Single cells are not worth a line."""

    def finish(self, run: LessonRun) -> None:
        self._print(f"{run.name}: {'FAILED after' if run.error else 'done in'} {run.seconds:.1f} s")
        if run.error:
            self._print(run.error)

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Bars(_Lines):
    """Progress as bars, for terminals: one a lesson, counting its cells, and one for the cell that runs."""

    def __init__(self, console: Console, totals: dict[str, int]):
        super().__init__(console, totals)
        name = TextColumn("{task.description}", markup=False)
        self.bars = Progress(name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console)
        self.lessons = {name: self.bars.add_task(name, total=total, start=False) for name, total in totals.items()}
        self.current: TaskID | None = None
        self.running: TaskID | None = None

    def __enter__(self) -> "_Bars":
        self.bars.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bars.stop()

    def start(self, name: str) -> None:
        self.current = self.lessons[name]
        self.bars.start_task(self.current)

    def cell(self, number: int, section: str) -> None:
        assert self.current is not None
        self.bars.update(self.current, completed=number - 1)
        self._clear_cell()
        self.running = self.bars.add_task(f"  cell {number} · {section}"[:60], total=None)

    def finish(self, run: LessonRun) -> None:
        self._clear_cell()
        bar = self.lessons[run.name]
        if run.error:
            self.bars.update(bar, description=f"{run.name} FAILED")
            self.bars.stop_task(bar)
            self._print(f"{run.name}: {run.error}")
        else:
            self.bars.update(bar, completed=self.totals[run.name])

    def _clear_cell(self) -> None:
        if self.running is not None:
            self.bars.remove_task(self.running)
            self.running = None
