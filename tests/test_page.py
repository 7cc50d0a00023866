"""The web page in a real browser: what people do with it, and what they must be spared."""

import httpx
import pytest
from page_tools import (
    HOSTILE,
    NAME_OF_FOCUSED,
    ask,
    become,
    browser_binary,
    held_back,
    like,
    of_api,
    search,
    tab_to,
    titles,
)
from playwright.sync_api import expect
from serving_tools import TOKEN, serving

pytest_plugins = ["page_room"]


def test_search_pick_recommend_and_slide_with_the_keyboard_alone(site, visit):
    one = visit(site)
    page = one.page
    assert page.locator("#basis").inner_text().startswith("What is popular")
    tab_to(page, "Title, or what it is about")
    page.keyboard.type("cosmic film 2")
    expect(page.locator("#found-note")).to_contain_text("“cosmic film 2”")
    tab_to(page, "Like Cosmic film 2 (1951)")
    page.keyboard.press("Enter")
    expect(page.locator("#basis")).to_have_text("From the film you like.")
    assert page.evaluate(NAME_OF_FOCUSED) == "Like Cosmic film 2 (1951)", "the focus stays where it was"
    assert page.locator("#found [aria-pressed=true]").count() == 1
    assert titles(page) == of_api(ask(site, ["2"]))
    assert page.locator("#recommended .why").first.inner_text() == "Because of Cosmic film 2, by graph and by words"
    tab_to(page, "How much the words count")
    page.keyboard.press("End")
    expect(page.locator("#alpha-text")).to_have_text("100 %")
    words = of_api(ask(site, ["2"], alpha=1))
    expect(page.locator("#recommended .name")).to_have_text(words)
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "100 % words"
    tab_to(page, f"Like {words[0]}")
    page.keyboard.press("Space")
    expect(page.locator("#basis")).to_have_text("From the 2 films you like.")
    assert words[0] not in titles(page)
    assert page.evaluate(NAME_OF_FOCUSED) == f"Like {titles(page)[0]}", "the focus goes to what came in its place"
    tab_to(page, "Be this user")
    tab_to(page, "Remove Cosmic film 2", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#picked > li")).to_have_count(1)
    assert one.errors == []


def test_a_moving_slider_asks_now_and_then_and_ends_where_it_stands(site, visit):
    one = visit(site)
    search(one.page, "cosmic film 4")
    like(one.page, "Cosmic film 4 (1953)")
    one.page.get_by_role("slider").focus()
    one.page.keyboard.press("Home")
    expect(one.page.locator("#recommended .name")).to_have_text(of_api(ask(site, ["4"], alpha=0)))
    before = len(one.asked)
    for _ in range(16):
        one.page.keyboard.press("ArrowRight")
    expect(one.page.locator("#recommended .name")).to_have_text(of_api(ask(site, ["4"], alpha=0.8)))
    asked = one.asked[before:].count("POST /v1/recommendations")
    assert 1 <= asked < 16, "fewer questions than steps"


def test_a_click_of_a_user_is_kept_and_changes_the_list_at_once(site, visit):
    page = visit(site).page
    become(page, "ann")
    assert page.locator("#basis").inner_text().startswith("What is popular"), "nobody knows ann yet"
    search(page, "quiet film 7")
    like(page, "Quiet film 7 (1956)")
    expect(page.locator("#basis")).to_have_text("From the film known of ann.")
    expect(page.locator("#latency")).to_contain_text("From your click to this list:")
    known = httpx.get(f"{site}/v1/recommendations", params={"user_id": "ann"})
    assert titles(page) == of_api(known) and known.json()["num_history"] == 1
    first = titles(page)[0]
    page.get_by_role("button", name=f"Not for me: {first}").click()
    expect(page.locator("#recommended .name").first).not_to_have_text(first)
    assert first not in titles(page)
    page.locator("summary").first.click()
    expect(page.locator("details .parts").first).to_contain_text("Quiet film 7")
    expect(page.locator("details .parts").first).to_contain_text("took both")
    page.reload()
    expect(page.locator("#basis")).to_have_text("From the film known of ann.")
    expect(page.locator("#picked")).to_contain_text("Quiet film 7")


def test_an_answer_that_was_overtaken_is_thrown_away(site, visit):
    page = visit(site).page
    search(page, "cosmic film 4")
    like(page, "Cosmic film 4 (1953)")
    expect(page.locator("#basis")).to_have_text("From the film you like.")
    number = held_back(page, "/v1/recommendations")
    page.get_by_role("slider").press("Home")
    early = number(1)
    page.get_by_role("slider").press("End")
    number(2).continue_()
    late = of_api(ask(site, ["4"], alpha=1))
    expect(page.locator("#recommended .name")).to_have_text(late)
    with page.expect_response("**/v1/recommendations"):
        early.continue_()
    page.wait_for_timeout(200)
    assert titles(page) == late != of_api(ask(site, ["4"], alpha=0))


def test_a_click_counts_when_it_is_kept_and_goes_again_under_its_key(site, visit):
    one = visit(site)
    page = one.page
    become(page, "ben")
    search(page, "cosmic film 4")
    number, asked = held_back(page, "/v1/events"), len(one.asked)
    button = page.locator("#found").get_by_role("button", name="Like Cosmic film 4 (1953)", exact=True)
    button.click()
    lost = number(1)
    assert "GET /v1/recommendations" not in one.asked[asked:] and page.locator("#picked > li").count() == 0
    lost.abort()
    expect(page.get_by_role("alert")).to_have_text("The service does not answer. This click was not kept: click again.")
    assert page.locator("#picked > li").count() == 0
    button.click()
    again = number(2)
    assert again.request.headers["idempotency-key"] == lost.request.headers["idempotency-key"]
    again.continue_()
    expect(page.locator("#picked")).to_contain_text("Cosmic film 4")
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("#basis")).to_have_text("From the film known of ben.")


