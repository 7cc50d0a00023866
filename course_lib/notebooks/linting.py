"""Find what is wrong with a lesson's notebook before a learner, or nbval, does."""

import copy
import graphlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbformat import NotebookNode

from course_lib.notebooks import catalogue, exercise_cells, header, outputs, slideshow

MAX_CELL_LINES = 40
MAX_BYTES = 1_500_000
ENDING = ["takeaways", "check your understanding", "what's next", "references"]
SKIP_TAGS = {"nbval-skip", "skip-execution"}  # nbval knows the one, nbclient the other
KNOWN_TAGS = {catalogue.HEADER_TAG, catalogue.SETUP_TAG, catalogue.IGNORE_TAG, "raises-exception", *SKIP_TAGS}
KNOWN_TAGS |= {exercise_cells.QUESTIONS_TAG, *slideshow.TAGS}
NBVAL_COMMENT = re.compile(r"^\s*#+\s*(NBVAL_|PYTEST_VALIDATE)", re.MULTILINE)
TEXTS = ("title", "question")
LISTS = ("objectives", "prerequisites")
NUMBERS = ("lecture_minutes", "lab_minutes", "cpu_seconds")


def lint(paths: Sequence[Path]) -> list[str]:
    """Defects of the notebooks at `paths`, one line each: `lesson, place: what is wrong and what to do`."""
    defects = []
    for path in paths:
        notebook = catalogue.read(path)
        found = [*_file(path), *_metadata(notebook), *_prerequisites(notebook, path), *_generated(notebook, path)]
        found += [*_sections(notebook), *_ending(notebook), *_cells(notebook)]
        found += [f"exercises: {one}" for one in exercise_cells.missing(notebook, catalogue.lesson_name(path))]
        defects += [f"{catalogue.lesson_name(path)}, {defect}" for defect in found]
    return defects


def _file(path: Path) -> Iterator[str]:
    size = path.stat().st_size
    if size > MAX_BYTES:
        yield f"file: {size / 1e6:.1f} MB, at most {MAX_BYTES / 1e6} MB; draw fewer or smaller figures"


def _metadata(notebook: NotebookNode) -> Iterator[str]:
    course = notebook.metadata.get("course", {})
    for key in TEXTS:
        if not isinstance(course.get(key), str) or not course[key].strip():
            yield f"metadata course.{key}: must be a text"
    for key in LISTS:
        if not _is_list_of_texts(course.get(key)):
            yield f"metadata course.{key}: must be a list of texts"
    if course.get("objectives") == []:
        yield "metadata course.objectives: must name at least one"
    for key in NUMBERS:
        value = course.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            how = "; execute the notebook to measure it" if key == "cpu_seconds" else ""
            yield f"metadata course.{key}: must be a whole number above zero{how}"


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) and text.strip() for text in value)


def _needs(notebook: NotebookNode) -> list[str]:
    value = notebook.metadata.get("course", {}).get("prerequisites")
    return list(value) if _is_list_of_texts(value) else []


def _prerequisites(notebook: NotebookNode, path: Path) -> Iterator[str]:
    others = catalogue.lessons(root=catalogue.notebooks_dir(path))
    needs = {catalogue.lesson_name(other): _needs(catalogue.read(other)) for other in others}
    name = catalogue.lesson_name(path)
    for missing in [other for other in _needs(notebook) if other not in needs]:
        yield f"metadata course.prerequisites: there is no lesson '{missing}'"
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        if name in error.args[1]:
            yield f"metadata course.prerequisites: lessons need each other in a circle, {' -> '.join(error.args[1])}"


