"""Stored outputs of code cells: what they say, and what must not be in them."""

import re
from collections.abc import Iterator

from nbformat import NotebookNode

ABSOLUTE_PATH = re.compile(r"(?<![\w.])(?:/(?:work|root|home|tmp|Users|content|private)/|[A-Za-z]:\\)[\w.\\/-]*")
WARNING = re.compile(r"\b\w*warning\b|\bdeprecated\b", re.IGNORECASE)
UNSTABLE = {
    "an object's address": re.compile(r"\b0x[0-9a-fA-F]{6,}\b"),
    "a progress bar": re.compile(r"\d+%\|| ?(?:it|s)/(?:s|it)\b"),
    "a random identifier": re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    "the name of a device": re.compile(r"\bcuda(:\d+)?\b|\bmps:\d+\b"),
}
COMPARED_IMAGE = "image/svg+xml"  # nbval skips image/png, but compares this as text


def texts(output: NotebookNode) -> list[str]:
    """Everything in one output that a reader sees as text."""
    if output.output_type == "stream":
        return [output.text]
    if output.output_type == "error":
        return [f"{output.ename}: {output.evalue}", *output.traceback]
    return [str(content) for kind, content in output.data.items() if kind.startswith("text/")]


def has_text(cell: NotebookNode) -> bool:
    """Whether the cell has an output that nbval can compare and that is not only the name of a figure."""
    return any(_is_text(output) for output in cell.outputs)


def _is_text(output: NotebookNode) -> bool:
    if output.output_type == "stream":
        return bool(output.name == "stdout" and output.text.strip())
    return output.output_type == "error" or not any(kind.startswith("image/") for kind in output.data)


def defects(cell: NotebookNode, checked: bool) -> Iterator[str]:
    """What is wrong with the outputs of a code cell; stricter where nbval compares them."""
    for output in cell.outputs:
        if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
            yield f"stored output is an error, {output.ename}: {output.evalue}"
        text = "\n".join(texts(output))
        if found := ABSOLUTE_PATH.search(text):
            yield f"stored output shows a path of one machine, {found[0]}"
        if output.output_type == "stream" and output.name == "stderr" and (found := WARNING.search(text)):
            yield f"stored output shows a warning ({found[0]}); fix its cause"
        if checked:
            yield from _unstable(output, text)


def _unstable(output: NotebookNode, text: str) -> Iterator[str]:
    for what, pattern in UNSTABLE.items():
        if found := pattern.search(text):
            yield f"stored output has {what} ({found[0]}), which changes from run to run; print less or tag the cell"
    if COMPARED_IMAGE in output.get("data", {}):
        yield "stored output has an SVG figure, which changes from run to run; tag the cell"
