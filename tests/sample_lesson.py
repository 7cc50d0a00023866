"""A small lesson in the shape of a real one, for the tests of the notebook tools."""

from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.notebooks import catalogue

COURSE = {
    "title": "A sample lesson",
    "question": "How far do neighbours go?",
    "objectives": ["write $\\hat A$ down", "read a table"],
    "prerequisites": [],
    "lecture_minutes": 20,
    "lab_minutes": 30,
    "cpu_seconds": 5,
}
FORMULA = r"""## Propagation

Neighbours are averaged with $\hat A = D^{-1/2} A D^{-1/2}$, that is

$$\mathbf{h}_u = \sum_{i \in N(u)} \frac{1}{\sqrt{|N(u)||N(i)|}} \mathbf{h}_i$$

See [the data](01_data.ipynb#splits)."""
STUB_LIBRARY = {
    "__init__.py": "",
    "lesson.py": "def start(name):\n    print('banner of', name)\n",
    "broken.py": "def fail():\n    raise ValueError('broken')\n",
}


def code(source: str, *tags: str) -> NotebookNode:
    """A code cell with tags."""
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def sample(**course: object) -> NotebookNode:
    """A lesson with mathematics, a table, a figure and an error shown on purpose; not yet synced or executed."""
    cells = [
        new_markdown_cell(FORMULA),
        code("import numpy as np\n\nprint(np.eye(3).sum())"),
        code('import pandas as pd\n\npd.DataFrame({"model": ["EASE", "LightGCN"], "ndcg@10": [0.325, 0.322]})'),
        new_markdown_cell("## A figure\n\nIt rises."),
        code("import matplotlib.pyplot as plt\n\nplt.plot([1, 2, 3]);", catalogue.IGNORE_TAG),
        code("1 / 0", "raises-exception"),
        new_markdown_cell("## Takeaways\n\n- One."),
        new_markdown_cell("## Check your understanding\n\nWhy?"),
        new_markdown_cell("## What's next\n\nMore."),
        new_markdown_cell("## References\n\nNone."),
    ]
    return new_notebook(cells=cells, metadata={"course": COURSE | course})


def light_sample(**course: object) -> NotebookNode:
    """The same without table and figure, whose libraries take seconds to import."""
    notebook = sample(**course)
    notebook.cells = [
        cell for cell in notebook.cells if "pandas" not in cell.source and "matplotlib" not in cell.source
    ]
    return notebook


def stub_library(folder: Path) -> None:
    """Make `folder` look like a clone whose library imports at once."""
    (folder / "course_lib").mkdir(exist_ok=True)
    for name, source in STUB_LIBRARY.items():
        (folder / "course_lib" / name).write_text(source, encoding="utf-8")


def save(notebook: NotebookNode, folder: Path, name: str = "00_sample") -> Path:
    """Write `notebook` into `folder/notebooks`, as the lesson `name`, beside a stub of the library."""
    path = folder / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    stub_library(folder)
    catalogue.write(notebook, path)
    return path


def lesson_with_places(folder: Path) -> Path:
    """The sample as lesson 03, with places for its first exercise and its questions."""
    notebook = sample()
    place = new_markdown_cell("here", metadata={"tags": ["exercise-03.1"]})
    questions = new_markdown_cell("here", metadata={"tags": ["course-questions"]})
    notebook.cells[2:2] = [place]
    notebook.cells[-2:-2] = [questions]
    return save(notebook, folder, "03_graph_convolution")
