"""Slides: the rules that make them, and a whole deck in a browser without a network."""

import base64
import struct
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Browser

from course_lib import notebooks, slides
from course_lib.notebooks import catalogue, slide_pages, slideshow

pytest_plugins = ["page_room"]
MAX_SCROLLED = 0.03  # of the slides of a deck
LOOK = """async () => {
    await new Promise(done => MathJax.Hub.Queue(() => done()))
    const slide = Reveal.getCurrentSlide()
    const box = slide.getBoundingClientRect()
    return {
        text: slide.innerText,
        prose: [...slide.querySelectorAll('p, li, td')].map(one => one.innerText).join('\\n'),
        outside: box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth,
        sideways: slide.scrollWidth > slide.clientWidth,
        scrolled: slide.scrollHeight > slide.clientHeight,
        code: [...slide.querySelectorAll('.highlight pre')].map(one => parseFloat(getComputedStyle(one).fontSize)),
        formulas: slide.querySelectorAll('.MathJax').length,
        errors: slide.querySelectorAll('.MathJax_Error, .merror').length,
        figures: [...slide.querySelectorAll('img')].map(one => one.naturalWidth && one.getBoundingClientRect().width),
        last: Reveal.isLastSlide(),
    }
}"""


def figure(width: int, height: int) -> NotebookNode:
    """An output that is a figure, as far as its size goes."""
    png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", width, height)
    return new_output("display_data", data={"image/png": base64.b64encode(png).decode()})


def kinds(*cells: NotebookNode) -> list[str]:
    """Slide types that the rules give."""
    notebook = new_notebook(cells=list(cells))
    slideshow.assign(notebook)
    return [cell.metadata.slideshow.slide_type for cell in notebook.cells]


def tagged(cell: NotebookNode, *tags: str) -> NotebookNode:
    """The cell with tags."""
    cell.metadata["tags"] = list(tags)
    return cell


def test_headings_start_slides_and_what_fits_stays_below_them() -> None:
    cells = [new_markdown_cell(text) for text in ("# Title\n\nQuestion", "## Section", "Words.", "### Part", "More.")]
    assert kinds(*cells, new_code_cell("print(1)")) == ["slide", "slide", "-", "subslide", "-", "-"]


def test_what_is_not_for_a_lecture_is_left_out() -> None:
    setup = tagged(new_code_cell("start()"), catalogue.SETUP_TAG)
    exercise = tagged(new_markdown_cell("### Exercise 03.1"), "exercise-03.1")
    quiz = tagged(new_code_cell("quiz()"), "course-questions")
    ends = [new_markdown_cell(text) for text in ("## Check your understanding", "1. Why?", "## References", "- One")]
    after = new_markdown_cell("## Takeaways")
    assert kinds(setup, exercise, quiz, *ends, after) == ["skip"] * 7 + ["slide"]


def test_what_no_longer_fits_starts_a_slide_below() -> None:
    long = new_code_cell("\n".join("x = 1" for _ in range(18)))
    drawn = new_code_cell("draw()", outputs=[figure(800, 400)])
    assert kinds(new_markdown_cell("## Section"), long, drawn) == ["slide", "-", "subslide"]
    assert kinds(new_markdown_cell("## Section"), new_code_cell("draw()", outputs=[])) == ["slide", "-"]


@pytest.mark.parametrize(("tag", "kind"), slideshow.TAGS.items())
def test_a_tag_overrides_the_rule(tag: str, kind: str) -> None:
    first = new_markdown_cell("## Section")
    assert kinds(first, tagged(new_markdown_cell("Words."), tag))[1] == kind
    assert kinds(first, tagged(new_code_cell("quiz()"), "course-questions", tag))[1] == kind


def test_the_rules_say_the_same_twice() -> None:
    notebook = catalogue.read(notebooks.lessons(["06"])[0])
    slideshow.assign(notebook)
    once = [cell.metadata.slideshow.copy() for cell in notebook.cells]
    slideshow.assign(notebook)
    assert [cell.metadata.slideshow for cell in notebook.cells] == once


def test_figures_are_large_and_keep_their_shape() -> None:
    width, height = slideshow.figure_size(figure(800, 400).data["image/png"])
    assert (width, height) == (1120, 560)
    assert slideshow.figure_size(figure(2000, 500).data["image/png"]) == (1168, 292)
    assert slideshow.figure_size(figure(100, 100).data["image/png"]) == (150, 150)


@pytest.mark.parametrize("path", notebooks.lessons(), ids=catalogue.lesson_name)
def test_cutting_cells_loses_nothing(path: Path) -> None:
    notebook = catalogue.read(path)
    pages = slide_pages.paged(notebook)
    assert len({cell.id for cell in pages.cells}) == len(pages.cells) > len(notebook.cells)

    def lines(cells: list[NotebookNode], kind: str) -> list[str]:
        shown = [cell.source for cell in cells if cell.cell_type == kind and not slideshow.is_output_only(cell)]
        return [line for line in "\n".join(shown).split("\n") if line.strip()]

    drawing = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.startswith("fig")]
    assert lines(pages.cells, "markdown") == lines(notebook.cells, "markdown")
    dropped = set(lines(drawing, "code"))
    assert [line for line in lines(notebook.cells, "code") if line not in dropped] == [
        line for line in lines(pages.cells, "code") if line not in dropped
    ]
    assert [one for cell in pages.cells for one in cell.get("outputs", [])] == [
        one for cell in notebook.cells for one in cell.get("outputs", [])
    ]


def test_a_folded_text_a_listing_and_a_formula_are_never_cut() -> None:
    whole = ["```python\na = 1\n\nb = 2\n```", "$$\na\n\nb\n$$", "<details>\n\n- one\n\n</details>", "- item\n\n  more"]
    for text in whole:
        assert [block.strip() for block in slide_pages.blocks(f"Before.\n\n{text}\n\nAfter.")] == [
            "Before.",
            text,
            "After.",
        ]


def test_a_deck_in_a_browser_without_a_network(browser: Browser, tmp_path: Path) -> None:
    (path,) = notebooks.lessons(["03"])
    slides.build([path], tmp_path)
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(60_000)  # milliseconds, on a busy machine
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto((tmp_path / "index.html").as_uri())
    page.get_by_role("link", name="Graph convolution").click()
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    seen = [page.evaluate(LOOK)]
    while not seen[-1]["last"]:
        page.keyboard.press("Space")
        seen.append(page.evaluate(LOOK))
    page.close()
    assert [url for url in asked if urlsplit(url).scheme in {"http", "https"}] == []
    assert len(seen) > 30
    assert [one["text"] for one in seen if one["outside"] or one["sideways"] or one["errors"]] == []
    assert [one["text"] for one in seen if "$" in one["prose"]] == []
    assert sum(one["scrolled"] for one in seen) <= MAX_SCROLLED * len(seen)
    assert sum(one["formulas"] for one in seen) > 40
    figures = [width for one in seen for width in one["figures"]]
    assert len(figures) >= 5 and min(figures) > 500
    assert min(size for one in seen for size in one["code"]) >= 16
    text = "\n".join(one["text"] for one in seen)
    assert "Set-up: finds the course library" not in text and "Kipf" in text
