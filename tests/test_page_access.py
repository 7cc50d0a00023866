"""The web page in a real browser: who can use it, on which screen, and what it is made of."""

import re

import httpx
import pytest
from page_tools import NAME_OF_FOCUSED, ask, fill_everything, like, of_api, search
from playwright.sync_api import expect

from course_lib.serving.app import PAGE

pytest_plugins = ["page_room"]
KINDS = {"html": "text/html", "css": "text/css", "js": "javascript", "svg": "image/svg+xml"}
RIGHTMOST = "Math.max(...[...document.querySelectorAll('main *')].map((one) => one.getBoundingClientRect().right))"
FOCUS_IS_SEEN = """() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
    return document.activeElement === document.body || (outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2)
}"""
COLOURS = """() => [...document.querySelectorAll('body *')].flatMap((one) => {
    const text = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
    if (!text || !one.checkVisibility() || one.tagName === 'OPTION') return []
    let ground = one
    while (ground && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement
    const colour = (element, name) => getComputedStyle(element)[name].match(/[0-9.]+/g).map(Number)
    const under = colour(ground ?? document.documentElement, 'backgroundColor')
    return [[one.tagName + ' ' + one.textContent.slice(0, 30), colour(one, 'color'), under]]
})"""
COUNT_GLIDES = """() => {
    const animate = Element.prototype.animate
    window.glides = 0
    Element.prototype.animate = function (...how) { window.glides += 1; return animate.apply(this, how) }
}"""


def test_nothing_is_wider_than_the_screen(site, visit):
    page = visit(site, width=360).page
    fill_everything(page)
    for width in (360, 390, 768, 840, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(RIGHTMOST) <= width
    sizes = page.locator("button:visible").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().toJSON())"
    )
    assert min(min(size["width"], size["height"]) for size in sizes) >= 44, "large enough for a thumb"


def test_every_control_has_a_name_and_every_region_a_role(site, visit):
    page = visit(site).page
    fill_everything(page)
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    seen = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
    controls = {"button", "textbox", "searchbox", "slider", "spinbutton", "link", "DisclosureTriangle", "list"}
    assert [role for role, name in seen if role in controls and role != "list" and not name.strip()] == []
    roles = [role for role, _ in seen]
    assert {"button", "textbox", "searchbox", "slider", "spinbutton", "link"} <= set(roles)
    assert all(roles.count(role) == 1 for role in ("banner", "main", "contentinfo", "search"))
    assert {name for role, name in seen if role == "region"} == {"Find films", "For you", "Who you are", "Add a film"}
    for place in ("#found", "#recommended", "#picked"):
        names = page.locator(f"{place} button").evaluate_all("(all) => all.map((one) => one.ariaLabel)")
        assert names and len(set(names)) == len(names), "names tell the buttons apart"
    headings = [node for node in nodes if not node["ignored"] and node["role"]["value"] == "heading"]
    levels = [one["value"]["value"] for node in headings for one in node["properties"] if one["name"] == "level"]
    assert levels[0] == 1 and levels.count(1) == 1 and set(levels) <= {1, 2, 3, 4}
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("[style]:not(.bar), [onclick]").count() == 0


def test_the_focus_is_seen_at_every_stop(site, visit):
    page = visit(site).page
    stops = set()
    for _ in range(70):
        page.keyboard.press("Tab")
        name = page.evaluate(NAME_OF_FOCUSED)
        assert page.evaluate(FOCUS_IS_SEEN), name
        stops.add(name)
    assert {"Skip to the recommendations", "User id", "Add the film", "The interface"} <= stops


def luminance(colour):
    parts = [value / 255 for value in colour[:3]]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(site, visit, scheme):
    page = visit(site, color_scheme=scheme, reduced_motion="reduce").page
    fill_everything(page)
    page.evaluate("Object.assign(document.getElementById('trouble'), {hidden: false, textContent: 'Trouble'})")
    pairs = page.evaluate(COLOURS)
    assert len(pairs) > 60
    assert [text for text, colour, ground in pairs if contrast(colour, ground) < 4.5] == []
    style = "(one, name) => getComputedStyle(one)[name].match(/[0-9]+/g).map(Number)"
    edges = page.locator("#query").evaluate(style, "borderColor")
    card = page.locator("#find").evaluate(style, "backgroundColor")
    assert contrast(edges, card) >= 3
    assert (luminance(card) > 0.5) == (scheme == "light")
    assert contrast([0, 0, 0], [255, 255, 255]) == pytest.approx(21)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_rows_glide_unless_motion_is_unwanted(site, visit, motion):
    page = visit(site, reduced_motion=motion).page
    page.evaluate(COUNT_GLIDES)
    search(page, "cosmic film 2")
    like(page, "Cosmic film 2 (1951)")
    page.get_by_role("slider").press("End")
    expect(page.locator("#recommended .name")).to_have_text(of_api(ask(site, ["2"], alpha=1)))
    assert (page.evaluate("window.glides") > 0) == (motion == "no-preference")


def test_the_page_is_whole_without_inline_script_or_foreign_address(site):
    answer = httpx.get(site)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert re.search(r"<style|<script>|\sstyle=|\son\w+=|//", answer.text) is None
    names = sorted(path.name for path in PAGE.iterdir())
    assert "index.html" in names and "page.js" in names
    for name in names:
        part = httpx.get(f"{site}/page/{name}")
        assert part.status_code == 200 and KINDS[name.rsplit(".", 1)[1]] in part.headers["content-type"], name
        text = part.text.replace("http://www.w3.org/2000/svg", "")
        assert re.search(r"innerHTML|outerHTML|insertAdjacentHTML|https?:|eval\(", text) is None
        assert len(text.splitlines()) <= 300 and max(map(len, text.splitlines())) <= 120, name
