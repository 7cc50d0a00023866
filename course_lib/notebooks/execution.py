"""Run lessons and store what came out in their notebooks."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from course_lib.notebooks import catalogue, header, kernel
from course_lib.paths import ROOT

SECONDS_STEP = 5
KEPT_CELL_METADATA = {"tags", "slideshow", "jupyter"}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}


def execute(paths: Sequence[Path]) -> None:
    """Run each lesson in a fresh kernel; write its outputs, measured seconds and header into its notebook.

    A lesson that fails leaves its notebook as it was.

    Raises
    ------
    kernel.LessonFailed
        With the cell's source and the end of the traceback.
    """
    for path in paths:
        notebook = catalogue.read(path)
        header.refresh(notebook, path)
        _clear(notebook)
        try:
            seconds = kernel.run(notebook, path.parent)
        except kernel.LessonFailed as error:
            raise kernel.LessonFailed(f"{catalogue.lesson_name(path)}: {error}") from error
        _tidy(notebook)
        _record(seconds, notebook, path)


def _record(seconds: float, notebook: NotebookNode, path: Path) -> None:
    """Write the notebook with its measured seconds; the set-up cell prints them, so a new number makes it run again."""
    course = notebook.metadata.course
    before = course.get("cpu_seconds")
    course["cpu_seconds"] = round_seconds(seconds, before)
    header.refresh(notebook, path)
    catalogue.write(notebook, path)
    if course["cpu_seconds"] != before:
        setup = [cell for cell in notebook.cells if catalogue.SETUP_TAG in catalogue.tags(cell)]
        kernel.run(new_notebook(cells=setup), path.parent)
        catalogue.write(notebook, path)


def round_seconds(seconds: float, recorded: int | None) -> int:
    """Seconds rounded up to a multiple of five; what was recorded stays if it is at most five seconds off."""
    if recorded and abs(seconds - recorded) <= SECONDS_STEP:
        return recorded
    return SECONDS_STEP * max(1, math.ceil(seconds / SECONDS_STEP))


def _clear(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None


def _tidy(notebook: NotebookNode) -> None:
    course = notebook.metadata.get("course", {})
    notebook.metadata = NotebookNode(course=course, kernelspec=dict(KERNEL), language_info=dict(LANGUAGE))
    for cell in notebook.cells:
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in KEPT_CELL_METADATA & cell.metadata.keys()})
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = [_without_clone(line) for line in output.traceback]


def _without_clone(line: str) -> str:
    """A line of a traceback with paths that start at the clone, not at the root or home folder of this machine."""
    home = Path.home()
    places = [str(ROOT), *([f"~{os.sep}{ROOT.relative_to(home)}"] if ROOT.is_relative_to(home) else [])]
    for place in places:
        line = line.replace(place + os.sep, "")
    return line
