"""The static site: all pages there, all links whole, nothing asked of another host, a search, and a phone's view."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Page
from sample_lesson import sample

from course_lib import notebooks, paths, static_site

pytest_plugins = ["page_room"]
LOADING = {("img", "src"), ("script", "src"), ("iframe", "src"), ("source", "src"), ("link", "href")}
NOT_LOADED = {"index", "search", "next", "prev", "canonical"}  # relations of <link> that only point
MATHEMATICS = "() => new Promise(done => MathJax.Hub.Queue(() => done()))"


class Links(HTMLParser):
    """What a page points at, what it loads, and the places in it that others can point at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.points: set[str] = set()
        self.loads: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.places |= {found[key] for key in ("id", "name") if key in found}
        for key, value in found.items():
            if (tag, key) in LOADING and found.get("rel") not in NOT_LOADED:
                self.loads.add(value)
            elif key == "href":
                self.points.add(value)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's own site."""
    target = tmp_path_factory.mktemp("site") / "site"
    static_site.build(target)
    return target


@pytest.fixture(scope="module")
def read(built: Path) -> dict[Path, Links]:
    """The site's pages, by file."""
    return {path: Links(path.read_text(encoding="utf-8")) for path in built.rglob("*.html")}


def test_every_lesson_document_and_card_has_a_page_that_the_start_page_leads_to(
    built: Path, read: dict[Path, Links]
) -> None:
    texts = [*(paths.ROOT / "docs").glob("*.md"), *(paths.ROOT / "datasets").glob("*.md")]
    wanted = {path.relative_to(paths.ROOT).with_suffix(".html").as_posix() for path in [*notebooks.lessons(), *texts]}
    assert len(wanted) > 15
    assert {page for page in wanted if not (built / page).is_file()} == set()
    assert wanted - read[built / "index.html"].points == set()


def test_every_link_leads_somewhere(built: Path, read: dict[Path, Links]) -> None:
    broken, counted = [], 0
    for path, links in read.items():
        for link in links.points | links.loads:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            counted += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            if not target.is_file() or (place and target in read and place not in read[target].places):
                broken.append(f"{path.relative_to(built)}: {link}")
    assert broken == []
    assert counted > 500


def test_no_page_loads_anything_from_another_host(built: Path, read: dict[Path, Links]) -> None:
    outside = {f"{path.name}: {one}" for path, links in read.items() for one in links.loads if urlsplit(one).netloc}
    styles = {path.name: path.read_text(encoding="utf-8") for path in built.rglob("*.css")}
    outside |= {name for name, text in styles.items() if re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", text)}
    assert outside == set()
    assert styles


def test_the_search_index_knows_words_of_lessons(built: Path) -> None:
    text = (built / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    found = [index[part].get("lightgcn", []) for part in ("terms", "titleterms")]
    numbers = [number for one in found for number in (one if isinstance(one, list) else [one])]
    names = {index["docnames"][number] for number in numbers}
    assert "notebooks/03_graph_convolution" in names


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A course of one lesson and a start page."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "README.md").write_text("# Small\n\nSee [the lesson](notebooks/10_good.ipynb).\n", encoding="utf-8")
    nbformat.write(sample(), tmp_path / "notebooks" / "10_good.ipynb")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(static_site, "START", tmp_path / "README.md")
    return tmp_path


@pytest.mark.parametrize("link", ["docs/none.md", "notebooks/10_good.ipynb#no-such-place", "#no-such-place"])
def test_a_link_to_nowhere_stops_the_build(small: Path, link: str, capsys: pytest.CaptureFixture[str]) -> None:
    with (small / "README.md").open("a", encoding="utf-8") as start:
        start.write(f"\nSee [that]({link}).\n")
    with pytest.raises(static_site.SiteError, match="broken links"):
        static_site.build(small / "site")
    assert "index.md:5" in capsys.readouterr().err


def open_page(browser: Browser, address: str, width: int) -> tuple[Page, list[str]]:
    """A page at a width, and what it asked of other hosts."""
    page = browser.new_page(viewport={"width": width, "height": 844})
    outside: list[str] = []
    page.on("request", lambda one: outside.append(one.url) if urlsplit(one.url).scheme in {"http", "https"} else None)
    page.set_default_timeout(60_000)  # milliseconds, on a busy machine
    page.goto(address, wait_until="domcontentloaded")
    return page, outside


@pytest.mark.parametrize("name", ["index", "notebooks/03_graph_convolution"])
def test_a_page_fits_a_phone_with_its_mathematics_and_figures(browser: Browser, built: Path, name: str) -> None:
    page, outside = open_page(browser, (built / f"{name}.html").as_uri(), width=390)
    if formulas := page.locator("span.math, div.math").count():
        page.wait_for_function("window.MathJax && MathJax.isReady")
        page.evaluate(MATHEMATICS)
        assert page.locator(".MathJax").count() >= formulas
        assert page.locator(".MathJax_Error, .merror").count() == 0
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("[...document.images].filter(one => !one.naturalWidth).length") == 0
    if name != "index":
        assert formulas > 20 and page.locator("img").count() > 4
    assert outside == []
    page.close()


def test_the_search_works_from_the_disk(browser: Browser, built: Path) -> None:
    page, outside = open_page(browser, (built / "search.html").as_uri() + "?q=LightGCN", width=1280)
    page.locator("#search-results li a").first.wait_for()
    assert "3 · Graph convolution" in page.locator("#search-results").inner_text()
    assert outside == []
    page.close()
