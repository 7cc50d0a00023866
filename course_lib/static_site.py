"""The course as a static site: the executed lessons, the documents and the data cards, with a search.

It works from a disk (`file://`) as from a server, and asks no other host for anything. Nothing is executed.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Set
from pathlib import Path

from sphinx.cmd.build import main as sphinx_build

from course_lib import address, notebooks, paths, render
from course_lib.notebooks import catalogue, figures

SETTINGS = render.TEMPLATES / "site"
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
WIDGET = "application/vnd.jupyter.widget-view+json"
START = paths.ROOT / "README.md"
IMAGES = {".gif", ".jpg", ".png", ".svg", ".webp"}
SECTIONS = {
    "Lessons": "notebooks/[0-9]*",
    "Electives": "notebooks/electives/*",
    "Documents": "docs/*",
    "Data": "datasets/*",
}


class SiteError(RuntimeError):
    """The site was not built; the message says where to look."""


def build(target: Path) -> int:
    """Build the site into the folder `target`, which is emptied first.

    Returns
    -------
    int
        Pages written, the search page and the index of terms left out.

    Raises
    ------
    SiteError
        If Sphinx warns of anything: a link to nowhere, a heading out of order. Its lines on standard error say where.
    """
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="course-site-") as folder:
        source = Path(folder) / "source"
        pages = stage(source)
        options = ["--quiet", "--fail-on-warning", "--keep-going", "--jobs", "2", "--doctree-dir", f"{folder}/doctrees"]
        if sphinx_build(["-b", "html", *options, str(source), str(target)]):
            raise SiteError("the site has broken links or pages; the lines above name the places")
    return pages


def stage(source: Path) -> int:
    """Write what Sphinx reads to the folder `source`; return how many pages that makes."""
    shutil.copytree(SETTINGS, source)
    render.copy_assets(source / "_static")
    (source / "_extra").mkdir()
    texts = [START, *_sorted("docs"), *_sorted("datasets")]
    lessons = notebooks.lessons()
    pages = {*texts, *lessons}
    for path in texts:
        text = _linked(path.read_text(encoding="utf-8"), path, pages)
        if path == START:
            text += "".join(_contents())
        _write(source / _place(path), text.encode())
    for path in [*(paths.ROOT / "docs").rglob("*"), *(paths.ROOT / "datasets").rglob("*")]:
        if path.suffix in IMAGES:
            for folder in (source, source / "_extra"):  # Sphinx finds the first, and copies the second as it is
                _write(folder / _place(path), path.read_bytes())
    for path in lessons:
        notebook = catalogue.read(path)
        figures.describe(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = _linked(cell.source, path, pages)
            for output in cell.get("outputs", []):
                output.get("data", {}).pop(WIDGET, None)  # its script would come from another host
        target = source / path.relative_to(paths.ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        catalogue.write(notebook, target)
    return len(pages)


def _sorted(folder: str) -> list[Path]:
    return sorted((paths.ROOT / folder).glob("*.md"))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _contents() -> Iterator[str]:
    """What stands in the side bar."""
    for caption, pattern in SECTIONS.items():
        yield f"\n```{{toctree}}\n:caption: {caption}\n:hidden:\n:glob:\n\n{pattern}\n```\n"


def _place(path: Path) -> Path:
    """Where a file of the clone lies below the folder that Sphinx reads."""
    return Path("index.md") if path == START else path.relative_to(paths.ROOT)


def _linked(text: str, path: Path, pages: Set[Path]) -> str:
    """Drop images of other hosts, and send links to files that are no page of the site to the repository.

    All other links are left to Sphinx, which resolves them or warns.
    """

    def there(match: re.Match[str]) -> str:
        found = (path.parent / match[1]).resolve()
        if found in pages:
            up = "../" * (len(_place(path).parts) - 1)
            return f"{up}{_place(found).as_posix()}{match[2] or ''}"
        if found.suffix in IMAGES or not found.exists() or not found.is_relative_to(paths.ROOT):
            return match[0]
        published = address.published()
        return f"{published.repository}/blob/{published.ref}/{found.relative_to(paths.ROOT).as_posix()}"

    return LINK.sub(there, render.REMOTE_IMAGE.sub(r"\1", text))
