"""A notebook for a new lesson to start from, in the pattern of the course."""

import re
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib import paths
from course_lib.notebooks import catalogue, execution, header

NAME = re.compile(r"(?:electives/)?[a-z][a-z0-9_]*|\d\d_[a-z0-9_]+")

INTRODUCTION = """\
Begin with a person and what that person wants. Two or three sentences, no definition yet."""

SECTION = """\
## 1 · A question of its own

A short why. Then the mathematics, its symbols tied to the names in the code (`docs/notation.toml` lists both):
`R` is $R$, with a row for each user and a column for each item.

**Predict before you run.** Ask for a number, or for an order. How many of the cells of $R$ are ones?"""

CODE = """\
import numpy as np

R = np.array([[1, 1, 0], [0, 1, 1]])  # [num_users, num_items]
print(f"{R.mean():.0%} of the cells are ones")"""

FIGURE = """\
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(4, 2.4))
ax.bar(range(R.shape[1]), R.sum(axis=0), color=lesson.COLOURS[0])
ax.set(xlabel="item", ylabel="users who took it", title="The title says the finding")
plt.show()"""

SEEN = """\
**What we saw.** In words, what the numbers above say; and no number that no cell above has printed.

An exercise goes where it belongs, right here: write it in `course_lib/exercises`, put a markdown cell with its tag in
this place, and run `course notebooks sync` (see CONTRIBUTING.md)."""

ENDING = """\
## Takeaways

- Three to five lines, each of which a learner could have said.

## Check your understanding

1. *A question that needs a thought?* Its answer.

## What's next

Where the road goes on.

## References

- Authors year, *Title*, where (section)"""


def write(name: str, root: Path | None = None) -> Path:
    """Write the notebook of a new lesson.

    Parameters
    ----------
    name : str
        `08_sessions` for the core, `electives/sessions` or `sessions` for an elective.
    root : Path, optional
        Folder with the notebooks; that of the clone if left out.

    Returns
    -------
    Path
        Where the notebook lies.

    Raises
    ------
    ValueError
        If the name is not of this form.
    FileExistsError
        If a lesson has that name, or that number, already.
    """
    root = root or paths.ROOT / "notebooks"
    if not NAME.fullmatch(name):
        raise ValueError(f"'{name}' is no name for a lesson; take small letters: 08_sessions or electives/sessions")
    path = root / f"{name if name[0].isdigit() or '/' in name else f'electives/{name}'}.ipynb"
    known = catalogue.lessons(root=root)
    for other in known:
        number = other.stem.partition("_")[0]
        if path.stem == other.stem or (number.isdigit() and number == path.stem.partition("_")[0]):
            raise FileExistsError(f"there is a lesson {catalogue.lesson_name(other)} already; choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = template(path, known)
    header.refresh(notebook, path)
    catalogue.write(notebook, path)
    return path


def template(path: Path, known: list[Path]) -> NotebookNode:
    """The notebook without header and set-up cell, with metadata to be changed; `known` are the other lessons."""
    words = path.stem.replace("_", " ").strip()
    number, _, rest = words.partition(" ")
    title = f"{int(number)} · {rest.capitalize()}" if number.isdigit() else f"Elective · {words.capitalize()}"
    core = [catalogue.lesson_name(other) for other in known if other.parent.name != "electives"]
    earlier = [name for name in core if path.parent.name == "electives" or name < path.stem]
    course = {
        "title": title,
        "question": "Which question does this lesson answer?",
        "objectives": ["do something that can be checked", "measure what it is worth"],
        "prerequisites": earlier[-1:],
        "lecture_minutes": 45,
        "lab_minutes": 90,
        "plan": [
            {"section": 1, "lecture": 40, "lab": 80, "late": "keep"},
            {"section": "questions", "lecture": 5, "lab": 10, "late": "shorten"},
        ],
        "misconceptions": [
            {"belief": "What do people believe?", "question": "What reveals it?", "answer": "What is right?"}
        ],
    }
    cells = [
        new_markdown_cell(INTRODUCTION),
        new_markdown_cell(SECTION),
        new_code_cell(CODE),
        new_code_cell(FIGURE, metadata={"tags": [catalogue.IGNORE_TAG]}),
        new_markdown_cell(SEEN),
        new_markdown_cell(ENDING),
    ]
    metadata = {"course": course, "kernelspec": execution.KERNEL, "language_info": execution.LANGUAGE}
    return new_notebook(cells=cells, metadata=metadata)
