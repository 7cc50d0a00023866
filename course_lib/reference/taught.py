"""Where is X taught: what the lessons use of the library, from the library's docstrings and the lessons' code."""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from course_lib.reference.passages import all_passages, link

TAUGHT = re.compile(r"\b(?:\d\d_[a-z_]+|electives/[a-z_]+)")
SENTENCE_END = re.compile(r"(?<!et al\.)(?<=[.!?])\s+(?=[A-Z`$])")
HEAD = """\
# Where is it taught?

The classes and functions of `course_lib` that the lessons use. "Taught in" is what their docstrings say: there the
thing is derived or built by hand. A dash marks a tool that no lesson takes apart.

Made by `course docs` from the docstrings and from the code of the lessons.
"""


@dataclass
class Taught:
    """A class or function of the library that a lesson uses.

    Attributes
    ----------
    module : str
        Module that defines it.
    name : str
        Its name.
    thing : object
        The class or function itself.
    lessons : list of str
        The lessons that use it, in order.
    """

    module: str
    name: str
    thing: Any
    lessons: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where it is in its room: `bundle.write`."""
        return ".".join([*self.module.split(".")[2:], self.name])

    @property
    def sentence(self) -> str:
        """First sentence of its docstring."""
        text = " ".join((inspect.getdoc(self.thing) or "").split("\n\n")[0].split())
        return SENTENCE_END.split(text, maxsplit=1)[0].rstrip(".")

    @property
    def taught(self) -> list[str]:
        """Lessons that its docstring, or that of its module, names as the place, and that do speak of it."""
        for text in (self.thing.__doc__ or "", sys.modules[self.module].__doc__ or ""):
            _, found, place = text.partition("Taught in")
            if found:
                return [lesson for lesson in TAUGHT.findall(place) if speaks_of(lesson, self.name)]
        return []


def used() -> list[Taught]:
    """The classes and functions of the library that lessons import or call, by module and name."""
    found: dict[tuple[str, str], Taught] = {}
    modules: dict[str, dict[str, Any]] = {}
    for passage in all_passages():
        if passage.is_code:
            known = modules.setdefault(passage.lesson, {"lesson": _imported("course_lib", "lesson")})
            for module, name, thing in _used_in(passage.text, known):
                one = found.setdefault((module, name), Taught(module, name, thing))
                if passage.lesson not in one.lessons:
                    one.lessons.append(passage.lesson)
    return [found[key] for key in sorted(found)]


def speaks_of(lesson: str, name: str) -> bool:
    """Whether a lesson says a name, in code or in words: `bootstrap_interval` or "bootstrap interval"."""
    said = re.compile(rf"\b{name.replace('_', '[_ -]')}\b", re.IGNORECASE)
    return any(said.search(passage.text) for passage in all_passages() if passage.lesson == lesson)


def page() -> str:
    """The page `docs/taught.md`."""
    lines = [HEAD]
    room = None
    for one in used():
        if (new := ".".join(one.module.split(".")[:2])) != room:
            room = new
            about = " ".join((importlib.import_module(room).__doc__ or "").split("\n\n")[0].split())
            about = SENTENCE_END.split(about)[0]
            lines += [f"\n## {room.removeprefix('course_lib.')}\n", f"{about}\n"]
            lines += ["| name | what it is | taught in | used in |", "|:---|:---|:---|:---|"]
        numbers = [", ".join(_short(lesson) for lesson in some) for some in (one.taught, one.lessons)]
        lines.append(
            f"| `{one.path}` | {one.sentence.replace('|', chr(92) + '|')} | {numbers[0] or '-'} | {numbers[1]} |"
        )
    return "\n".join(lines) + "\n"


def _short(lesson: str) -> str:
    number = lesson.rpartition("/")[2].partition("_")[0]
    text = number if number.isdigit() else lesson.rpartition("/")[2]
    return f"[{text}]({link(lesson).partition('](')[2]}"


def _used_in(source: str, modules: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Module, name and object of what a cell imports from the library or calls of its modules, which are noted."""
    tree = ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", source, flags=re.MULTILINE))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_lib"):
            for alias in node.names:
                thing = _imported(str(node.module), alias.name)
                if inspect.ismodule(thing):
                    modules[alias.asname or alias.name] = thing
                found.append((alias.name, thing))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.append((node.attr, getattr(modules[node.value.id], node.attr)))
    for name, thing in found:
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__.startswith("course_lib"):
            yield thing.__module__, name, thing


def _imported(package: str, name: str) -> Any:
    """What `from package import name` gives."""
    module = importlib.import_module(package)
    return getattr(module, name) if hasattr(module, name) else importlib.import_module(f"{package}.{name}")
