"""The map of the course: a picture of the lessons and what each needs, and the README's table, from their metadata."""

import textwrap
import tomllib
from html import escape

from course_lib.notebooks import catalogue
from course_lib.reference.passages import DOCS, metadata

WIDTH, MARGIN, GAP, BETWEEN = 400, 4, 12, 30
TITLE, TEXT, LINE = 15, 13, 18  # sizes of letters and lines, readable on a phone
LETTERS = 7.2  # width of a letter of the text, on average, in a wide font
CORE, ELECTIVE, EDGE, INK, QUIET = "#dcebf7", "#fdebd0", "#7f8c8d", "#1b2631", "#44535f"
OUTCOMES = DOCS / "lessons.toml"


class Box:
    """A lesson as a box of the picture.

    Parameters
    ----------
    lesson : str
        Name of the lesson.
    width : int
        Width of the box; the question is broken to fit.
    """

    def __init__(self, lesson: str, width: int):
        self.lesson, self.width = lesson, width
        self.course = metadata(lesson)
        self.x = self.y = self.bottom = 0
        letters = int((width - 20) / LETTERS)
        self.title = textwrap.wrap(self.course.title, int(letters * TEXT / TITLE * 0.95))
        self.text = textwrap.wrap(self.course.question, letters)
        self.minutes = f"lecture {self.course.lecture_minutes} + lab {self.course.lab_minutes} min"
        if lesson.startswith("electives/"):
            after = ", ".join(need.partition("_")[0] for need in self.course.prerequisites)
            self.minutes = f"after {after} · {self.minutes}"
        self.last = textwrap.wrap(self.minutes, letters)

    @property
    def height(self) -> int:
        """Height that the lines need."""
        return 16 + LINE * (len(self.title) + len(self.text) + len(self.last))

    def svg(self, height: int) -> str:
        """The box as SVG, as high as its row."""
        fill = ELECTIVE if self.lesson.startswith("electives/") else CORE
        lines = [(line, TITLE, "bold", INK) for line in self.title]
        lines += [(line, TEXT, "normal", INK) for line in self.text]
        lines += [(line, TEXT, "normal", QUIET) for line in self.last]
        drawn = [
            f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{height}" rx="8" '
            f'fill="{fill}" stroke="{EDGE}"/>'
        ]
        for number, (line, size, weight, colour) in enumerate(lines):
            drawn.append(
                f'<text x="{self.x + 12}" y="{self.y + 22 + LINE * number}" font-size="{size}" font-weight="{weight}" '
                f'fill="{colour}">{escape(line)}</text>'
            )
        return "\n".join(drawn)


def svg() -> str:
    """The picture: the core from top to bottom, what a lesson needs above it, and the electives below."""
    names = [catalogue.lesson_name(path) for path in catalogue.lessons()]
    core = [name for name in names if "/" not in name]
    electives = [name for name in names if "/" in name]
    rows = _rows(core)
    pairs = [electives[start : start + 2] for start in range(0, len(electives), 2)]
    boxes: dict[str, Box] = {}
    drawn: list[str] = []
    y = MARGIN
    for row in [*rows, *pairs]:
        if pairs and row is pairs[0]:
            style = f'font-size="{TITLE}" font-weight="bold" fill="{EDGE}"'
            drawn.append(f'<text x="{MARGIN}" y="{y}" {style}>Electives</text>')
            y += LINE
        width = (WIDTH - 2 * MARGIN - GAP * (len(row) - 1)) // len(row)
        for place, name in enumerate(row):
            boxes[name] = box = Box(name, width)
            box.x, box.y = MARGIN + place * (width + GAP), y
        height = max(boxes[name].height for name in row)
        drawn += [boxes[name].svg(height) for name in row]
        for name in row:
            boxes[name].bottom = y + height
        y += height + (BETWEEN if row in rows else GAP)
    arrows = [_arrow(boxes[need], boxes[name]) for name in core for need in boxes[name].course.prerequisites]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" '
        'font-family="Helvetica, Arial, DejaVu Sans, sans-serif">\n<title>Map of the course</title>\n'
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{EDGE}"/></marker></defs>'
    )
    return "\n".join([head, *arrows, *drawn, "</svg>"]) + "\n"


def table() -> str:
    """The README's table of lessons.

    Raises
    ------
    LookupError
        Where `docs/lessons.toml` does not say what a learner has after a lesson.
    """
    outcomes = tomllib.loads(OUTCOMES.read_text(encoding="utf-8"))
    lines = ["| lesson | question | what you have at the end | lecture + lab | runs in |", "|:---|:---|:---|:---|:---|"]
    for path in catalogue.lessons():
        name = catalogue.lesson_name(path)
        course = metadata(name)
        if name not in outcomes:
            raise LookupError(f'{OUTCOMES.name} does not say what one has after a lesson; add: "{name}" = "..."')
        minutes = f"{course.lecture_minutes} + {course.lab_minutes} min"
        link = f"[{course.title}](notebooks/{name}.ipynb)"
        lines.append(f"| {link} | {course.question} | {outcomes[name]} | {minutes} | {course.cpu_seconds} s |")
    return "\n".join(lines)


def _rows(core: list[str]) -> list[list[str]]:
    """The lessons by how many others come before them."""
    depth: dict[str, int] = {}
    for name in core:
        needs = [need for need in metadata(name).prerequisites if need in depth]
        depth[name] = 1 + max((depth[need] for need in needs), default=-1)
    return [[name for name in core if depth[name] == level] for level in range(max(depth.values()) + 1)]


def _arrow(start: Box, end: Box) -> str:
    """A line from the bottom of one box to the top of another, where they lie above each other."""
    left, right = max(start.x, end.x), min(start.x + start.width, end.x + end.width)
    x = (left + right) // 2
    return (
        f'<line x1="{x}" y1="{start.bottom}" x2="{x}" y2="{end.y - 2}" stroke="{EDGE}" stroke-width="2" '
        'marker-end="url(#head)"/>'
    )
