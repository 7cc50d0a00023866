"""Cut a lesson's cells so that each fits a slide: long texts between blocks, long code between its paragraphs."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from nbformat import NotebookNode

from course_lib.notebooks import catalogue, slideshow

T = TypeVar("T")
CLOSERS = {"```": "```", "~~~": "~~~", "$$": "$$", "<details": "</details>"}


def paged(notebook: NotebookNode) -> NotebookNode:
    """A copy of the notebook whose cells fit a slide where they can, with slide types and running titles."""
    pages = copy.deepcopy(notebook)
    pages.cells = [piece for cell in notebook.cells for piece in _pieces(cell)]
    slideshow.assign(pages)
    title = ""
    for cell in pages.cells:
        own = catalogue.section(cell)
        title = own or title
        if cell.metadata.slideshow.slide_type in {"slide", "subslide"}:
            data = {} if own else {"section": title}
            data |= {"dense": "yes"} if slideshow.height(cell) > slideshow.ROOM else {}
            cell.metadata.slideshow["data"] = data
    return pages


def _pieces(cell: NotebookNode) -> Iterator[NotebookNode]:
    pieces = _texts(cell) if cell.cell_type == "markdown" else _codes(cell)
    for number, piece in enumerate(pieces):
        piece.id = f"{cell.id}-part-{number}" if number else cell.id
        if number and {"slide-new", "slide-sub"} & set(catalogue.tags(cell)):
            piece.metadata["tags"] = [tag for tag in catalogue.tags(cell) if not tag.startswith("slide-")]
        yield piece


def _texts(cell: NotebookNode) -> Iterator[NotebookNode]:
    """A markdown cell as pieces: one for each heading, and as many more as its blocks need."""
    groups: list[list[str]] = [[]]
    for block in blocks(cell.source):
        if block.startswith("#") and groups[-1]:
            groups.append([])
        groups[-1].append(block)
    for group in groups:
        for page in _packed(group, _text_height):
            yield _with_source(cell, "\n".join(page).strip("\n"))


def _text_height(group: Sequence[str]) -> int:
    return sum(slideshow.block_height(block) for block in group)


def _codes(cell: NotebookNode) -> Iterator[NotebookNode]:
    """A code cell as pieces: itself if it fits, else cut between its paragraphs, the last of them with the outputs.

    Code that does nothing but draw the figure gives way to it.
    """
    if slideshow.height(cell) <= slideshow.ROOM:
        yield copy.deepcopy(cell)
        return
    draws = cell.source.startswith("fig") and any("image/png" in one.get("data", {}) for one in cell.outputs)
    paragraphs = [] if draws else cell.source.split("\n\n")
    parts = [*paragraphs, *cell.outputs]
    pages = _packed(parts[::-1], lambda page: slideshow.height(_piece(cell, page[::-1])))
    yield from [_piece(cell, page[::-1]) for page in pages][::-1]


def _piece(cell: NotebookNode, parts: Sequence[str | NotebookNode]) -> NotebookNode:
    """The code cell with some of its paragraphs (texts) and some of its outputs."""
    piece = _with_source(cell, "\n\n".join(part for part in parts if isinstance(part, str)).strip("\n"))
    piece.outputs = [part for part in parts if not isinstance(part, str)]
    if not piece.source:
        piece.source = cell.source
        piece.metadata["transient"] = {"remove_source": True}
    return piece


def _with_source(cell: NotebookNode, source: str) -> NotebookNode:
    piece = copy.deepcopy(cell)
    piece.source = source
    return piece


def _packed(parts: Sequence[T], height: Callable[[Sequence[T]], int]) -> Iterator[list[T]]:
    """The parts in groups that fit a slide, in their order; a part that is too tall stands alone."""
    page: list[T] = []
    for part in parts:
        if page and height([*page, part]) > slideshow.ROOM:
            yield page
            page = []
        page.append(part)
    if page:
        yield page


def blocks(text: str) -> list[str]:
    """Blocks of a markdown text, each with the blank line that ends it; the items of a list are blocks of their own."""
    found: list[str] = []
    closer, fresh = "", True
    for line in text.split("\n"):
        is_item = line.startswith(("- ", "* ")) or line.partition(". ")[0].isdigit()
        if closer or not (fresh or is_item) or (line.startswith("  ") and found):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
        closer = _closer(line, closer)
        fresh = not closer and (not line.strip() or line.startswith("#"))
    return found


def _closer(line: str, closer: str) -> str:
    """What ends the listing, formula or folded text that a line begins, continues or ends; empty outside of them."""
    if closer:
        return "" if closer in line else closer
    opener = next((mark for mark in CLOSERS if line.lstrip().startswith(mark)), None)
    if opener is None:
        return ""
    rest = line.lstrip()[len(opener) :]
    return "" if CLOSERS[opener] in rest else CLOSERS[opener]