def test_the_time_of_an_answer_is_shown(site, visit):
    page = visit(site).page
    expect(page.locator("#latency")).to_contain_text("This list took")
    said = page.locator("#latency").inner_text()
    milliseconds = float(said.split()[3])
    assert 0 < milliseconds < 5_000
    tells = "server-timing" in ask(site, []).headers
    assert ("of it in the service" in said) == tells


def test_a_new_film_can_be_recommended_and_shows_who_gets_it(site, visit):
    page = visit(site).page
    search(page, "cosmic film 8")
    like(page, "Cosmic film 8 (1957)")
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    page.get_by_label("Title (needed)").fill("Cosmic film 99")
    page.get_by_label("Year").fill("2049")
    page.get_by_label("Genres").fill("Drama, ")
    page.get_by_label("What it is about", exact=True).fill("More of the same.")
    page.get_by_role("button", name="Add the film").click()
    expect(page.locator("#added-note")).to_have_text("Cosmic film 99 (2049) can be recommended now.")
    expect(page.locator("#added")).to_contain_text("Who gets it")
    found = httpx.get(f"{site}/v1/items", params={"query": "cosmic film 99"}).json()["items"][0]
    assert found["genres"] == ["Drama"]
    path = f"{site}/v1/items/{found['item_id']}/audience"
    few, audience = (httpx.get(path, params={"alpha": 1, "k": k}).json() for k in (10, 100))
    said = page.locator("#added").inner_text()
    assert 0 < few["num_reached"] < audience["num_reached"] == 40
    assert f"Of 40 people of the training data, {few['num_reached']} find it among their first 10, 40 among" in said
    assert all(f"User {reader['user_id']}, place {reader['rank']}." in said for reader in audience["readers"])
    shown = ask(site, ["8"], k=100, alpha=1).json()["items"]
    place = [item["item_id"] for item in shown].index(found["item_id"]) + 1
    assert f"In your own list it is at place {place}." in said
    page.locator("#added").get_by_role("button", name="Like Cosmic film 99 (2049)").click()
    expect(page.locator("#picked")).to_contain_text("Cosmic film 99")
    search(page, "cosmic film 99")
    assert page.locator("#found .name").first.inner_text() == "Cosmic film 99 (2049)"


def test_titles_and_answers_that_hold_html_are_shown_as_text(site, visit):
    page = visit(site).page
    shown = f"{HOSTILE} (2006)"
    search(page, "<img")
    assert page.locator("#found .name").first.inner_text() == shown
    like(page, shown)
    expect(page.locator("#recommended .why").first).to_contain_text(HOSTILE)
    become(page, "eve")
    like(page, shown)
    page.locator("summary").first.click()
    expect(page.locator("details .parts").first).to_contain_text(HOSTILE)
    page.get_by_label("Title (needed)").fill(f"{HOSTILE} again")
    page.get_by_label("Genres").fill("<script>document.title='hacked'</script>")
    page.get_by_role("button", name="Add the film").click()
    expect(page.locator("#added")).to_contain_text(HOSTILE)
    search(page, "<i>no such film</i>")
    page.get_by_label("User id").fill("<b>")
    page.get_by_role("button", name="Be this user").click()
    assert page.title() == "Graphs and Words: films for you"
    assert page.locator("img, main script, main i, main b b").count() == 0
    assert page.locator("#who-note").inner_text() == "You are user eve.", "the browser refuses such a name"


