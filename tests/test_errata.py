"""Every entry of docs/errata.md: its check fails with the wrong form and passes with the right one."""

import re

import pytest

from course_lib.paths import ROOT
from course_lib.reference.passages import all_passages

TEXT = (ROOT / "docs" / "errata.md").read_text(encoding="utf-8")
ENTRIES = dict(zip(*[iter(re.split(r"^### (.+)$", TEXT, flags=re.MULTILINE)[1:])] * 2, strict=True))
BLOCK = re.compile(r"^```python (\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LOUD = {"1 · An import that is gone": ImportError}  # all others finish, and only the check tells


def blocks(title: str) -> dict[str, str]:
    found = BLOCK.findall(ENTRIES[title])
    assert [kind for kind, _ in found if kind != "setup"] == ["wrong", "check", "right"], "what an entry must hold"
    return dict(found)


def run(*sources: str) -> None:
    names: dict[str, object] = {}
    for source in sources:
        exec(source, names)


@pytest.mark.parametrize("title", ENTRIES)
def test_the_check_finds_the_wrong_form_and_passes_the_right_one(title: str) -> None:
    code = blocks(title)
    setup = code.get("setup", "")
    if title not in LOUD:
        run(setup, code["wrong"])  # it runs without complaint
    with pytest.raises(LOUD.get(title, AssertionError)):
        run(setup, code["wrong"], code["check"])
    run(setup, code["right"], code["check"])


@pytest.mark.parametrize("title", ENTRIES)
def test_entries_are_short_and_say_where_the_course_shows_it(title: str) -> None:
    code = blocks(title)
    assert max(code["wrong"].count("\n"), code["right"].count("\n")) <= 6
    assert code["check"].count("\n") <= 3
    if not title[0].isdigit():  # the seven of one listing share a line
        assert "In the course:" in ENTRIES[title].replace("\n", " ")


def test_every_python_block_is_run() -> None:
    assert TEXT.count("```python") == sum(len(BLOCK.findall(entry)) for entry in ENTRIES.values())


def test_the_sections_named_exist() -> None:
    sections = {(passage.lesson, passage.section.partition(" ·")[0]) for passage in all_passages()}
    named = re.findall(r"\]\(\.\./notebooks/([\w/]+)\.ipynb\),\s+sections? (\d+)(?: and (\d+))?", TEXT)
    assert len(named) > 20
    assert [(lesson, one) for lesson, *some in named for one in some if one and (lesson, one) not in sections] == []
