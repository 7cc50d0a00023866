"""Item profiles by a language model: what is refused, what is asked again, what it costs, and what survives a kill."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from model_server import GOOD, ModelServer
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from course_lib.data import load_item_profiles
from course_lib.text import generate
from course_lib.text.generate_clients import Endpoint
from course_lib.text.generate_local import LocalModel
from course_lib.text.generate_prompt import BadAnswer, read_answer, write_prompt

KEY = "sk-secret-42"
pytest_plugins = ["model_room"]
TITLES = ["Toy Story", "Ran", "Il Postino"]
ITEMS = pd.DataFrame({"item_id": [7, 8, 9], "title": TITLES, "year": [1995.0, None, 1994.0]})
YEARS = [{"year": "1995"}, {}, {"year": "1994"}]


def endpoint(server: ModelServer, **more: Any) -> Endpoint:
    return Endpoint(server.url, "small", KEY, **({"timeout": 0.3, "first_wait": 0.01} | more))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny matrices are slower on two threads, and much slower where both cores are busy."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random GPT-2 of one layer with a tokenizer trained on the prompt itself."""
    folder = tmp_path_factory.mktemp("gpt")
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator([write_prompt({"title": "Toy Story"})], vocab_size=400, special_tokens=["<end>"])
    PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, eos_token="<end>").save_pretrained(folder)
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=bpe.get_vocab_size(), n_positions=1024, n_embd=16, n_layer=1, n_head=2)
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def test_the_courses_own_profiles_pass_the_check() -> None:
    for row in load_item_profiles().itertuples():
        answer = {"profile": row.profile, "keywords": list(row.keywords), "confidence": row.confidence}
        assert read_answer(json.dumps(answer)).model_dump() == answer


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"profile": "Too short."}, "profile Value error, has 2 words, not 15 to 60"),
        ({"profile": "word " * 61}, "has 61 words"),
        ({"profile": None}, "profile Input should be a valid string"),
        ({"keywords": ["a", "b", "c", "d"]}, "at least 5 items"),
        ({"keywords": list("abcdefghi")}, "at most 8 items"),
        ({"keywords": ["a", "b", "c", "d", "Loud"]}, "'Loud' is empty or not in lower case"),
        ({"keywords": ["a", "b", "c", "d", " "]}, "' ' is empty"),
        ({"keywords": ["a", "b", "c", "d", "a"]}, "hold one twice"),
        ({"confidence": "certain"}, "confidence Input should be 'high', 'low' or 'none'"),
    ],
)
def test_an_answer_outside_the_schema_is_refused_with_a_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadAnswer, match=reason):
        read_answer(json.dumps(GOOD | change))


@pytest.mark.parametrize("answer", ["", "I cannot do that.", '{"profile": "half', "}{", "[1, 2]", '{"a": "\\ud83d"}'])
def test_what_is_no_json_object_is_refused(answer: str) -> None:
    with pytest.raises(BadAnswer):
        read_answer(answer)


def test_fences_and_thoughts_are_let_pass() -> None:
    answer = f"<think>Perhaps {{this}}?</think>Here it is:\n```json\n{json.dumps(GOOD, indent=1)}\n```"
    assert read_answer(answer).model_dump() == GOOD


