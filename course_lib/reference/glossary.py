"""The glossary: terms in English and Chinese, each with the place in the lessons where it is introduced."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from course_lib.reference.passages import DOCS, Passage, all_passages, link

DATA = DOCS / "glossary.toml"
MAP = "6 · The map"  # lesson 00 names there what later lessons explain
HEAD = """\
# Glossary

{count} terms, with their Chinese names (中文). Each entry ends with the place where the course introduces the term.

Made by `course docs` from `docs/glossary.toml`; the places are found by searching the lessons.

{index}
"""


@dataclass(frozen=True)
class Term:
    """An entry of the glossary.

    Attributes
    ----------
    term : str
        In English.
    chinese : str
        In simplified Chinese.
    definition : str
        One or two sentences in Markdown.
    pattern : str
        Regular expression that finds the term in a lesson, if its name alone does not.
    """

    term: str
    chinese: str
    definition: str
    pattern: str = ""

    @property
    def expression(self) -> str:
        """Regular expression that finds the term."""
        return self.pattern or rf"\b{re.escape(self.term)}".replace(r"\ ", r"\s+")


def terms() -> list[Term]:
    """The entries in alphabetical order."""
    entries = tomllib.loads(DATA.read_text(encoding="utf-8"))["term"]
    return sorted((Term(**entry) for entry in entries), key=lambda one: one.term.lower())


def introduced(term: Term) -> Passage:
    """Where the lessons introduce a term: in bold, in a heading, or else where it first occurs.

    Raises
    ------
    LookupError
        Where no lesson says the term.
    """
    places = list(_places())
    for wanted in (rf"\*\*[^*\n]*{term.expression}[^*\n]*\*\*|^#.*{term.expression}", term.expression):
        for passage in places:
            text = f"# {passage.section}\n{passage.text}" if wanted != term.expression else passage.text
            if re.search(wanted, text, re.IGNORECASE | re.MULTILINE):
                return passage
    raise LookupError(f"no lesson says '{term.term}'; change {DATA.name}, or give the entry a pattern")


def page() -> str:
    """The page `docs/glossary.md`."""
    entries = terms()
    letters = sorted({one.term[0].upper() for one in entries})
    index = " · ".join(f"[{letter}](#{letter.lower()})" for letter in letters)
    lines = [HEAD.format(count=len(entries), index=index)]
    for letter in letters:
        lines.append(f"## {letter}\n")
        for one in entries:
            if one.term[0].upper() == letter:
                place = introduced(one)
                where = link(place.lesson, place.section)
                lines.append(f"**{one.term}** ({one.chinese}). {one.definition} *{where}*\n")
    return "\n".join(lines)


def _places() -> Iterator[Passage]:
    for passage in all_passages():
        if not (passage.is_code or passage.is_ending or passage.section == MAP):
            yield passage
