"""Finding lessons, keeping their headers and ids in order, running them and storing their outputs."""

from pathlib import Path

import pytest
from nbformat.v4 import new_output
from sample_lesson import code, light_sample, sample, save

from course_lib import notebooks
from course_lib.address import published
from course_lib.notebooks import catalogue, header
from course_lib.notebooks.execution import round_seconds


@pytest.fixture
def course_folder(tmp_path: Path) -> Path:
    """Four empty lessons."""
    for name in ["01_data", "00_welcome", "electives/privacy", "electives/attention"]:
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue.write(sample(), path)
    return tmp_path / "notebooks"


def test_lessons_come_core_first_then_electives(course_folder: Path) -> None:
    names = [catalogue.lesson_name(path) for path in notebooks.lessons(root=course_folder)]
    assert names == ["00_welcome", "01_data", "electives/attention", "electives/privacy"]


@pytest.mark.parametrize("name", ["01", "01_data", "01_data.ipynb", Path("01_data")])
def test_a_core_lesson_has_many_names(course_folder: Path, name: str | Path) -> None:
    assert notebooks.lessons([name], root=course_folder) == [course_folder / "01_data.ipynb"]


@pytest.mark.parametrize("name", ["privacy", "electives/privacy"])
def test_an_elective_is_found_with_and_without_its_folder(course_folder: Path, name: str) -> None:
    assert notebooks.lessons([name], root=course_folder) == [course_folder / "electives" / "privacy.ipynb"]


def test_lessons_come_in_the_order_asked_for(course_folder: Path) -> None:
    found = notebooks.lessons(["privacy", "00"], root=course_folder)
    assert [path.stem for path in found] == ["privacy", "00_welcome"]


def test_a_path_outside_the_course_is_taken(course_folder: Path, tmp_path: Path) -> None:
    mine = save(sample(), tmp_path / "elsewhere", "mine")
    assert notebooks.lessons([mine], root=course_folder) == [mine]


@pytest.mark.parametrize("name", ["07", "dat", "01_dat", "", "electives"])
def test_an_unknown_lesson_is_answered_with_those_that_exist(course_folder: Path, name: str) -> None:
    with pytest.raises(notebooks.LessonNotFound, match=r"00_welcome, 01_data, electives/attention, electives/privacy"):
        notebooks.lessons([name], root=course_folder)


def test_a_name_that_fits_two_lessons_is_refused(course_folder: Path) -> None:
    catalogue.write(sample(), course_folder / "01_more.ipynb")
    with pytest.raises(notebooks.LessonNotFound, match=r"more than one lesson; choose from: 01_data, 01_more"):
        notebooks.lessons(["01"], root=course_folder)


def test_sync_writes_the_header_from_the_metadata(tmp_path: Path) -> None:
    path = save(sample(prerequisites=["01_data"]), tmp_path, "electives/privacy")
    notebooks.sync([path])
    first, second, third = catalogue.read(path).cells[:3]
    address = published().repository
    for expected in [
        "# A sample lesson\n",
        f"({address}/blob/main/notebooks/electives/privacy.ipynb)",
        "**How far do neighbours go?**",
        "- read a table\n",
        "| [01_data](../01_data.ipynb) | 20 min | 30 min | about 5 s on two CPU cores |",
    ]:
        assert expected in first.source
    on_colab = address.replace("https://github.com", "https://colab.research.google.com/github")
    assert f"({on_colab}/blob/main/notebooks/electives/privacy.ipynb)" in first.source
    assert second.source.endswith('lesson.start("electives/privacy")')
    assert catalogue.tags(second) == ["course-setup", "nbval-ignore-output"]
    assert third.source.startswith("## Propagation")


def test_sync_twice_changes_nothing(tmp_path: Path) -> None:
    path = save(sample(), tmp_path)
    notebooks.sync([path])
    before, written = path.read_bytes(), path.stat().st_mtime_ns
    notebooks.sync([path])
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, written)


def test_sync_repairs_a_moved_and_edited_header(tmp_path: Path) -> None:
    path = save(sample(), tmp_path)
    notebooks.sync([path])
    right = path.read_bytes()
    notebook = catalogue.read(path)
    notebook.cells[0].source = "# Edited by hand"
    notebook.cells[1].source += "\nprint('more')"
    notebook.cells.insert(3, notebook.cells.pop(0))
    catalogue.write(notebook, path)
    notebooks.sync([path])
    assert path.read_bytes() == right


def test_sync_keeps_the_banner_where_only_the_address_changes(tmp_path: Path) -> None:
    path = save(sample(), tmp_path)
    notebooks.sync([path])
    notebook = catalogue.read(path)
    setup = notebook.cells[1]
    setup.source = setup.source.replace(published().pip, "https://example.org/old.zip")
    setup.execution_count, setup.outputs = 1, [new_output("stream", name="stdout", text="banner\n")]
    catalogue.write(notebook, path)
    assert notebooks.sync([path]) == [path]
    after = catalogue.read(path).cells[1]
    assert published().pip in after.source
    assert (after.execution_count, after.outputs) == (1, setup.outputs)


