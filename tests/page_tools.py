"""What the page's tests build with: a browser's binary, a small text encoder, and the moves of a visitor."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from playwright.sync_api import Page, Route, expect
from serving_tools import TEXT_DIM
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import WordLevelTrainer

from course_lib.serving.onnx_encoder import FACTS, FLOAT32, TOKENIZER, OnnxEncoder

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"> film"
LONG = "Kilometrelangerfilmtitel" * 7
NAME_OF_FOCUSED = """() => {
    const one = document.activeElement
    return one.ariaLabel ?? one.labels?.[0]?.innerText ?? one.innerText ?? ''
}"""
expect.set_options(timeout=10_000)  # milliseconds, on a busy machine


def browser_binary() -> str:
    """The browser: the one that COURSE_BROWSER names, or the first that is found.

    Where there is none the test is skipped, or fails if COURSE_NEED_BROWSER is 1.
    """
    chosen = os.environ.get("COURSE_BROWSER")
    tried = (chosen,) if chosen else BROWSERS
    binary = next(filter(None, map(shutil.which, tried)), None)
    if binary is None:
        reason = f"no browser here ({', '.join(tried)}): install chromium, or name a browser in COURSE_BROWSER"
        (pytest.fail if os.environ.get("COURSE_NEED_BROWSER") == "1" else pytest.skip)(reason)
    return binary


def write_encoder(folder: Path, texts: list[str]) -> OnnxEncoder:
    """A text encoder that is a table of word vectors and their mean: made without torch, in no time."""
    tokenizer = Tokenizer(WordLevel({"[PAD]": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.train_from_iterator(texts, WordLevelTrainer(special_tokens=["[PAD]", "[UNK]"]))
    table = np.random.default_rng(0).standard_normal((tokenizer.get_vocab_size(), TEXT_DIM)).astype(np.float32)
    steps = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["words", "column"], ["written"]),
        helper.make_node("ReduceSum", ["written", "first"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask", "first"], ["length"], keepdims=1),
        helper.make_node("Div", ["sum", "length"], ["vectors"]),
    ]
    constants = {"table": table, "last": np.array([2]), "first": np.array([1])}
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", TEXT_DIM])]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(steps, "mean of words", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    facts = {"key": "words of the page", "dim": TEXT_DIM, "max_length": 32, "pad_id": 0, "pad_token": "[PAD]"}
    folder.mkdir()
    (folder / FLOAT32).write_bytes(model.SerializeToString())
    (folder / TOKENIZER).write_text(tokenizer.to_str(), encoding="utf-8")
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    return OnnxEncoder.of_folder(folder)


def titles(page: Page) -> list[str]:
    """The recommended films, as shown."""
    return page.locator("#recommended .name").all_inner_texts()


def of_api(answer: httpx.Response) -> list[str]:
    """The films of an answer, as the page shows them."""
    items = answer.json()["items"]
    return [f"{item['title']} ({item['year']})" if item["year"] else item["title"] for item in items]


def ask(address: str, item_ids: list[str], **more: float) -> httpx.Response:
    """Recommendations for these films, without the page."""
    return httpx.post(f"{address}/v1/recommendations", json={"item_ids": item_ids, **more})


def search(page: Page, text: str) -> None:
    """Type into the search field, and wait for the films."""
    page.get_by_label("Title, or what it is about").fill(text)
    expect(page.locator("#found-note")).to_contain_text(f"“{text}”")


def like(page: Page, name: str) -> None:
    """Like one of the films found."""
    page.locator("#found").get_by_role("button", name=f"Like {name}", exact=True).click()
    expect(page.locator("#picked")).to_contain_text(name)


def become(page: Page, user: str) -> None:
    """Say who you are."""
    page.get_by_label("User id").fill(user)
    page.get_by_role("button", name="Be this user").click()
    expect(page.locator("#who-note")).to_have_text(f"You are user {user}.")


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(120):
        page.keyboard.press(key)
        if page.evaluate(NAME_OF_FOCUSED).startswith(name):
            return
    raise AssertionError(f"Tab never reaches {name!r}")


def held_back(page: Page, path: str) -> Callable[[int], Route]:
    """Requests to a path, kept until the test lets them go."""
    held: list[Route] = []
    page.route(f"**{path}*", lambda route: held.append(route))

    def number(count: int) -> Route:
        until = time.monotonic() + 10
        while len(held) < count and time.monotonic() < until:
            page.wait_for_timeout(20)
        assert len(held) == count
        return held[-1]

    return number


def fill_everything(page: Page) -> None:
    """All that can be on the page, long titles included."""
    become(page, "wide")
    search(page, LONG)
    like(page, f"{LONG} (2008)")
    expect(page.locator("#basis")).to_have_text("From the film known of wide.")
    page.locator("summary").first.click()
    expect(page.locator("details .parts").first).to_contain_text(LONG)
    page.get_by_label("Title (needed)").fill(LONG)
    page.get_by_role("button", name="Add the film").click()
    expect(page.locator("#added")).to_contain_text("Who gets it")
