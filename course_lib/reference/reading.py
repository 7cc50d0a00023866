"""The reading list: what to read after which lesson, and why."""

import re
import tomllib
from dataclasses import dataclass

from course_lib.notebooks import catalogue
from course_lib.reference.passages import DOCS, all_passages, link

DATA = DOCS / "reading.toml"
HEAD = """\
# Reading list

Books, papers and documentation, {count} in all, each under the first lesson that uses it. The line below each says why
to read it, and which part. Start with those marked **first**.

Made by `course docs` from `docs/reading.toml`; a test checks that no reference of a lesson is missing.
"""


@dataclass(frozen=True)
class Reading:
    """An entry of the list.

    Attributes
    ----------
    cite : str
        Authors, year, title in asterisks, place, in Markdown.
    why : str
        Why to read it, and which part.
    lesson : str
        Where to list it, if no lesson cites it.
    first : bool
        Whether to start with it.
    """

    cite: str
    why: str
    lesson: str = ""
    first: bool = False

    @property
    def title(self) -> str:
        """The title, in small letters and up to a colon or question mark, as references shorten it."""
        found = re.search(r"\*([^*]+)\*", self.cite)
        return key_of(found[1]) if found else ""


def key_of(title: str) -> str:
    """A title as it is compared: small letters, up to the first colon or question mark."""
    return re.split(r"[:?]", title)[0].lower().strip()


def entries() -> list[Reading]:
    """The entries in the order of the file."""
    return [Reading(**one) for one in tomllib.loads(DATA.read_text(encoding="utf-8"))["reading"]]


def references() -> dict[str, list[str]]:
    """The references of each lesson, a line each, without the bullet."""
    found: dict[str, list[str]] = {}
    for passage in all_passages():
        if passage.section.lower() == "references" and not passage.is_code:
            found.setdefault(passage.lesson, []).extend(re.findall(r"^- (.+)$", passage.text, re.MULTILINE))
    return found


def lesson_of(one: Reading) -> str:
    """The lesson under which an entry stands: its own, or the first that cites its title.

    Raises
    ------
    LookupError
        Where neither is there.
    """
    citing = [
        lesson for lesson, lines in references().items() if any(f"*{one.title}" in line.lower() for line in lines)
    ]
    if not (citing or one.lesson):
        raise LookupError(f"no lesson cites '{one.title}'; give the entry in {DATA.name} a lesson")
    return one.lesson or citing[0]


def page() -> str:
    """The page `docs/reading.md`."""
    every = entries()
    lines = [HEAD.format(count=len(every))]
    for lesson in [catalogue.lesson_name(path) for path in catalogue.lessons()]:
        here = [one for one in every if lesson_of(one) == lesson]
        if here:
            lines.append(f"## {link(lesson)}\n")
            lines += [f"- {'**first** · ' if one.first else ''}{one.cite}.\n  {one.why}" for one in here]
            lines.append("")
    return "\n".join(lines)
