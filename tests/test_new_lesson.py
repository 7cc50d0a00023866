"""`course new-lesson`: what it writes runs and follows the rules, and nothing is overwritten."""

from pathlib import Path

import nbformat
import pytest
from sample_lesson import STUB_LIBRARY, light_sample, save, stub_library

from course_lib import notebooks
from course_lib.notebooks import catalogue, new_lesson


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone with one core lesson and a stub of the library, which imports at once."""
    save(light_sample(), tmp_path)
    return tmp_path / "notebooks"


@pytest.mark.parametrize("name", ["01_sessions", "electives/sessions", "sessions"])
def test_it_runs_and_follows_the_rules(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    colours = "COLOURS = ['#0072B2']\n"
    monkeypatch.setitem(STUB_LIBRARY, "lesson.py", STUB_LIBRARY["lesson.py"] + colours)
    stub_library(folder.parent)
    path = new_lesson.write(name, folder)
    assert path.is_relative_to(folder / "electives") == (name[0] != "0")
    assert any("never executed" in defect for defect in notebooks.lint([path]))
    notebooks.execute([path])
    assert notebooks.lint([path]) == []
    course = nbformat.read(path, as_version=4).metadata.course
    assert course.prerequisites == ["00_sample"]
    assert "67% of the cells" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["00_sample", "00_other", "electives/sessions"])
def test_an_existing_name_or_number_is_refused(folder: Path, name: str) -> None:
    new_lesson.write("electives/sessions", folder)
    before = {path: path.read_bytes() for path in folder.rglob("*.ipynb")}
    with pytest.raises(FileExistsError, match="already; choose another name"):
        new_lesson.write(name, folder)
    assert {path: path.read_bytes() for path in folder.rglob("*.ipynb")} == before


@pytest.mark.parametrize("name", ["8_sessions", "Sessions", "electives/08/x", "../x", "", "08_sessions.ipynb"])
def test_other_names_are_refused(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a lesson"):
        new_lesson.write(name, folder)
    assert len(catalogue.lessons(root=folder)) == 1