def test_every_kind_of_trouble_ends_in_the_right_record(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.script = [
        '{"profile": "broken',
        json.dumps(GOOD | {"confidence": "very"}),
        (429, {"Retry-After": "1"}),
        (500, {}),
        0.6,  # longer than the time-out
    ]
    report = generate.write_profiles(ITEMS[:1], endpoint(server), tmp_path / "profiles.jsonl", "film", confirmed=True)
    assert (report.written, report.failed, len(server.asked)) == (1, {}, 6)
    assert lines(report.path) == [{"item_id": 7, "title": "Toy Story", "year": "1995", **GOOD}]
    assert server.times[3] - server.times[2] >= 1.0  # as Retry-After asks
    complaint = server.asked[2]["messages"][-1]["content"]
    assert "refused: confidence Input should be 'high', 'low' or 'none'" in complaint
    assert server.asked[2]["model"] == "small" and server.keys == [f"Bearer {KEY}"] * 6
    shown = capsys.readouterr().out
    assert "429: asking again in 1.0 s" in shown and "500: asking again" in shown and "ReadTimeoutError" in shown


def test_waits_double_and_end(server: ModelServer, tmp_path: Path) -> None:
    server.script = [(503, {})] * 4
    client = endpoint(server, retries=3, first_wait=0.05)
    report = generate.write_profiles(ITEMS[:2], client, tmp_path / "profiles.jsonl", confirmed=True)
    waits = [later - earlier for earlier, later in zip(server.times[:3], server.times[1:4], strict=True)]
    assert all(wait >= least for wait, least in zip(waits, [0.05, 0.1, 0.2], strict=True)) and waits[2] < 1.0
    assert report.written == 1 and "answered 503" in report.failed["7"]


def test_an_unreasonable_wait_is_shortened(server: ModelServer) -> None:
    server.script = [(429, {"Retry-After": "86400"})]
    began = time.monotonic()
    assert "cowboy" in endpoint(server, longest_wait=0.05).ask([{"role": "user", "content": "?"}])
    assert time.monotonic() - began < 5


def test_a_wrong_key_ends_the_run_at_once_and_is_never_shown(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.script = [json.dumps(GOOD), (401, {})]
    client = endpoint(server)
    report = generate.write_profiles(ITEMS, client, tmp_path / "profiles.jsonl", confirmed=True)
    assert (report.written, report.failed, report.not_asked, len(server.asked)) == (1, {}, 2, 2)
    assert 'answered 401: {"error": "no, Bearer ***"}' in report.stopped
    everything = f"{capsys.readouterr()}{report}{client!r}{[path.read_bytes() for path in tmp_path.iterdir()]}"
    assert KEY not in everything


def test_an_address_that_does_not_answer_is_named(tmp_path: Path) -> None:
    client = Endpoint("http://127.0.0.1:9/v1", "small", retries=1, first_wait=0.01)
    many = pd.DataFrame({"item_id": range(8), "title": "Ran"})
    report = generate.write_profiles(many, client, tmp_path / "profiles.jsonl", confirmed=True)
    assert (report.written, len(report.failed), report.not_asked) == (0, 5, 3)
    assert report.stopped == "5 items in a row failed" and "127.0.0.1" in report.failed["0"]


def test_what_is_no_chat_completion_fails_the_item_alone(server: ModelServer, tmp_path: Path) -> None:
    server.script = [(400, {}), (302, {"Location": "/elsewhere"}), ""]
    server.script += ["still nothing", "{}"]
    report = generate.write_profiles(ITEMS, endpoint(server), tmp_path / "profiles.jsonl", confirmed=True)
    assert list(report.failed) == ["7", "8", "9"] and "answered 400" in report.failed["7"]
    assert "answered 302" in report.failed["8"]  # not followed: the key stays with the address it was meant for
    assert report.failed["9"].startswith("3 answers refused, the last: profile Field required; keywords")
    again = generate.write_profiles(ITEMS, endpoint(server), tmp_path / "profiles.jsonl", confirmed=True)
    assert (again.written, again.skipped, again.failed) == (3, 0, {})


def test_the_cost_is_told_before_anything_is_sent(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "profiles.jsonl"
    report = generate.write_profiles(ITEMS, endpoint(server), path, "film", generate.Prices(1000.0, 2000.0))
    shown = capsys.readouterr().out
    prompts = [write_prompt({"title": title, **year}, "film") for title, year in zip(TITLES, YEARS, strict=True)]
    tokens = sum(-(-len(prompt.encode()) * 2 // 7) for prompt in prompts)  # 3.5 bytes each, rounded up
    cost = (tokens * 1000 + 330 * 2000) / 1e6
    assert f"3 items to ask about: about {tokens:,} tokens of prompts and 330 of answers; about {cost:.2f}" in shown
    assert (server.asked, report.not_asked, path.exists()) == ([], 3, False)
    assert "nothing was sent; to go on, say confirmed=True" in report.stopped

    generate.write_profiles(ITEMS, endpoint(server), path, "film", confirmed=True)
    assert [request["messages"][0]["content"] for request in server.asked] == prompts
    assert "no prices given" in capsys.readouterr().out
    assert generate.write_profiles(ITEMS, endpoint(server), path).skipped == len(server.asked) == 3


def test_a_killed_run_loses_no_finished_item(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, path = tmp_path / "items.csv", tmp_path / "profiles.jsonl"
    catalogue.write_text("item_id,title\n" + "".join(f"{i},NA\n" for i in range(30)), encoding="utf-8")
    for name, value in {"URL": server.url, "MODEL": "small", "KEY": KEY}.items():
        monkeypatch.setenv(f"COURSE_LLM_{name}", value)
    code = "import sys; from course_lib.text import generate; generate.run(*sys.argv[1:], confirmed=True)"
    server.script = [0.05] * 30
    command = [sys.executable, "-c", code, str(catalogue), str(path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(server.asked) < 4:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    finished = len(lines(path))
    assert 3 <= finished < 30

    again = generate.run(catalogue, path, confirmed=True)
    assert (again.written, again.skipped, again.failed) == (30 - finished, finished, {})
    assert [(line["item_id"], line["title"]) for line in lines(path)] == [(str(i), "NA") for i in range(30)]
    assert len(server.asked) <= 31  # all once, but for the one in flight


def test_a_line_cut_short_is_told_and_asked_again(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "profiles.jsonl"
    whole = [json.dumps({"item_id": item_id, "title": "x", "year": "", **GOOD}) for item_id in (7, 8)]
    path.write_text(f"{whole[0]}\n{whole[1][:50]}", encoding="utf-8")
    assert generate.write_profiles(ITEMS, endpoint(server), path, confirmed=True).skipped == 1
    assert "line 2, the last, was cut off" in capsys.readouterr().out
    assert [line["item_id"] for line in lines(path)] == [7, 8, 9]

    path.write_text("\n".join(whole), encoding="utf-8")  # only the end of the line was lost
    assert generate.write_profiles(ITEMS, endpoint(server), path, confirmed=True).written == 1
    assert [line["item_id"] for line in lines(path)] == [7, 8, 9]

    path.write_text(f"{whole[0][:50]}\n{whole[1]}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1 is no profile"):
        generate.write_profiles(ITEMS, endpoint(server), path, confirmed=True)


def test_two_runs_never_write_into_one_file(server: ModelServer, tmp_path: Path) -> None:
    path = tmp_path / "profiles.jsonl"
    with generate.FileLock(f"{path}.lock"), pytest.raises(RuntimeError, match="another run"):
        generate.write_profiles(ITEMS, endpoint(server), path, confirmed=True)
    assert server.asked == []


def test_a_random_local_model_is_refused_and_counted(tiny_model: Path, tmp_path: Path) -> None:
    client = LocalModel(str(tiny_model), max_new_tokens=8, device="cpu")
    prompt = [{"role": "user", "content": write_prompt({"title": "Toy Story"})}]
    assert client.count_tokens(prompt) == len(client.tokenizer(prompt[0]["content"] + "\n\n")["input_ids"])
    assert client.ask(prompt) == client.ask(prompt) != ""
    many = pd.DataFrame({"item_id": range(8), "title": "Toy Story"})
    report = generate.write_profiles(many, client, tmp_path / "profiles.jsonl", confirmed=True, attempts=2)
    assert (report.written, len(report.failed), report.not_asked) == (0, 5, 3)
    assert all(reason.startswith("2 answers refused, the last: no JSON object") for reason in report.failed.values())
    assert lines(report.path) == []


def test_a_prompt_longer_than_the_local_model_reads_fails_the_item(tiny_model: Path, tmp_path: Path) -> None:
    client = LocalModel(str(tiny_model), max_new_tokens=8, device="cpu")
    long = pd.DataFrame({"item_id": [1], "title": ["Ran"], "description": ["war " * 10_000]})
    report = generate.write_profiles(long, client, tmp_path / "profiles.jsonl", confirmed=True)
    assert "reads 1024" in report.failed["1"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({"title": ["Ran"]}, "lack the column item_id; they have title"),
        ({"item_id": [1, 2], "title": ["Ran", " "]}, "1 items have no title"),
        ({"item_id": [1, "1"], "title": ["Ran", "Ran"]}, "item_id 1 occurs twice"),
    ],
)
def test_a_catalogue_with_a_gap_is_refused(
    server: ModelServer, tmp_path: Path, items: dict[str, list[Any]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        generate.write_profiles(pd.DataFrame(items), endpoint(server), tmp_path / "profiles.jsonl", confirmed=True)
    assert server.asked == []


def test_the_environment_names_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_LLM_MODEL", raising=False)
    monkeypatch.setenv("COURSE_LLM_URL", "http://127.0.0.1:8000/v1/")
    with pytest.raises(ValueError, match="set COURSE_LLM_MODEL, or name a local model"):
        Endpoint.from_environment()
    monkeypatch.setenv("COURSE_LLM_MODEL", "small")
    assert Endpoint.from_environment().url == "http://127.0.0.1:8000/v1/chat/completions"
    with pytest.raises(ValueError, match="begin with http") as caught:
        Endpoint("llm.example.org", "small", KEY)
    with pytest.raises(ValueError, match="COURSE_LLM_KEY") as also_caught:
        Endpoint("http://127.0.0.1", "small", f"{KEY} {KEY}")
    assert KEY not in f"{caught.value}{also_caught.value}"
    monkeypatch.setenv("COURSE_LLM_PRICE_PROMPT", "0.15")
    assert generate.Prices.from_environment() is None
    monkeypatch.setenv("COURSE_LLM_PRICE_ANSWER", "0.6")
    assert generate.Prices.from_environment() == (0.15, 0.6)
