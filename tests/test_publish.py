"""Publishing the course under another address, tried on a copy of this very clone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib import address, notebooks, paths, publish
from course_lib.address import Address
from course_lib.paths import ROOT

OLD = address.published()
NEW = address.parse("some-school/their.course", "v1.0")
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "build", "runs", "results", "__pycache__", ".*_cache", ".hypothesis")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a clone."""
    files = [path for path in folder.rglob("*") if path.is_file() and not {".git", "__pycache__"} & set(path.parts)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def cells(notebook: bytes) -> list[dict]:
    return json.loads(notebook)["cells"]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this clone, in git, with its notebooks in order; `publish` works on it."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    for module in (paths, publish, address):
        monkeypatch.setattr(module, "ROOT", folder)
    notebooks.sync(notebooks.lessons())
    return folder


def test_everything_that_names_the_address_is_changed_and_nothing_else(clone: Path) -> None:
    before, defects = contents(clone), notebooks.lint(notebooks.lessons())
    written = [path.relative_to(clone).as_posix() for path in publish.publish(NEW)]
    after = contents(clone)
    assert written == sorted(name for name in after if after[name] != before.get(name))
    assert set(after) == set(before)
    lessons = {name for name in after if name.startswith("notebooks/")}
    assert {"pyproject.toml", "CITATION.cff", "README.md"} | lessons <= set(written)
    slug = OLD.repository.removeprefix(address.GITHUB).encode()
    assert [name for name in after if slug in after[name]] == []
    assert address.published() == NEW
    assert notebooks.lint(notebooks.lessons()) == defects


def test_badges_and_setup_cells_follow_and_outputs_stay(clone: Path) -> None:
    lessons = notebooks.lessons()
    before = {path: path.read_bytes() for path in lessons}
    publish.publish(NEW)
    assert len(lessons) > 7
    for path in lessons:
        old, new = cells(before[path]), cells(path.read_bytes())
        head, setup = ("".join(cell["source"]) for cell in new[:2])
        page = f"some-school/their.course/blob/v1.0/notebooks/{notebooks.lesson_name(path)}.ipynb"
        assert f"({address.COLAB}/github/{page}) · [Source]({address.GITHUB}{page})" in head
        assert f"%pip install --quiet --no-deps {NEW.pip}\n" in setup
        assert [{**cell, "source": ""} for cell in old] == [{**cell, "source": ""} for cell in new]
        assert old[2:] == new[2:]


def test_a_second_time_changes_nothing_and_back_is_back(clone: Path) -> None:
    before = contents(clone)
    publish.publish(NEW)
    published = contents(clone)
    assert publish.publish(NEW) == []
    assert contents(clone) == published
    publish.publish(OLD)
    assert contents(clone) == before


def test_an_address_on_a_disk_has_no_badge_and_comes_back(clone: Path) -> None:
    before = contents(clone)
    bare = (clone.parent / "bare.git").as_uri()
    publish.publish(address.parse(bare, "v1.0"))
    head, setup = ("".join(cell["source"]) for cell in cells((clone / "notebooks/00_welcome.ipynb").read_bytes())[:2])
    assert "colab-badge" not in head
    assert f"git+{bare.removesuffix('.git')}@v1.0\n" in setup
    assert notebooks.sync(notebooks.lessons()) == []
    publish.publish(OLD)
    assert contents(clone) == before


def test_nothing_is_written_where_the_setting_is_missing_or_git_is(clone: Path) -> None:
    settings = clone / "pyproject.toml"
    moved = settings.read_text(encoding="utf-8").replace("[tool.course]\n", "[tool.course]\n\n")
    settings.write_text(moved, encoding="utf-8")
    before = contents(clone)
    with pytest.raises(RuntimeError, match=r"must have the line \[tool.course\] once"):
        publish.publish(NEW)
    shutil.rmtree(clone / ".git")
    with pytest.raises(RuntimeError, match="Make the folder a repository: git init"):
        publish.publish(NEW)
    assert contents(clone) == before


@pytest.mark.parametrize(
    "repository",
    [
        "only-a-name",
        "",
        "-x/y",
        "a/b c",
        "a/b/c",
        "a/b\n",
        "https://github.com/a",
        "https://github.com/a/b/tree/main",
        "https://me:secret@example.org/a/b",
        "git@github.com:a/b.git",
        "https://example.org/a'/b",
        "file://relative/../x y",
    ],
)
def test_what_is_no_repository_is_refused(repository: str) -> None:
    with pytest.raises(ValueError, match="is no address of a repository"):
        address.parse(repository, "main")


@pytest.mark.parametrize("ref", ["v 1", "", "-f", "a..b", "a/", "/a", "a.lock", "a.", ".a", "main\n", "a@{1}", "a'b"])
def test_what_is_no_branch_or_tag_is_refused(ref: str) -> None:
    with pytest.raises(ValueError, match="is no name of a branch or tag"):
        address.parse("a/b", ref)


def test_the_command_says_what_it_changed_or_what_is_wrong(tmp_path: Path) -> None:
    for name in ("course_lib", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    (tmp_path / "notebooks").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)

    def course(*options: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "course_lib", "publish", *options]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True
        )
        return done.returncode, done.stdout, done.stderr

    before = contents(tmp_path)
    for options, message in [
        (["--repo", "only-a-name", "--ref", "v1"], "'only-a-name' is no address of a repository"),
        (["--repo", "a/b", "--ref", ""], "'' is no name of a branch or tag"),
    ]:
        code, said, problem = course(*options)
        assert (code, said, contents(tmp_path)) == (2, "", before)
        assert message in problem
    assert course("--repo", "file:///srv/b.git", "--ref", "v1") == (
        0,
        "pyproject.toml\n1 files changed. The course is at file:///srv/b, branch or tag v1.\n"
        "Colab opens lessons from GitHub only: they have no badge now, and other links to Colab were left.\n",
        "",
    )


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("a/b", "https://github.com/a/b"),
        ("a/b.git", "https://github.com/a/b"),
        ("https://github.com/a/b/", "https://github.com/a/b"),
        ("https://gitlab.example.org:8443/group/part/course.git", "https://gitlab.example.org:8443/group/part/course"),
        ("ssh://git@example.org/a/b", "ssh://git@example.org/a/b"),
        ("file:///srv/course.git", "file:///srv/course"),
    ],
)
def test_addresses_that_git_knows_are_taken(typed: str, full: str) -> None:
    assert address.parse(typed, "release/v1.0") == Address(full, "release/v1.0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://github.com/a/course.", "see https://x.org/n."),
        ("clone https://github.com/a/course.git", "clone https://x.org/n"),
        ("https://github.com/a/course-book", "https://github.com/a/course-book"),
        ("https://github.com/a/course.site", "https://github.com/a/course.site"),
        ("git+https://github.com/a/course@v1\\n", "git+https://x.org/n@v2\\n"),
        ("git+https://github.com/a/course@v1.2", "git+https://x.org/n@v1.2"),
        ("https://github.com/a/course/tree/v1/docs", "https://x.org/n/tree/v2/docs"),
        ("https://github.com/a/course/issues", "https://x.org/n/issues"),
    ],
)
def test_the_address_is_found_whole(text: str, expected: str) -> None:
    old, new = Address("https://github.com/a/course", "v1"), Address("https://x.org/n", "v2")
    assert publish.rewritten(text, old, new) == expected


def test_links_to_other_notebooks_on_colab_stay() -> None:
    new = Address("https://github.com/c/d", "v2")
    start = f"{address.COLAB}/github"
    other = f"{start}/other/repo/blob/main/notebooks/99_theirs.ipynb"
    ours = f"{start}/a/course/blob/release/v1/notebooks/00_welcome.ipynb"
    expected = f"{other} {start}/c/d/blob/v2/notebooks/00_welcome.ipynb"
    assert publish.rewritten(f"{other} {ours}", OLD, new) == expected
