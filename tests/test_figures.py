"""Figures have words for those who cannot see them."""

import base64
import re
import struct

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib import notebooks, render, slides
from course_lib.notebooks import catalogue, figures


def drawn(source: str) -> NotebookNode:
    output = new_output("display_data", data={"image/png": "aGVsbG8=", "text/plain": "<Figure>"})
    return new_code_cell(source, outputs=[output])


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('%matplotlib inline\nax.set(xlabel="k", title="The index buys speed")', "Figure: The index buys speed"),
        ('left.set_title("What counts")\nfig.suptitle("Ties")', "Figure: What counts; Ties"),
        ('ax.set_title(f"Layer {layer}")', "Figure: 3 · The spectral view"),
    ],
)
def test_a_figure_says_its_titles_or_else_its_section(source: str, text: str) -> None:
    cell = drawn(source)
    printed = new_code_cell("print(1)", outputs=[new_output("stream", text="1\n")])
    figures.describe(new_notebook(cells=[new_markdown_cell("## 3 · The spectral view\n\nText."), cell, printed]))
    assert cell.outputs[0].metadata["image/png"]["alt"] == text
    assert cell.metadata["mystnb"]["image"]["alt"] == text
    assert "mystnb" not in printed.metadata


def test_deck_and_page_show_the_text() -> None:
    cell = drawn('ax.set(title="A title < 3")')
    size = struct.pack(">4sII", b"IHDR", 90, 60)  # the head of a PNG says how large it is
    cell.outputs[0].data["image/png"] = base64.b64encode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\r" + size).decode()
    notebook = new_notebook(cells=[cell], metadata={"course": {"title": "A lesson"}})
    for page in (render._page(notebook, "A lesson", ""), slides._deck(notebook)):
        [image] = re.findall(r"<img[^>]*>", page)
        assert 'alt="Figure: A title &lt; 3"' in image
        assert f'src="data:image/png;base64,{cell.outputs[0].data["image/png"]}"' in image


def test_every_figure_of_the_course_says_something() -> None:
    described = 0
    for path in notebooks.lessons():
        notebook = catalogue.read(path)
        figures.describe(notebook)
        for cell in notebook.cells:
            if "mystnb" in cell.metadata:
                described += 1
                assert len(cell.metadata["mystnb"]["image"]["alt"]) > len("Figure: ") + 4
    assert described > 40
