"""The rules of the house: small files and functions, documented, tidy, typed, and silent about where they were made."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_lib.paths import ROOT

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
CODE = sorted(path for folder in ("course_lib", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
LIBRARY = [path for path in CODE if path.is_relative_to(ROOT / "course_lib")]
NOT_OURS = {".git", ".venv", ".hypothesis", ".ipynb_checkpoints", "__pycache__", "build", "runs"}
FORBIDDEN = re.compile(
    rf"{re.escape(ROOT.as_posix())}/|(?<![\w.])/(?:root|home/\w+)/|\bissue #?\d{{1,2}}\b"
    r"|\b(?:pypi|npmjs|pythonhosted)\.(?:org|com)\b",
    re.IGNORECASE,
)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the product but this one, whether git knows it or not."""
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        foreign = NOT_OURS.intersection(parts) or any(part.endswith(("_cache", ".egg-info")) for part in parts)
        if path.is_file() and not foreign and path != Path(__file__):
            content = path.read_bytes()
            if b"\0" not in content:
                yield path, content.decode("utf-8", errors="replace")


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring aside."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function):
        lines -= (function.body[0].end_lineno or 0) - function.body[0].lineno + 1
    return lines


def long_functions(tree: ast.AST) -> list[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [function for function in functions if length(function) > MAX_FUNCTION_LINES]
    return [f"{function.name}, line {function.lineno}: {length(function)} lines" for function in long]


def is_property(node: Definition) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list)


def is_signature(node: Definition) -> bool:
    """Whether only `...` follows: a method of a protocol, which its class describes."""
    return isinstance(node.body[0], ast.Expr) and ast.unparse(node.body[0]) == "..."


def undocumented(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    """Public classes, functions and methods without a docstring; a property is an attribute and may go without."""
    for child in node.body:
        if isinstance(child, Definition) and not child.name.startswith("_"):
            if is_property(child) or is_signature(child):
                continue
            if not ast.get_docstring(child):
                yield f"{prefix}{child.name}, line {child.lineno}"
            if isinstance(child, ast.ClassDef):
                yield from undocumented(child, f"{prefix}{child.name}.")


@pytest.mark.parametrize("path", CODE, ids=name)
def test_files_and_functions_are_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= MAX_FILE_LINES
    assert long_functions(ast.parse(source)) == []


@pytest.mark.parametrize("path", LIBRARY, ids=name)
def test_public_things_of_the_library_are_documented(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module says nothing about itself"
    assert list(undocumented(tree)) == []


def test_nothing_tells_where_the_course_was_made() -> None:
    found = []
    for path, text in texts():
        for number, line in enumerate(text.splitlines(), start=1):
            if hit := FORBIDDEN.search(line):
                found.append(f"{name(path)}:{number}: {hit[0]}")
    assert found == []


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
    ids=" ".join,
)
def test_tools_are_content(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checks_themselves_find_something() -> None:
    long = "def f():\n    '''Doc.\n\n    More.\n    '''\n" + "    x = 1\n" * 40
    assert long_functions(ast.parse(long)) == ["f, line 1: 41 lines"]
    tree = ast.parse(
        "class A:\n    '''Doc.'''\n    def b(self): return 1\n    def _c(self): return 1\ndef d(): return 1\n"
        "class P:\n    '''Doc.'''\n    def e(self): ..."
    )
    assert list(undocumented(tree)) == ["A.b, line 3", "d, line 5"]
    assert FORBIDDEN.search(f"see {ROOT.as_posix()}/x") and not FORBIDDEN.search("issue a warning; notebooks/x")
