"""`course profiles`: the estimate comes first, nothing is sent unasked, and exit codes tell what was left."""

import json
import os
import sys
from pathlib import Path

import pytest
import torch
from model_server import GOOD, ModelServer
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from typer.testing import CliRunner, Result

from course_lib.cli import app
from course_lib.text.generate_prompt import write_prompt

pytest_plugins = ["model_room"]
TITLES = ["Toy Story", "Ran", "Il Postino"]
ESTIMATE = "3 items to ask about: about "


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "items.csv"
    path.write_text("item_id,title\n" + "".join(f"{row},{title}\n" for row, title in enumerate(TITLES)), "utf-8")
    return path


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("COURSE_LLM_")]:
        monkeypatch.delenv(name)


def named(server: ModelServer) -> dict[str, str]:
    return {"COURSE_LLM_URL": server.url, "COURSE_LLM_MODEL": "small"}


def profiles(*arguments: str | Path, server: ModelServer | None = None) -> Result:
    """`course profiles` in this process (the imports take seconds) and without a person at the keyboard."""
    return CliRunner().invoke(app, ["profiles", *map(str, arguments)], env=named(server) if server else {})


def titles(output: Path) -> list[str]:
    return [json.loads(line)["title"] for line in output.read_text(encoding="utf-8").splitlines()]


def test_nobody_to_ask_means_nothing_is_sent(server: ModelServer, catalogue: Path, tmp_path: Path) -> None:
    done = profiles(catalogue, "--output", tmp_path / "profiles.jsonl", server=server)
    assert (done.exit_code, server.asked) == (1, [])
    assert done.stdout.startswith(ESTIMATE) and "no prices given" in done.stdout and "--yes" in done.stdout
    assert done.stderr == "course: 3 items have no profile; the same command goes on with them\n"


def test_yes_writes_the_profiles_and_a_second_run_has_nothing_to_do(
    server: ModelServer, catalogue: Path, tmp_path: Path
) -> None:
    output = tmp_path / "new" / "profiles.jsonl"
    done = profiles(catalogue, "--output", output, "--kind", "film", "--yes", server=server)
    assert (done.exit_code, titles(output)) == (0, TITLES)
    assert done.stdout.startswith(ESTIMATE) and "3 written" in done.stdout
    asked = [request["messages"][0]["content"] for request in server.asked]
    assert asked == [write_prompt({"title": title}, "film") for title in TITLES]
    again = profiles(catalogue, "--output", output, server=server)  # without --yes: there is nothing to confirm
    assert (again.exit_code, len(server.asked)) == (0, 3)
    assert again.stdout.startswith("0 items to ask about") and "3 were there" in again.stdout


@pytest.mark.parametrize(("answer", "written"), [(b"y\n", TITLES), (b"n\n", []), (b"\n", [])])
def test_a_person_is_asked_after_the_estimate(
    answer: bytes,
    written: list[str],
    server: ModelServer,
    catalogue: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pty = pytest.importorskip("pty", reason="only Unix has terminals of this kind")
    output = catalogue.with_name("profiles.jsonl")
    for name, value in named(server).items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    with os.fdopen(theirs, encoding="utf-8") as keyboard, pytest.raises(SystemExit) as left:
        monkeypatch.setattr(sys, "stdin", keyboard)
        app(["profiles", str(catalogue), "--output", str(output)])
    os.close(ours)
    shown = capsys.readouterr()
    assert shown.out.index(ESTIMATE) < shown.out.index("Ask the model now? [y/N]")
    assert len(server.asked) == len(written)
    if written:
        assert (left.value.code, titles(output), shown.out.count("3 written")) == (0, written, 1)
    else:
        assert (left.value.code, output.exists(), shown.err) == (1, False, "Aborted!\n")


def test_items_that_fail_leave_with_1_and_the_others_are_kept(
    server: ModelServer, catalogue: Path, tmp_path: Path
) -> None:
    output = tmp_path / "profiles.jsonl"
    server.script = [json.dumps(GOOD), "no", "no", "no"]
    done = profiles(catalogue, "--output", output, "--yes", server=server)
    assert (done.exit_code, titles(output)) == (1, ["Toy Story", "Il Postino"])
    assert "item 1: 3 answers refused" in done.stdout
    assert done.stderr.endswith("course: 1 items have no profile; the same command goes on with them\n")
    assert profiles(catalogue, "--output", output, "--yes", server=server).exit_code == 0
    assert titles(output) == ["Toy Story", "Il Postino", "Ran"]


def test_what_is_missing_is_said_in_one_message(server: ModelServer, catalogue: Path, tmp_path: Path) -> None:
    output = tmp_path / "profiles.jsonl"
    unnamed = profiles(catalogue, "--output", output, "--yes")
    assert (unnamed.exit_code, unnamed.stdout) == (1, "")
    assert unnamed.stderr == (
        "course: no language model is named: set COURSE_LLM_URL and COURSE_LLM_MODEL, or name a local model\n"
    )
    catalogue.write_text("title\nRan\n", encoding="utf-8")
    no_ids = profiles(catalogue, "--output", output, "--yes", server=server)
    assert (no_ids.exit_code, no_ids.stderr) == (1, "course: items lack the column item_id; they have title\n")
    assert server.asked == []


def test_a_local_model_needs_no_server(catalogue: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gpt"
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator([write_prompt({"title": "Toy Story"})], vocab_size=400, special_tokens=["<end>"])
    PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, eos_token="<end>").save_pretrained(folder)
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=bpe.get_vocab_size(), n_positions=512, n_embd=16, n_layer=1, n_head=2)
    GPT2LMHeadModel(config).save_pretrained(folder)
    output = tmp_path / "profiles.jsonl"
    done = profiles(catalogue, "--output", output, "--local-model", folder, "--yes")
    assert (done.exit_code, titles(output)) == (1, [])  # it has learnt nothing, so no answer is a profile
    assert done.stdout.startswith(ESTIMATE) and "0 written, 0 were there, 3 failed" in done.stdout
    assert done.stderr.endswith("course: 3 items have no profile; the same command goes on with them\n")
