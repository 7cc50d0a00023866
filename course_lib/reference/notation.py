"""The notation table: what each symbol of the lessons means, its shape, and its name in code."""

import tomllib
from dataclasses import dataclass
from typing import Any

from course_lib.reference.mathematics import symbols
from course_lib.reference.passages import DOCS, all_passages, link

DATA = DOCS / "notation.toml"
HEAD = """\
# Notation

What the symbols of the lessons mean. Vectors are columns: $h_u^\\top h_i$ is a number. A matrix is a capital letter,
and its row for user $u$ is the small letter with an index. A superscript in brackets, as in $H^{(l)}$, names a layer.
A prime, as in $h_v'$, is the next state of the same thing. A hat marks what is normalised, estimated or predicted.

Made by `course docs` from `docs/notation.toml`; a test compares the symbols with the mathematics of all lessons.
"""
REUSED = """\
## One letter, several meanings

The field reuses letters, and the lessons keep the letters of the papers. Inside one lesson the sentence around a
formula says which is meant. In brackets: the lessons.
"""


@dataclass(frozen=True)
class Symbol:
    """A row of the table.

    Attributes
    ----------
    group : str
        Heading under which it stands.
    show : str
        The symbol in Markdown.
    forms : tuple of str
        How the lessons write it, as `mathematics.symbols` finds it.
    meaning : str
        What it is.
    shape : str
        Shape, or the kind of number.
    code : str
        Its name in the code of the lessons, if it has one.
    lessons : tuple of str
        Lessons in which it has this meaning; all if empty.
    """

    group: str
    show: str
    forms: tuple[str, ...]
    meaning: str
    shape: str = ""
    code: str = ""
    lessons: tuple[str, ...] = ()

    def holds_in(self, lesson: str) -> bool:
        """Whether it can have this meaning in a lesson."""
        return not self.lessons or lesson in self.lessons


def table() -> list[Symbol]:
    """The rows, in the order of the file."""
    rows = []
    for group in tomllib.loads(DATA.read_text(encoding="utf-8"))["group"]:
        for one in group["symbol"]:
            lists: dict[str, Any] = {key: tuple(one[key]) for key in ("forms", "lessons") if key in one}
            rows.append(Symbol(**{**one, **lists, "group": group["title"]}))
    return rows


def occurrences() -> dict[str, dict[str, None]]:
    """The symbols in the mathematics of the lessons, each with the lessons that use it, in order."""
    found: dict[str, dict[str, None]] = {}
    for passage in all_passages():
        if not passage.is_code:
            for symbol in symbols(f"{passage.section}\n{passage.text}"):
                found.setdefault(symbol, {})[passage.lesson] = None
    return found


def unlisted() -> list[str]:
    """The symbols of the lessons that no row explains, each with its lesson, such as `\\xi in 01_data`."""
    rows = table()
    return [
        f"{symbol} in {lesson}"
        for symbol, lessons in occurrences().items()
        for lesson in lessons
        if not any(symbol in row.forms and row.holds_in(lesson) for row in rows)
    ]


def lessons_of(row: Symbol, found: dict[str, dict[str, None]]) -> list[str]:
    """The lessons that use a symbol in the sense of a row, in order; `found` is what `occurrences` gives."""
    used = {lesson for form in row.forms for lesson in found.get(form, {}) if row.holds_in(lesson)}
    return [lesson for lesson in dict.fromkeys(passage.lesson for passage in all_passages()) if lesson in used]


def page() -> str:
    """The page `docs/notation.md`.

    Raises
    ------
    LookupError
        Where a row stands in no lesson.
    """
    rows, found, lines, group = table(), occurrences(), [HEAD], None
    for row in rows:
        if row.group != group:
            group = row.group
            lines += [f"\n## {group}\n", "| symbol | meaning | shape or kind | in code | first in |"]
            lines.append("|:---|:---|:---|:---|:---|")
        places = lessons_of(row, found)
        if not places:
            raise LookupError(f"no lesson uses {row.show} ({', '.join(row.forms)}) as {DATA.name} says; mend the row")
        code = f"`{row.code}`" if row.code else ""
        lines.append(f"| {row.show} | {row.meaning} | {row.shape} | {code} | {link(places[0])} |")
    return "\n".join([*lines, "", REUSED, *_reused(rows, found)]) + "\n"


def _reused(rows: list[Symbol], occurring: dict[str, dict[str, None]]) -> list[str]:
    """One line for each form that stands in more than one row."""
    found: dict[str, list[str]] = {}
    for row in rows:
        lessons = ", ".join(lesson.rpartition("/")[2].partition("_")[0] for lesson in lessons_of(row, occurring))
        for form in row.forms:
            together = f"{row.show}, " if len(row.forms) > 1 else ""
            found.setdefault(form, []).append(f"{together}{row.meaning.partition(';')[0]} ({lessons})")
    return [f"- ${form}$: {'; '.join(several)}" for form, several in sorted(found.items()) if len(several) > 1]
