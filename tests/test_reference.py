"""The pages made of the lessons: none is stale, none leaves anything out, and their checks can fail."""

import inspect
import re
import tomllib
import xml.etree.ElementTree as ElementTree

import pytest

from course_lib import ledger, notebooks, reference
from course_lib.paths import ROOT
from course_lib.reference import course_map, glossary, mathematics, notation, passages, reading, results, taught
from course_lib.reference.passages import Passage

LESSONS = [notebooks.lesson_name(path) for path in notebooks.lessons()]


def test_no_page_is_stale() -> None:
    assert [path.name for path in reference.stale()] == [], "course docs writes them"


def test_every_link_of_a_page_leads_somewhere() -> None:
    for name in reference.PAGES:
        if name.endswith(".md"):
            path = ROOT / name
            text = path.read_text(encoding="utf-8")
            targets = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text)
            files = {one or other for one, other in targets if not (one or other).startswith(("http", "#"))}
            assert [file for file in files if not (path.parent / file.partition("#")[0]).exists()] == [], name


def test_anchors_of_the_glossary_exist() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    headings = {title.lower() for title in re.findall(r"^## (.+)$", text, re.MULTILINE)}
    linked = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert linked == headings


def test_the_glossary_is_whole() -> None:
    terms = glossary.terms()
    assert len(terms) == len({one.term.lower() for one in terms}) >= 70
    for one in terms:
        assert re.search(r"[\u4e00-\u9fff]", one.chinese) or one.term in one.chinese, one.term
        assert one.definition.endswith(".") and 1 <= len(re.findall(r"[.?](?:\s|$)", one.definition)) <= 3, one.term
        assert glossary.introduced(one).lesson in LESSONS
    with pytest.raises(LookupError, match="no lesson says 'zeppelin'"):
        glossary.introduced(glossary.Term("zeppelin", "飞艇", "It flies."))


def test_every_symbol_of_the_lessons_is_in_the_table() -> None:
    assert notation.unlisted() == [], "give each a row in docs/notation.toml, or name it in reference/mathematics.py"


def test_every_symbol_of_the_table_is_in_the_lessons() -> None:
    found = notation.occurrences()
    for row in notation.table():
        for form in row.forms:
            assert any(row.holds_in(lesson) for lesson in found.get(form, {})), f"{form}: {row.meaning}"
        assert set(row.lessons) <= set(notation.lessons_of(row, found)), f"{row.show} is not in all of {row.lessons}"


def test_every_name_in_code_is_in_the_code() -> None:
    found = notation.occurrences()
    for row in notation.table():
        if row.code:
            said = re.compile(rf"\b{re.escape(row.code)}\b")
            lessons = notation.lessons_of(row, found)
            code = [one.text for one in passages.all_passages() if one.is_code and one.lesson in lessons]
            assert any(said.search(text) for text in code), f"{row.show}: no cell of {lessons} says {row.code}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$s_{ui} = h_u^\top h_i$", {"s_{ui}", "h_u", "h_i"}),
        (r"$$ H^{(l+1)} = \mathrm{ReLU}\left( \hat A_{+I}\, H^{(l)} \right) $$", {"H", "l", r"\hat A_{+I}"}),
        (r"$\hat\sigma_\varepsilon^2 = M_\varepsilon$", {r"\hat \sigma_\varepsilon", r"M_\varepsilon"}),
        (r"$A \in \mathbb{R}^{r \times d_\text{in}}$", {"A", r"\mathbb{R}", "r", "d_{in}"}),
        (r"$\|R - R B\|_F^2$ and $\log_2(j + 2)$", {"R", "B", "j"}),
        (r"$s^{\text{graph}}_{ui} \quad \text{with } n$", {"s_{ui}", "n"}),
        (r"$\mathcal L_{BPR} + \mathcal{L}$", {r"\mathcal{L}_{BPR}", r"\mathcal{L}"}),
        ("`$x$` and \n```\n$y$\n```\n and 5 \\$ or $z$", {"z"}),
    ],
)
def test_symbols_are_found(text: str, expected: set[str]) -> None:
    assert mathematics.symbols(text) == expected


def test_an_unlisted_symbol_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (*passages.all_passages(), Passage("01_data", "1 · New", r"And now $\xi_q$.", is_code=False))
    monkeypatch.setattr(notation, "all_passages", lambda: found)
    assert r"\xi_q in 01_data" in notation.unlisted()


