"""The pages that the course makes of itself: glossary, notation, where what is taught, reading list, results, map."""

import re
from collections.abc import Callable
from pathlib import Path

from course_lib import teaching
from course_lib.paths import ROOT
from course_lib.reference import course_map, glossary, notation, reading, results, taught

README = "README.md"
README_PARTS: dict[str, Callable[[], str]] = {"lessons": course_map.table, "results": results.excerpt}


def readme() -> str:
    """The README with the parts between its markers `<!-- NAME:start -->` and `<!-- NAME:end -->` made anew.

    Raises
    ------
    ValueError
        Where a pair of markers is missing.
    """
    text = (ROOT / README).read_text(encoding="utf-8")
    for name, make in README_PARTS.items():
        part = re.compile(rf"(<!-- {name}:start -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        if len(part.findall(text)) != 1:
            raise ValueError(f"{README} must hold <!-- {name}:start --> and, below it, <!-- {name}:end --> once")
        start, end = part.findall(text)[0]
        text = part.sub(f"{start}{make()}\n{end}".replace("\\", r"\\"), text)
    return text


PAGES: dict[str, Callable[[], str]] = {
    "docs/glossary.md": glossary.page,
    "docs/notation.md": notation.page,
    "docs/taught.md": taught.page,
    "docs/reading.md": reading.page,
    "docs/results.md": results.page,
    "docs/teaching.md": teaching.page,
    "docs/images/course-map.svg": course_map.svg,
    README: readme,
}


def stale() -> dict[Path, str]:
    """The pages that differ from what would be made today, with what they should hold."""
    made = {ROOT / name: make() for name, make in PAGES.items()}
    return {path: text for path, text in made.items() if not path.is_file() or path.read_text("utf-8") != text}


def write() -> list[Path]:
    """Write the pages that are stale; returns them."""
    found = stale()
    for path, text in found.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(found)
