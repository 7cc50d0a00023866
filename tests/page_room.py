"""Fixtures of the page's tests: a real server in a process of its own, a real browser without a screen.

Test modules name this file in `pytest_plugins`. Which browser, and what happens where there is none: see `page_tools`.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from page_tools import HOSTILE, LONG, browser_binary, write_encoder
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from serving_tools import make_bundle, serving

from course_lib.serving.bundle import Item, write
from course_lib.serving.scoring import unit
from course_lib.serving.texts import title_text

SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
REFUSED = "Failed to load resource"  # the browser's own note about an answer that is no success


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module; each test has a context of its own in it."""
    binary = browser_binary()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two camps with a small encoder; item 57 has a title that attacks, item 59 one that is very long."""
    bundle = make_bundle()
    room = tmp_path_factory.mktemp("page")
    encoder = write_encoder(room / "encoder", [title_text(item) for item in bundle.items])
    items = list(bundle.items)
    items[56] = Item("57", HOSTILE, 2006, ("<b>Drama</b>",), "Words.")
    items[58] = Item("59", LONG, 2008, ("Drama",), "Words.")
    titles = encoder.encode([title_text(item) for item in items])
    means = np.stack([titles.mean(axis=0), titles.mean(axis=0)])
    data = {**bundle.data, "encoder_key": encoder.key}
    bundle = replace(bundle, items=items, text_vectors=unit(titles - means[0]), text_means=means, data=data)
    write(bundle, room / "bundle", encoder=room / "encoder")
    return room / "bundle"


@pytest.fixture(scope="module")
def site(browser: Browser, page_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that reads texts, too."""
    with serving(page_bundle, tmp_path_factory.mktemp("events") / "events.sqlite3") as (address, _):
        until = time.monotonic() + 20
        while httpx.get(f"{address}/readyz").json()["encoder"] != "ready" and time.monotonic() < until:
            time.sleep(0.05)
        yield address


@dataclass
class Visit:
    """What happened while somebody looked at the page."""

    page: Page
    hosts: set[str | None] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        """Keep what the console calls an error or a warning."""
        if message.type in ("error", "warning"):
            self.errors.append(message.text)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open the page; afterwards no request left this machine, and no script failed."""
    visits = []

    def open_page(address: str, width: int = 1280, height: int = 900, **options: str) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(8_000)
        one = Visit(context.new_page())
        visits.append(one)
        one.page.on("request", lambda request: one.hosts.add(urlsplit(request.url).hostname))
        one.page.on("request", lambda request: one.asked.append(f"{request.method} {urlsplit(request.url).path}"))
        one.page.on("console", one.note)
        one.page.on("pageerror", lambda error: one.errors.append(str(error)))
        one.page.goto(address)
        one.page.locator("#recommended > li").first.wait_for()
        one.page.locator("#found > li").first.wait_for()
        return one

    yield open_page
    for one in visits:
        one.page.context.close()
        assert one.hosts == {"127.0.0.1"}
        assert [error for error in one.errors if REFUSED not in error] == []