def test_sync_keeps_outputs_but_not_those_of_a_changed_setup_cell(tmp_path: Path) -> None:
    notebook = sample()
    header.refresh(notebook, tmp_path / "00_sample.ipynb")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 1
    notebook.cells[1].source = "old"
    path = save(notebook, tmp_path)
    notebooks.sync([path])
    counts = [cell.execution_count for cell in catalogue.read(path).cells if cell.cell_type == "code"]
    assert counts == [None, 1, 1, 1, 1]


def test_cell_ids_are_unique_and_change_only_behind_an_edit(tmp_path: Path) -> None:
    notebook = sample()
    path = save(notebook, tmp_path)
    notebooks.sync([path])
    before = [cell.id for cell in catalogue.read(path).cells]
    assert before[:4] == ["a-sample-lesson", "a-sample-lesson-2", "propagation", "propagation-2"]
    assert len(set(before)) == len(before)
    edited = catalogue.read(path)
    edited.cells.insert(4, code("print('new')"))
    catalogue.write(edited, path)
    notebooks.sync([path])
    after = [cell.id for cell in catalogue.read(path).cells]
    assert after == [*before[:5], "propagation-4", *before[5:]]


def test_ids_stay_unique_where_two_sections_have_one_name(tmp_path: Path) -> None:
    notebook = sample()
    notebook.cells += [cell.copy() for cell in sample().cells]
    header.refresh(notebook, tmp_path / "00_sample.ipynb")
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("seconds", "recorded", "expected"),
    [(0.4, None, 5), (12.1, None, 15), (15.0, None, 15), (19.0, 15, 15), (21.0, 15, 25), (9.0, 15, 10)],
)
def test_seconds_are_rounded_up_and_kept_if_close(seconds: float, recorded: int | None, expected: int) -> None:
    assert round_seconds(seconds, recorded) == expected


def test_execute_stores_outputs_seconds_and_nothing_noisy(tmp_path: Path) -> None:
    notebook = sample(cpu_seconds=None)
    notebook.metadata["widgets"] = {"state": {}}
    notebook.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    notebook.cells[1].outputs = [new_output("stream", name="stdout", text="old")]
    path = save(notebook, tmp_path)
    notebooks.execute([path])
    done = catalogue.read(path)
    assert set(done.metadata) == {"course", "kernelspec", "language_info", "rise"}
    assert done.metadata.course.cpu_seconds % 5 == 0 < done.metadata.course.cpu_seconds
    assert f"about {done.metadata.course.cpu_seconds} s" in done.cells[0].source
    assert done.cells[3].outputs == [{"output_type": "stream", "name": "stdout", "text": "3.0\n"}]
    assert "execution" not in done.cells[3].metadata
    assert "EASE" in done.cells[4].outputs[0].data["text/html"]
    assert "image/png" in done.cells[6].outputs[0].data
    assert done.cells[7].outputs[0].ename == "ZeroDivisionError"
    assert [cell.execution_count for cell in done.cells if cell.cell_type == "code"] == [1, 2, 3, 4, 5]
    assert notebooks.lint([path]) == []


def test_the_banner_shows_the_seconds_just_measured(tmp_path: Path) -> None:
    path = save(light_sample(cpu_seconds=1000), tmp_path)
    banner = f"import json\n\n\ndef start(name):\n    print(json.load(open({str(path)!r}))['metadata']['course'])\n"
    (tmp_path / "course_lib" / "lesson.py").write_text(banner, encoding="utf-8")
    notebooks.execute([path])
    done = catalogue.read(path)
    assert f"'cpu_seconds': {done.metadata.course.cpu_seconds}" in done.cells[1].outputs[0].text
    assert done.metadata.course.cpu_seconds < 1000


def test_execute_fails_loudly_and_leaves_the_notebook_alone(tmp_path: Path) -> None:
    notebook = light_sample()
    notebook.cells.insert(2, code("weights = [1]\nweights[5]"))
    path = save(notebook, tmp_path)
    before = path.read_bytes()
    with pytest.raises(notebooks.LessonFailed) as failure:
        notebooks.execute([path])
    message = str(failure.value)
    assert message.startswith('00_sample: code cell 3, section "Propagation"\n\nweights = [1]\nweights[5]\n')
    assert message.endswith("IndexError: list index out of range")
    assert path.read_bytes() == before


def test_tracebacks_shown_on_purpose_do_not_name_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = light_sample()
    notebook.cells[3] = code("from course_lib import broken\n\nbroken.fail()", "raises-exception")
    path = save(notebook, tmp_path)
    monkeypatch.setattr("course_lib.notebooks.execution.ROOT", tmp_path)
    notebooks.execute([path])
    shown = "\n".join(catalogue.read(path).cells[5].outputs[0].traceback)
    assert "course_lib/broken.py" in shown.replace("\\", "/")
    assert str(tmp_path) not in shown
    assert notebooks.lint([path]) == []