def _generated(notebook: NotebookNode, path: Path) -> Iterator[str]:
    if not all(_is_list_of_texts(notebook.metadata.get("course", {}).get(key)) for key in LISTS):
        return  # reported above; no header can be made of it
    if not notebook.cells or catalogue.HEADER_TAG not in catalogue.tags(notebook.cells[0]):
        yield "cell 0: is not the header; sync the notebook"
        return
    wanted = copy.deepcopy(notebook)
    header.refresh(wanted, path)
    for tag in (catalogue.HEADER_TAG, catalogue.SETUP_TAG):
        stored = [(cell.source, catalogue.tags(cell)) for cell in notebook.cells if tag in catalogue.tags(cell)]
        right = [(cell.source, catalogue.tags(cell)) for cell in wanted.cells if tag in catalogue.tags(cell)][:1]
        if stored != right:
            yield f"{tag} cell: differs from what the metadata says, or is missing or doubled; sync the notebook"
    exercise = [[cell.source for cell in one.cells if exercise_cells.is_generated(cell)] for one in (notebook, wanted)]
    if exercise[0] != exercise[1]:
        yield "exercises or questions: differ from those in course_lib/exercises; sync the notebook"
    slides = [[cell.metadata.get("slideshow") for cell in one.cells] for one in (notebook, wanted)]
    if slides[0] != slides[1]:
        yield "slides: the metadata differ from what the rules give; sync the notebook"
    if [cell.id for cell in notebook.cells] != [cell.id for cell in wanted.cells]:
        yield "cell ids: differ from what the tool gives; sync the notebook"


def _split(notebook: NotebookNode) -> list[tuple[str, list[NotebookNode]]]:
    """Level-2 sections, each with its code cells; what stands before the first one is left out."""
    sections: list[tuple[str, list[NotebookNode]]] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            sections += [(title, []) for title in catalogue.headings(cell, level=2)]
        elif cell.cell_type == "code" and sections and not exercise_cells.is_generated(cell):
            sections[-1][1].append(cell)
    return sections


def _sections(notebook: NotebookNode) -> Iterator[str]:
    for title, cells in _split(notebook):
        checked = [cell for cell in cells if is_checked(cell)]
        if cells and not any(outputs.has_text(cell) for cell in checked):
            yield (
                f'section "{title}": {len(checked)} checked and {len(cells) - len(checked)} unchecked code cells, '
                "none of the checked ones with a stored text output; print what the section found"
            )


def _ending(notebook: NotebookNode) -> Iterator[str]:
    titles = [title.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'") for title, _ in _split(notebook)]
    if titles[-len(ENDING) :] != ENDING:
        yield f"sections: the last four must be {', '.join(ENDING)}, not {', '.join(titles[-len(ENDING) :])}"


def _cells(notebook: NotebookNode) -> Iterator[str]:
    for position, cell in enumerate(notebook.cells):
        defects = [*_tags(cell), *(_code(cell) if cell.cell_type == "code" else [])]
        for defect in defects:
            yield f"cell {position} ({cell.id}): {defect}"


def _tags(cell: NotebookNode) -> Iterator[str]:
    tags = {tag for tag in catalogue.tags(cell) if not tag.startswith(exercise_cells.PREFIX)}
    if unknown := sorted(tags - KNOWN_TAGS):
        yield f"unknown tag {', '.join(unknown)}; known are {', '.join(sorted(KNOWN_TAGS))}"
    if len(tags & SKIP_TAGS) == 1:
        yield f"a skipped cell needs both tags, {' and '.join(sorted(SKIP_TAGS))}"


def _code(cell: NotebookNode) -> Iterator[str]:
    lines = cell.source.count("\n") + 1
    if not cell.source.strip():
        yield "is empty; delete it"
    if lines > MAX_CELL_LINES:
        yield f"has {lines} lines, at most {MAX_CELL_LINES}; split it"
    if NBVAL_COMMENT.search(cell.source):
        yield "steers nbval by a comment; use a tag"
    if is_checked(cell) and cell.execution_count is None:
        yield "was never executed, so nbval would not compare it; execute the notebook"
    yield from outputs.defects(cell, checked=is_checked(cell))


def is_checked(cell: NotebookNode) -> bool:
    """Whether nbval compares the outputs of a code cell with the stored ones."""
    return not {catalogue.IGNORE_TAG, *SKIP_TAGS} & set(catalogue.tags(cell))
