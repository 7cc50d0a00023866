"""The lint of lessons: a sound one passes, and each defect it promises to find is found."""

from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from sample_lesson import code, sample, save

from course_lib import notebooks
from course_lib.notebooks import catalogue, header

LESSONS = notebooks.lessons()
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # one pixel


def sound() -> NotebookNode:
    """The sample lesson, synced, with outputs written by hand (running a kernel for each test would take long)."""
    notebook = sample()
    header.refresh(notebook, Path("notebooks/00_sample.ipynb"))
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    figure = new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure size 640x480 with 1 Axes>"})
    stored = [
        new_output("stream", name="stdout", text="banner\n"),
        new_output("stream", name="stdout", text="3.0\n"),
        new_output("execute_result", data={"text/html": "<table></table>", "text/plain": "EASE"}, execution_count=3),
        figure,
        new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=["division by zero"]),
    ]
    for count, (cell, output) in enumerate(zip(cells, stored, strict=True), start=1):
        cell.execution_count, cell.outputs = count, [output]
    header.refresh(notebook, Path("notebooks/00_sample.ipynb"))  # where a slide ends depends on the outputs
    return notebook


def lint(notebook: NotebookNode, folder: Path) -> list[str]:
    return notebooks.lint([save(notebook, folder)])


@pytest.mark.parametrize("path", LESSONS, ids=catalogue.lesson_name)
def test_lesson_is_in_order(path: Path) -> None:
    assert notebooks.lint([path]) == []


def test_a_sound_lesson_has_no_defects(tmp_path: Path) -> None:
    assert lint(sound(), tmp_path) == []


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("title", None, "course.title: must be a text"),
        ("question", " ", "course.question: must be a text"),
        ("objectives", [], "course.objectives: must name at least one"),
        ("objectives", "read", "course.objectives: must be a list of texts"),
        ("prerequisites", 7, "course.prerequisites: must be a list of texts"),
        ("prerequisites", ["05_fusion"], "course.prerequisites: there is no lesson '05_fusion'"),
        ("prerequisites", ["00_sample"], "need each other in a circle, 00_sample -> 00_sample"),
        ("lecture_minutes", "20", "course.lecture_minutes: must be a whole number"),
        ("lab_minutes", 0, "course.lab_minutes: must be a whole number above zero"),
        ("cpu_seconds", None, "course.cpu_seconds: must be a whole number above zero; execute the notebook"),
    ],
)
def test_metadata(tmp_path: Path, key: str, value: object, expected: str) -> None:
    notebook = sound()
    notebook.metadata.course[key] = value
    if value is None:
        del notebook.metadata.course[key]
    found = lint(notebook, tmp_path)
    assert any(expected in defect for defect in found), found


def test_a_circle_of_two_lessons_is_reported_for_both(tmp_path: Path) -> None:
    paths = [
        save(sample(prerequisites=["01_data"]), tmp_path),
        save(sample(prerequisites=["00_sample"]), tmp_path, "01_data"),
    ]
    found = [defect for defect in notebooks.lint(paths) if "circle" in defect]
    assert [defect.partition(",")[0] for defect in found] == ["00_sample", "01_data"]


def _first_code(notebook: NotebookNode) -> NotebookNode:
    return notebook.cells[3]


def _output(text: str, name: str = "stdout") -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        _first_code(notebook).outputs.append(new_output("stream", name=name, text=text))

    return change


def _cell(**values: object) -> Callable[[NotebookNode], None]:
    return lambda notebook: _first_code(notebook).update(values)


def _tagged(*tags: str) -> Callable[[NotebookNode], None]:
    return lambda notebook: _first_code(notebook).metadata.update(tags=list(tags))


def _only_a_figure(notebook: NotebookNode) -> None:
    for cell in notebook.cells[3:5]:
        cell.metadata["tags"] = [catalogue.IGNORE_TAG]


def _checked_but_silent(notebook: NotebookNode) -> None:
    figure = new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure size 640x480 with 1 Axes>"})
    notebook.cells[3].outputs, notebook.cells[4].outputs = [], [figure]


def _svg(notebook: NotebookNode) -> None:
    _first_code(notebook).outputs = [new_output("display_data", data={"image/svg+xml": "<svg/>"})]


def _header_not_first(notebook: NotebookNode) -> None:
    notebook.cells.insert(0, new_markdown_cell("Hello"))