def test_forget_me_needs_the_admin_and_then_nothing_is_left(site, visit):
    page = visit(site).page
    search(page, "cosmic film 6")
    like(page, "Cosmic film 6 (1955)")
    page.get_by_role("button", name="Forget me").click()
    expect(page.locator("#picked > li")).to_have_count(0)
    become(page, "leaver")
    like(page, "Cosmic film 6 (1955)")
    page.get_by_role("button", name="Forget me").click()
    page.get_by_label("Admin token").fill("wrong")
    page.get_by_role("button", name="Forget for good").click()
    expect(page.locator("#forget-trouble")).to_have_text("This is not the admin's token.")
    page.get_by_label("Admin token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#who-note")).to_have_text("leaver is forgotten: 1 event deleted.")
    assert page.locator("dialog").is_hidden() and page.locator("#picked > li").count() == 0
    expect(page.locator("#basis")).to_contain_text("What is popular")
    assert httpx.get(f"{site}/v1/recommendations", params={"user_id": "leaver"}).status_code == 404
    page.get_by_role("button", name="Forget me").click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()


def test_a_server_that_is_down_is_told_and_its_return_is_noticed(page_bundle, tmp_path, visit):
    options = (page_bundle, tmp_path / "events.sqlite3", "--no-encoder")
    with serving(*options) as (address, process):
        page = visit(address).page
        search(page, "cosmic film 2")
        like(page, "Cosmic film 2 (1951)")
        page.get_by_label("Title (needed)").fill("Another")
        page.get_by_role("button", name="Add the film").click()
        expect(page.locator("#added-note")).to_contain_text("text encoder is not loaded")
        before = titles(page)
        process.kill()
        process.wait()
        page.locator("#recommended").get_by_role("button").first.click()
        expect(page.get_by_role("alert")).to_contain_text("The service does not answer.")
        expect(page.locator("#picked > li")).to_have_count(2)
        assert titles(page) == before, "the old list stays readable"
    with serving(*options, "--port", address.rsplit(":", 1)[1]):
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.locator("#basis")).to_have_text("From the 2 films you like.")
        assert before[0] not in titles(page)


def test_too_many_requests_are_told_and_asked_again_later(page_bundle, tmp_path, visit):
    with serving(page_bundle, tmp_path / "events.sqlite3", "--no-encoder", "--rate-limit", "0.5") as (address, _):
        page = visit(address).page
        search(page, "cosmic film 2")
        like(page, "Cosmic film 2 (1951)")
        expect(page.locator("#basis")).to_have_text("From the film you like.")
        with httpx.Client(base_url=address) as client:
            assert 429 in [client.get("/v1/items/1").status_code for _ in range(250)]
        page.get_by_role("button", name="Remove Cosmic film 2").click()
        expect(page.get_by_role("alert")).to_contain_text("Too many requests at once.")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.locator("#basis")).to_contain_text("What is popular")


def test_picked_films_that_a_new_bundle_lacks_are_dropped(site, visit):
    page = visit(site).page
    search(page, "cosmic film 2")
    like(page, "Cosmic film 2 (1951)")
    like(page, "Cosmic film 28 (1977)")
    page.evaluate("""() => {
        const kept = sessionStorage['graphs-and-words']
        sessionStorage['graphs-and-words'] = kept.replace('"item_id":"28"', '"item_id":"of-another-bundle"')
    }""")
    page.reload()
    expect(page.locator("#basis")).to_have_text("From the film you like.")
    expect(page.locator("#picked > li")).to_have_count(1)


def test_a_missing_browser_skips_these_tests_or_fails_them_where_it_is_needed(monkeypatch):
    monkeypatch.setenv("COURSE_BROWSER", "no-such-browser")
    monkeypatch.delenv("COURSE_NEED_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no browser here \\(no-such-browser\\): install chromium"):
        browser_binary()
    monkeypatch.setenv("COURSE_NEED_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="install chromium"):
        browser_binary()
