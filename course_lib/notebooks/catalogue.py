"""Which lessons there are, what they are called, and how their files are read and written."""

import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib import paths

HEADER_TAG = "course-header"
SETUP_TAG = "course-setup"
IGNORE_TAG = "nbval-ignore-output"
HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


class LessonNotFound(ValueError):
    """No lesson, or more than one, has the name that was asked for."""


def notebooks_dir(path: Path) -> Path:
    """The `notebooks` folder a notebook lies in; its own folder where there is none."""
    folders = path.resolve().parents
    return next((folder for folder in folders if folder.name == "notebooks"), folders[0])


def lesson_name(path: Path) -> str:
    """Name of a lesson, `02_collaborative_filtering` or `electives/privacy`, from the path of its notebook."""
    return path.resolve().relative_to(notebooks_dir(path)).with_suffix("").as_posix()


def lessons(names: Sequence[str | Path] | None = None, root: Path | None = None) -> list[Path]:
    """Notebooks of the lessons, the core in its order and then the electives.

    Parameters
    ----------
    names : sequence of str or Path, optional
        Number (`02`), name (`02_collaborative_filtering`, `electives/privacy`, `privacy`) or path of the lessons
        wanted, in the order wanted. All lessons if left out.
    root : Path, optional
        Folder with the notebooks; that of the clone if left out.

    Raises
    ------
    LessonNotFound
        Naming the lessons that exist.
    """
    root = root or paths.ROOT / "notebooks"
    known = sorted(root.glob("*.ipynb")) + sorted((root / "electives").glob("*.ipynb"))
    return known if names is None else [_find(name, known) for name in names]


def _find(name: str | Path, known: list[Path]) -> Path:
    if str(name).endswith(".ipynb") and Path(name).is_file():
        return Path(name).resolve()
    wanted = Path(name).as_posix().removesuffix(".ipynb")
    matches = [path for path in known if wanted in {lesson_name(path), path.stem, path.stem.partition("_")[0]}]
    exact = [path for path in matches if wanted in {lesson_name(path), path.stem}]
    matches = exact or [path for path in matches if wanted.isdigit()]
    if len(matches) == 1:
        return matches[0]
    problem = f"'{name}' fits more than one lesson" if matches else f"there is no lesson '{name}'"
    listed = ", ".join(lesson_name(path) for path in matches or known) or "none"
    raise LessonNotFound(f"{problem}; choose from: {listed}")


def read(path: Path) -> NotebookNode:
    """The notebook at `path`, in notebook format 4.5 or later (cells have ids)."""
    notebook = nbformat.read(path, as_version=4)
    notebook.nbformat_minor = max(5, notebook.nbformat_minor)
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Check `notebook` against the format and write it to `path`."""
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")


def tags(cell: NotebookNode) -> list[str]:
    """Tags of a cell."""
    return list(cell.metadata.get("tags", []))


def headings(cell: NotebookNode, level: int) -> list[str]:
    """Texts of the headings of one level in a markdown cell, comments in code blocks aside."""
    found = HEADING.findall(FENCED.sub("", cell.source))
    return [text for marks, text in found if len(marks) == level]


def section(cell: NotebookNode) -> str | None:
    """The last title or section heading (`#` or `##`) in a markdown cell; None in other cells."""
    if cell.cell_type != "markdown":
        return None
    found = [text for marks, text in HEADING.findall(FENCED.sub("", cell.source)) if len(marks) <= 2]
    return found[-1] if found else None
