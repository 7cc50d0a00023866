"""Point the course at another repository, branch or tag: pyproject.toml, notebooks, and whatever else names it."""

import re
import subprocess
from pathlib import Path

from course_lib import notebooks
from course_lib.address import COLAB, Address, published
from course_lib.paths import ROOT

REF_LINE = re.compile(r'^(\[tool\.course\]\r?\nref = )"[^"\n]*"', re.MULTILINE)


def publish(new: Address) -> list[Path]:
    """Write a new address into every text file of the clone that names the old one, and bring the notebooks in line.

    Outputs of notebooks are kept. Calling it again with the same address changes nothing.

    Returns
    -------
    list of Path
        The files that were written, sorted.

    Raises
    ------
    RuntimeError
        If git does not list the files of this folder, or pyproject.toml does not set the branch or tag where it
        should. Nothing is written then.
    """
    old = published()
    before = {path: text for path in tracked_files() if (text := read(path)) is not None}
    after = {path: rewritten(text, old, new) for path, text in before.items()}
    settings = ROOT / "pyproject.toml"
    after[settings], found = REF_LINE.subn(rf'\g<1>"{new.ref}"', after[settings])
    if found != 1:
        raise RuntimeError(f'{settings} must have the line [tool.course] once, and right below it ref = "{old.ref}"')
    written = {path for path, text in after.items() if text != before[path]}
    for path in written:
        path.write_bytes(after[path].encode("utf-8"))
    return sorted(written | set(notebooks.sync(notebooks.lessons())))


def tracked_files() -> list[Path]:
    """The files of the clone that git keeps, or would keep.

    Raises
    ------
    RuntimeError
        Where git is missing or the folder is no clone.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise RuntimeError("git is missing; it lists the files that may name the address. Install it.") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip()
        raise RuntimeError(f"git lists no files in {ROOT}: {said}\nMake the folder a repository: git init") from error
    return [path for name in sorted(set(filter(None, listed.split("\0")))) if (path := ROOT / name).is_file()]


def rewritten(text: str, old: Address, new: Address) -> str:
    """A text with the new address in place of the old one, with and without `@ref`, `/blob/ref` or `/tree/ref`.

    Links that open a lesson on Colab change too, whatever repository they name; they stay if the new one is not on
    GitHub.
    """
    repository, ref = re.escape(old.repository), re.escape(old.ref)
    ends = r"(?!\.?[\w-])"  # so that a/course is not found in a/course-book, nor v1 in v1.2
    named = re.compile(rf"{repository}(?:\.git)?(?:(@|/blob/|/tree/){ref}{ends}|{ends})")
    text = named.sub(lambda found: new.repository + (found[1] + new.ref if found[1] else ""), text)
    lessons = "|".join(re.escape(notebooks.lesson_name(path)) for path in notebooks.lessons())
    on_colab = re.compile(rf"{re.escape(COLAB)}/github/[\w.-]+/[\w.-]+/blob/[\w./-]+?/notebooks/({lessons})\.ipynb")
    return on_colab.sub(lambda found: new.colab(found[1]) or found[0], text)


def read(path: Path) -> str | None:
    """Content of a text file, line ends as they are; None for any other file."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
