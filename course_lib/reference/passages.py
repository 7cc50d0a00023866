"""What the lessons say, section by section: the ground that the pages under docs/ are made from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nbformat import NotebookNode

from course_lib.notebooks import catalogue
from course_lib.notebooks.linting import ENDING
from course_lib.paths import ROOT

DOCS = ROOT / "docs"
GENERATED = {catalogue.HEADER_TAG, catalogue.SETUP_TAG}
SECTION = re.compile(r"^## +(.+)$", re.MULTILINE)
BEGINNING = "beginning"


@dataclass(frozen=True)
class Passage:
    """A piece of a lesson that lies in one section and in one cell.

    Attributes
    ----------
    lesson : str
        Name of the lesson, such as `03_graph_convolution`.
    section : str
        Heading of the section without marks, such as `4 · LightGCN`; `beginning` before the first one.
    text : str
        Markdown or Python source.
    is_code : bool
        Whether it is a code cell.
    """

    lesson: str
    section: str
    text: str
    is_code: bool

    @property
    def is_ending(self) -> bool:
        """Whether it belongs to takeaways, questions, outlook or references."""
        return self.section.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'") in ENDING


@cache
def all_passages() -> tuple[Passage, ...]:
    """The passages of all lessons in order, without headers and set-up cells."""
    return tuple(passage for path in catalogue.lessons() for passage in passages(path))


def passages(path: Path) -> Iterator[Passage]:
    """The passages of one lesson, without its header and set-up cell."""
    lesson, section = catalogue.lesson_name(path), BEGINNING
    for cell in catalogue.read(path).cells:
        if GENERATED & set(catalogue.tags(cell)):
            continue
        if cell.cell_type == "code":
            yield Passage(lesson, section, cell.source, is_code=True)
        elif cell.cell_type == "markdown":
            before, *rest = SECTION.split(catalogue.FENCED.sub("", cell.source))
            for title, text in [(section, before), *zip(rest[::2], rest[1::2], strict=True)]:
                section = title.replace("`", "").strip()
                yield Passage(lesson, section, text, is_code=False)


@cache
def metadata(lesson: str) -> NotebookNode:
    """The `course` metadata of a lesson."""
    (path,) = catalogue.lessons([lesson])
    return catalogue.read(path).metadata.course


def link(lesson: str, section: str | None = None) -> str:
    """A Markdown link from a page under docs/ to a lesson, with the section in words.

    Anchors inside notebooks differ between GitHub, Jupyter and a built site, so none is used.
    """
    linked = f"[{metadata(lesson).title}](../notebooks/{lesson}.ipynb)"
    if section is None:
        return linked
    return f"{linked}, {section if section == BEGINNING else 'section ' + section}"