def _two_setups(notebook: NotebookNode) -> None:
    notebook.cells.insert(2, code(notebook.cells[1].source, *catalogue.tags(notebook.cells[1])))


def _other_id(notebook: NotebookNode) -> None:
    _first_code(notebook).id = "mine"


def _no_references(notebook: NotebookNode) -> None:
    del notebook.cells[-1]


def _swapped_ending(notebook: NotebookNode) -> None:
    notebook.cells[-1], notebook.cells[-2] = notebook.cells[-2], notebook.cells[-1]


def _too_large(notebook: NotebookNode) -> None:
    notebook.cells[6].outputs[0].data["image/png"] = PNG + "A" * 1_600_000


DEFECTS: list[tuple[Callable[[NotebookNode], None], str]] = [
    (_header_not_first, "cell 0: is not the header"),
    (lambda notebook: notebook.cells[0].update(source="# Mine"), "course-header cell: differs"),
    (lambda notebook: notebook.cells[1].update(source="print(1)"), "course-setup cell: differs"),
    (lambda notebook: notebook.cells.pop(1), "course-setup cell: differs"),
    (_two_setups, "course-setup cell: differs"),
    (_other_id, "cell ids: differ"),
    (_only_a_figure, 'section "Propagation": 0 checked and 2 unchecked code cells'),
    (_checked_but_silent, 'section "Propagation": 2 checked and 0 unchecked code cells, none of the checked'),
    (_no_references, "sections: the last four must be"),
    (_swapped_ending, "sections: the last four must be"),
    (_too_large, "file: 1.6 MB, at most 1.5 MB"),
    (_tagged("hide"), "unknown tag hide; known are course-header"),
    (_tagged("nbval-skip"), "a skipped cell needs both tags, nbval-skip and skip-execution"),
    (_cell(source="\n".join(["x = 1"] * 41)), "has 41 lines, at most 40"),
    (_cell(source="  "), "is empty"),
    (_cell(source="# NBVAL_IGNORE_OUTPUT\nprint(3.0)"), "steers nbval by a comment"),
    (_cell(execution_count=None), "was never executed"),
    (lambda notebook: notebook.cells[7].metadata.update(tags=[]), "stored output is an error, ZeroDivisionError"),
    (_output("saved to /Users/ann/course/model.json"), "path of one machine, /Users/ann/course/model.json"),
    (_output("saved to C:\\course\\model"), "path of one machine, C:\\course\\model"),
    (_output("FutureWarning: torch.jit is old", name="stderr"), "shows a warning (FutureWarning)"),
    (_output("<model at 0x7f3a5c0d1e80>"), "an object's address (0x7f3a5c0d1e80)"),
    (_output(" 40%|████      | 4/10", name="stderr"), "a progress bar"),
    (_output("1f0c9bb2-6a0e-4a53-9d5c-0d4f5a1c2b3e"), "a random identifier"),
    (_output("tensor([1.], device='cuda:0')"), "the name of a device (cuda:0)"),
    (_svg, "an SVG figure"),
]


@pytest.mark.parametrize(("change", "expected"), DEFECTS, ids=[expected for _, expected in DEFECTS])
def test_defect_is_found(tmp_path: Path, change: Callable[[NotebookNode], None], expected: str) -> None:
    notebook = sound()
    change(notebook)
    found = lint(notebook, tmp_path)
    assert any(expected in defect for defect in found), found


def test_a_cell_tagged_as_unchecked_may_show_what_varies(tmp_path: Path) -> None:
    notebook = sound()
    notebook.cells[3].metadata["tags"] = [catalogue.IGNORE_TAG]
    notebook.cells[3].outputs = [new_output("stream", name="stderr", text=" 40%|████ | 4/10 [00:01, 3.9it/s] cuda:0")]
    assert lint(notebook, tmp_path) == []


def test_places_are_named_by_position_and_id(tmp_path: Path) -> None:
    notebook = sound()
    notebook.cells[3].outputs = [new_output("stream", name="stdout", text="at 0x7f3a5c0d1e80")]
    assert lint(notebook, tmp_path)[0].startswith("00_sample, cell 3 (propagation-2): stored output has")


def test_comments_in_fenced_code_are_no_headings() -> None:
    cell = new_markdown_cell("## Real\n\n```python\n## not a heading\n```\n")
    assert catalogue.headings(cell, level=2) == ["Real"]
    assert catalogue.section(code("# a comment")) is None
