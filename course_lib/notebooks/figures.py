"""What a figure shows, in words, for those who cannot see it."""

import ast
from collections.abc import Iterator

from nbformat import NotebookNode

from course_lib.notebooks import catalogue

PNG = "image/png"
TITLES = ("set_title", "suptitle", "title")


def describe(notebook: NotebookNode) -> None:
    """Give each figure an alternative text: its titles, which say the finding, else the heading of its section.

    It stands in the metadata, where nbconvert (of the output) and MyST-NB (of the cell) look for it.
    """
    section = ""
    for cell in notebook.cells:
        section = catalogue.section(cell) or section
        for output in cell.get("outputs", []):
            if PNG in output.get("data", {}):
                text = f"Figure: {'; '.join(titles(cell.source)) or section}"
                output.metadata.setdefault(PNG, {})["alt"] = text
                cell.metadata.setdefault("mystnb", {})["image"] = {"alt": text}


def titles(source: str) -> Iterator[str]:
    """The titles that the code of a cell gives its figure, as far as they are written out."""
    tree = ast.parse("\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", "")
            given = [node.args[0]] if name in TITLES and node.args else []
            given += [keyword.value for keyword in node.keywords if name == "set" and keyword.arg == "title"]
            yield from (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))