def test_what_lessons_use_is_listed_where_it_is_taught() -> None:
    listed = taught.used()
    page = (ROOT / "docs" / "taught.md").read_text(encoding="utf-8")
    for one in listed:
        assert f"| `{one.path}` |" in page and one.path.endswith(one.name)
        assert one.sentence, f"{one.module}.{one.name} has no docstring"
        assert set(one.taught) <= set(LESSONS)
        assert all(taught.speaks_of(lesson, one.name) for lesson in one.taught)
    assert not taught.speaks_of("01_data", "no_such_name")


def test_every_import_of_a_lesson_is_listed() -> None:
    """Found a second way: by the words of the import lines, not by their syntax tree."""
    listed = {(lesson, one.name) for one in taught.used() for lesson in one.lessons}
    for passage in passages.all_passages():
        if passage.is_code:
            imports = re.findall(
                r"^\s*from (course_lib\.[\w.]+) import (?:\(([^)]*)\)|(.*))$", passage.text, re.MULTILINE
            )
            for module, several, single in imports:
                for alias in (several or single).split(","):
                    name = alias.split("#")[0].split(" as ")[0].strip()
                    thing = name and getattr(__import__(module, fromlist=[name]), name)
                    if inspect.isclass(thing) or inspect.isfunction(thing):
                        assert (passage.lesson, name) in listed


def test_no_reference_of_a_lesson_is_missing_from_the_reading_list() -> None:
    titles = [one.title for one in reading.entries()]
    assert len(titles) == len(set(titles)) and all(titles)
    cited = [(lesson, line) for lesson, lines in reading.references().items() for line in lines]
    assert len(cited) > 60
    assert [line for _, line in cited if not any(f"*{title}" in line.lower() for title in titles)] == []


def test_authors_and_years_are_those_of_the_lessons() -> None:
    for one in reading.entries():
        for lines in reading.references().values():
            for line in [line for line in lines if f"*{one.title}" in line.lower()]:
                assert re.findall(r"\d{4}(?=, \*)", line) == re.findall(r"\d{4}(?=, \*)", one.cite), line
                assert line.split(" ")[0].strip(",") in one.cite.split("*")[0] or "Ferrari" in line, line


def test_the_readme_shows_the_best_and_the_baselines_only() -> None:
    rows = ledger.rows(live=False)
    kept = results.shown(rows)
    assert all(row in rows for row in kept)
    groups = {(row["dataset"], row["protocol"]) for row in rows}
    for group in groups:
        here = [row for row in kept if (row["dataset"], row["protocol"]) == group]
        names = [row["model"] for row in here]
        every = [row for row in rows if (row["dataset"], row["protocol"]) == group]
        best = max(every, key=lambda row: row["metrics"]["ndcg@10"]["mean"])
        assert best["metrics"] in [row["metrics"] for row in here]
        assert len(names) == len(set(names)) <= 6
        assert {name for name in results.BASELINES if any(row["model"] == name for row in every)} <= set(names)


def test_the_map_shows_every_lesson_and_every_prerequisite_of_the_core() -> None:
    svg = course_map.svg()
    drawing = ElementTree.fromstring(svg)
    text = " ".join(node.text or "" for node in drawing.iter() if node.tag.endswith("text"))
    for lesson in LESSONS:
        assert passages.metadata(lesson).title in text
        assert passages.metadata(lesson).question in text
    arrows = [node for node in drawing.iter() if node.tag.endswith("line")]
    core = [lesson for lesson in LESSONS if "/" not in lesson]
    assert len(arrows) == sum(len(passages.metadata(lesson).prerequisites) for lesson in core)
    assert all(float(node.get("y2", 0)) > float(node.get("y1", 0)) for node in arrows)
    boxes = [node for node in drawing.iter() if node.tag.endswith("rect")]
    assert len(boxes) == len(LESSONS)
    assert all(float(node.get("x", 0)) + float(node.get("width", 0)) <= course_map.WIDTH for node in boxes)


def test_outcomes_name_lessons_that_exist() -> None:
    assert sorted(tomllib.loads(course_map.OUTCOMES.read_text(encoding="utf-8"))) == sorted(LESSONS)


def test_a_readme_without_markers_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "README.md").write_text("<!-- results:start -->\n<!-- results:end -->\n", encoding="utf-8")
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="must hold <!-- lessons:start -->"):
        reference.readme()
