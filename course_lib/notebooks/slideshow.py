"""Which cell starts a slide: written by rule into a notebook's metadata, for RISE and for the exported decks.

A title or `##` heading starts a slide, a `###` heading a slide below it, and so does a cell that no longer fits.
Set-up, exercises, questions and references are left out. A cell's tag overrides the rule; `TAGS` lists them.
"""

import base64
import re
import struct
from math import ceil

from nbformat import NotebookNode

from course_lib.notebooks import catalogue, exercise_cells

TAGS = {
    "slide-new": "slide",
    "slide-sub": "subslide",
    "slide-same": "-",
    "slide-fragment": "fragment",
    "slide-skip": "skip",
    "slide-notes": "notes",
}
RISE = {"theme": "white", "transition": "none", "center": False, "scroll": True}
LEFT_OUT = {"check your understanding", "references"}

# Sizes on a slide of 1280 x 720 pixels, as templates/slides.css sets them.
WIDTH, ROOM = 1168, 620
TEXT_LINE, TEXT_CHARACTERS = 39, 80
CODE_LINE, CODE_CHARACTERS = 27, 94
OUTPUT_LINE, OUTPUT_CHARACTERS = 24, 104
FORMULA, TABLE_ROW, GAP = 84, 46, 22
HEADINGS = {1: 84, 2: 70, 3: 58}
FIGURE_HEIGHT, FIGURE_SCALE = 560, 1.5

MARK = re.compile(r"^(#{1,6})\s+\S")
LINK_TARGET = re.compile(r"\]\([^)]*\)")
BLANK = re.compile(r"\n[ \t]*\n")


def assign(notebook: NotebookNode) -> None:
    """Write `slideshow.slide_type` into the metadata of every cell, and the settings of RISE into the notebook's."""
    notebook.metadata["rise"] = dict(RISE)
    used, section = 0, ""
    for cell in notebook.cells:
        section = catalogue.section(cell) or section
        needs = height(cell)
        kind = _kind(cell, section, fits=used > 0 and used + needs <= ROOM)
        if kind in {"slide", "subslide"}:
            used = needs
        elif kind in {"-", "fragment"}:
            used += needs
        cell.metadata["slideshow"] = {"slide_type": kind}


def _kind(cell: NotebookNode, section: str, fits: bool) -> str:
    tags = catalogue.tags(cell)
    chosen = [TAGS[tag] for tag in tags if tag in TAGS]
    if chosen:
        return chosen[0]
    left_out = section.lower() in LEFT_OUT or catalogue.SETUP_TAG in tags or exercise_cells.is_generated(cell)
    if left_out or not cell.source.strip():
        return "skip"
    level = heading_level(cell)
    if level in {1, 2}:
        return "slide"
    return "-" if fits and level != 3 else "subslide"


def heading_level(cell: NotebookNode) -> int | None:
    """Level of the heading that a markdown cell begins with; None where it begins with none."""
    found = MARK.match(cell.source) if cell.cell_type == "markdown" else None
    return len(found[1]) if found else None


def height(cell: NotebookNode) -> int:
    """Estimate of the pixels that a cell needs on a slide."""
    if cell.cell_type == "markdown":
        return sum(block_height(block) for block in BLANK.split(cell.source))
    code = 0 if is_output_only(cell) else code_height(cell.source)
    return code + sum(output_height(output) for output in cell.get("outputs", []))


def is_output_only(cell: NotebookNode) -> bool:
    """Whether the slide shows the outputs of a code cell without its source."""
    return bool(cell.metadata.get("transient", {}).get("remove_source"))


def code_height(source: str) -> int:
    """Estimate of the pixels of source code."""
    return CODE_LINE * _lines(source, CODE_CHARACTERS) + GAP


def block_height(block: str) -> int:
    """Estimate of the pixels of one block of markdown: a heading, paragraph, list, table, formula or listing."""
    text = LINK_TARGET.sub("]", block.strip())
    mark = MARK.match(text)
    if mark:
        rest = text.partition("\n")[2]
        return HEADINGS.get(len(mark[1]), TEXT_LINE) + (block_height(rest) if rest else 0)
    if text.startswith("|"):
        return TABLE_ROW * (text.count("\n") + 1) + GAP
    if text.startswith(("```", "~~~")):
        return code_height(text)
    formulas = text.count("$$") // 2
    lines = _lines(text, TEXT_CHARACTERS) + text.count(r"\\")
    return TEXT_LINE * lines + formulas * FORMULA + GAP


def output_height(output: NotebookNode) -> int:
    """Estimate of the pixels of one output."""
    data = output.get("data", {})
    if "image/png" in data:
        return figure_size(data["image/png"])[1] + GAP
    if "text/html" in data:
        return TABLE_ROW * max(1, data["text/html"].count("<tr")) + GAP
    if "text/markdown" in data:
        return sum(block_height(block) for block in BLANK.split(data["text/markdown"]))
    text = output.get("text") or data.get("text/plain") or "\n".join(output.get("traceback", []))
    return OUTPUT_LINE * _lines(text.rstrip("\n"), OUTPUT_CHARACTERS) + GAP


def figure_size(png: str) -> tuple[int, int]:
    """Width and height in pixels at which a figure (PNG, as base64) is shown: large, and within the slide."""
    width, height = struct.unpack(">II", base64.b64decode(png)[16:24])
    scale = min(WIDTH / width, FIGURE_HEIGHT / height, FIGURE_SCALE)
    return round(width * scale), round(height * scale)


def _lines(text: str, characters: int) -> int:
    """Lines of a text that wraps after so many characters."""
    return sum(max(1, ceil(len(line) / characters)) for line in text.split("\n"))
