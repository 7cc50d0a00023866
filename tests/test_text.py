"""The text room: pooling, batches, the cache of vectors, finding the model, and bad input."""

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from course_lib import sources
from course_lib.sources import SourceError
from course_lib.text import vector_cache
from course_lib.text.encoder import TextEncoder, pool

pytest_plugins = ["text_room"]

TEXTS = [
    "a cat",
    "Star Wars (1977). Action, Sci-Fi.",
    "a much longer text about two dogs and a garden gate",
    "dog",
    "不",
]


@pytest.fixture(scope="module")
def tiny_loaded(one_thread: None, tiny_folder: Path) -> dict[str, Any]:
    """What an encoder around the tiny BERT loads: shared, so that not every example loads it again."""
    encoder = TextEncoder(str(tiny_folder), device="cpu", max_length=32)
    return {name: getattr(encoder, name) for name in ("key", "dim", "tokenizer", "bert")}


def rows_seen(encoder: TextEncoder) -> list[int]:
    """A list that grows by the number of texts in each batch that the model gets from now on."""
    seen: list[int] = []
    encoder.bert.embeddings.register_forward_pre_hook(
        lambda module, arguments, named: seen.append(len(named["input_ids"])), with_kwargs=True
    )
    return seen


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [("mean", [[2.0, 3.0], [5.0, -1.0]]), ("cls", [[1.0, 2.0], [5.0, -1.0]]), ("max", [[3.0, 4.0], [5.0, -1.0]])],
)
def test_pooling_by_hand_and_padding_never_counts(pooling: str, expected: list[list[float]]) -> None:
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, -1.0], [1e30, torch.inf]]])
    attention_mask = torch.tensor([[1, 1], [1, 0]])
    assert pool(hidden, attention_mask, pooling).tolist() == expected


def test_real_vectors_are_those_of_the_plain_computation(minilm: TextEncoder, empty_cache: Path) -> None:
    expected = []
    with torch.inference_mode():
        for text in TEXTS:  # one by one: no padding, no mask, no batches
            ids = torch.tensor([minilm.tokenizer.encode(text)])
            expected.append(minilm.bert(input_ids=ids).last_hidden_state[0].mean(dim=0).numpy())
    vectors = minilm.encode(TEXTS)
    assert (vectors.dtype, vectors.shape, minilm.dim) == (np.float32, (5, 384), 384)
    np.testing.assert_allclose(vectors, np.stack(expected), rtol=1e-3, atol=1e-4)  # float16 has 11 bits


def test_vectors_know_what_words_mean(minilm: TextEncoder, empty_cache: Path) -> None:
    vectors = minilm.encode(
        ["a film about a war among the stars", "space opera", "cheese, sold in grocery", "🎬🍿", "你好"]
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = vectors @ vectors[0]
    assert likeness[1] > likeness[2] + 0.1
    assert np.isfinite(vectors).all() and not np.allclose(vectors[3], vectors[4])


def test_tokens_are_shown_as_the_model_reads_them(minilm: TextEncoder) -> None:
    assert minilm.tokens("Gattaca rocks!") == ["[CLS]", "ga", "##tta", "##ca", "rocks", "!", "[SEP]"]


@settings(max_examples=15)
@given(order=st.permutations(range(len(TEXTS))), batch_size=st.integers(1, 6), pooling=st.sampled_from(["mean", "max"]))
def test_neither_batches_nor_order_matter(
    tiny_loaded: dict[str, Any], order: list[int], batch_size: int, pooling: str
) -> None:
    def vectors(texts: list[str], batch_size: int) -> np.ndarray:
        encoder = TextEncoder("tiny", pooling, 32, "cpu", batch_size)
        vars(encoder).update(tiny_loaded)
        with tempfile.TemporaryDirectory() as cache, pytest.MonkeyPatch.context() as patch:
            patch.setenv("COURSE_CACHE_DIR", cache)
            return encoder.encode(texts, progress=False)

    mixed = vectors([TEXTS[place] for place in order], batch_size)
    np.testing.assert_allclose(mixed, vectors(TEXTS, 1)[order], rtol=2e-3, atol=1e-3)


def test_each_text_goes_through_the_model_once(tiny: TextEncoder) -> None:
    seen = rows_seen(tiny)
    vectors = tiny.encode(["cat", "dog", "cat", " ", "cat"])
    assert seen == [2]
    assert (vectors[0] == vectors[2]).all() and (vectors[0] == vectors[4]).all()
    tiny.encode(["bird", "dog", "cat"])
    assert seen == [2, 1]  # only the bird was new


def test_second_run_returns_the_same_without_the_model(tiny: TextEncoder, tiny_folder: Path) -> None:
    first = tiny.encode(TEXTS)
    again = TextEncoder(str(tiny_folder), max_length=32, device="cpu")
    assert (again.encode(list(reversed(TEXTS)))[::-1] == first).all()
    assert not {"bert", "tokenizer"} & set(vars(again))
    assert (first == first.astype(np.float16)).all()


def test_vectors_of_another_setting_are_not_taken(tiny: TextEncoder, tiny_folder: Path) -> None:
    mean = tiny.encode(TEXTS)
    assert not np.allclose(TextEncoder(str(tiny_folder), "cls", 32).encode(TEXTS), mean)


@pytest.mark.parametrize("damage", ["truncated", "one bit", "not ours", "empty"])
def test_damaged_cache_is_reported_and_made_again(tiny: TextEncoder, damage: str) -> None:
    expected = tiny.encode(TEXTS)
    path = vector_cache.path_of(tiny.key)
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    damaged = {"truncated": content[:-50], "one bit": content, "not ours": b"some text" * 20, "empty": b""}
    path.write_bytes(damaged[damage])
    with pytest.warns(UserWarning, match=f"{tiny.key}.safetensors is damaged and will be made again"):
        assert (tiny.encode(TEXTS) == expected).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (tiny.encode(TEXTS) == expected).all()


def test_processes_add_to_one_cache(tmp_path: Path) -> None:
    path = tmp_path / "vectors" / "key.safetensors"
    cat, dog, cow = (vector_cache.digest_of(text) for text in ("cat", "dog", "cow"))
    vector_cache.add(path, [cat, dog], np.array([[1, 2], [3, 4]], np.float16), np.array([False, True]))
    both = vector_cache.add(path, [dog, cow], np.array([[9, 9], [5, 6]], np.float16), np.array([False, False]))
    assert both.vectors.tolist() == [[1, 2], [3, 4], [5, 6]]  # the dog keeps the vector that was there first
    assert (both.row, both.cut.tolist()) == ({cat: 0, dog: 1, cow: 2}, [False, True, False])
    assert vector_cache.load(path).vectors.tolist() == both.vectors.tolist()
    assert sorted(one.name for one in path.parent.iterdir()) == ["key.safetensors", "key.safetensors.lock"]


def test_text_without_words_is_zero_and_the_model_is_not_asked(tiny: TextEncoder) -> None:
    assert tiny.encode(["", " \n\t"]).tolist() == [[0.0] * 16] * 2
    assert tiny.encode([]).shape == (0, 16)
    assert "bert" not in vars(tiny)
    vectors = tiny.encode(["cat", ""])
    assert vectors[0].any() and not vectors[1].any()


@pytest.mark.parametrize(
    ("bad", "said"),
    [(None, "is None"), (float("nan"), "is nan"), (7, "is 7"), (b"cat", "is b'cat'"), ("\ud83d", "lone surrogate")],
)
def test_what_is_not_a_text_is_named_with_its_position(tiny: TextEncoder, bad: object, said: str) -> None:
    with pytest.raises(ValueError, match=rf"texts\[2\].*{said}"):
        tiny.encode(["cat", "", bad])  # type: ignore[list-item]


def test_one_string_is_not_a_list_of_texts(tiny: TextEncoder) -> None:
    with pytest.raises(ValueError, match="one string; give a list"):
        tiny.encode("cat")


def test_long_text_is_cut_with_one_announcement(tiny: TextEncoder) -> None:
    long = "garden " * 10_000
    for _ in range(2):  # encoded, then from the cache
        with pytest.warns(UserWarning, match="2 of 4 texts are longer than max_length, 32 tokens") as caught:
            vectors = tiny.encode([long, "cat", "garden " * 30, "gate " * 31])
        assert len(caught) == 1
    np.testing.assert_allclose(vectors[0], vectors[2], rtol=2e-3, atol=1e-3)  # [CLS], 30 words and [SEP] just fit


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"pooling": "sum"}, "choose one of mean, cls, max"),
        ({"max_length": 2}, "max_length is 2"),
        ({"batch_size": 0}, "batch"),
    ],
)
def test_settings_that_make_no_sense(setting: dict[str, str | int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TextEncoder(**setting)  # type: ignore[arg-type]


def test_max_length_beyond_the_model(tiny_folder: Path, empty_cache: Path) -> None:
    with pytest.raises(ValueError, match=r"max_length is 65, but .* reads 64 tokens at most"):
        TextEncoder(str(tiny_folder), max_length=65).encode(["cat"])


def test_key_needs_no_model_and_follows_the_weights(
    minilm_folder: Path, tiny_folder: Path, empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    key = TextEncoder().key  # nothing in the cache, no network
    assert key == TextEncoder(str(minilm_folder)).key == "c95e83383e09d602"  # the same on every machine
    assert (
        len({key, TextEncoder(pooling="max").key, TextEncoder(max_length=128).key, TextEncoder(str(tiny_folder)).key})
        == 4
    )
    changed = shutil.copytree(tiny_folder, tmp_path / "changed")
    content = bytearray((changed / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (changed / "model.safetensors").write_bytes(content)
    assert TextEncoder(str(changed)).key != TextEncoder(str(tiny_folder)).key


def test_damaged_model_is_reported_and_fetched_again(
    minilm_folder: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    copy = shutil.copytree(minilm_folder, empty_cache / "data" / "all-minilm-l6-v2")
    with (copy / "model.safetensors").open("r+b") as handle:
        handle.seek(1_000_000)
        handle.write(b"tampered")
    with pytest.raises(
        SourceError, match=r"(?s)1 of 10 files could not be obtained: model.safetensors.*SHA-256 53aa5117"
    ):
        TextEncoder().encode(["cat"])
    assert "model.safetensors is damaged and will be fetched again" in capsys.readouterr().err

    monkeypatch.setenv("COURSE_MIRROR", str(minilm_folder.parent))
    assert TextEncoder().encode(["cat"]).any()
    assert "model.safetensors is damaged and will be fetched again" in capsys.readouterr().err
    assert [state.state for state in sources.verify("all-minilm-l6-v2")] == ["ok"] * 10


def test_no_model_and_no_network(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        SourceError, match=r"(?s)bert-base-uncased: .*could not be obtained. Tried:.*manifest.*model hub: "
    ):
        TextEncoder("bert-base-uncased").encode(["cat"])  # the tests run without a network
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with pytest.raises(SourceError, match=r"(?s)the model hub: not tried, COURSE_OFFLINE is set.*Check the name"):
        TextEncoder("bert-base-uncased").encode(["cat"])
    with pytest.raises(
        SourceError, match=r"(?s)10 of 10 files could not be obtained.*not tried, COURSE_OFFLINE is set"
    ):
        TextEncoder().encode(["cat"])


def test_folders_that_hold_no_model(tmp_path: Path, empty_cache: Path) -> None:
    with pytest.raises(SourceError, match="there is no folder"):
        TextEncoder(str(tmp_path / "nowhere")).encode(["cat"])
    with pytest.raises(SourceError, match="'movielens-100k' is a dataset"):
        TextEncoder("movielens-100k").encode(["cat"])
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(SourceError, match="pickled weights are not read"):
        TextEncoder(str(tmp_path)).encode(["cat"])


def test_nothing_is_printed_and_the_random_state_stays(tiny_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "without-pooler")  # what it lacks is drawn at random, and reported
    weights = {name: one for name, one in load_file(folder / "model.safetensors").items() if "pooler" not in name}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    script = (
        "import sys, torch; from course_lib.text.encoder import TextEncoder; torch.manual_seed(1); "
        "before = torch.get_rng_state(); TextEncoder(sys.argv[1], max_length=32).encode(['cat'], progress=False); "
        "assert (torch.get_rng_state() == before).all()"
    )
    variables = {**os.environ, "COURSE_CACHE_DIR": str(tmp_path / "cache")}
    for name in ("HF_HUB_DISABLE_PROGRESS_BARS", "TRANSFORMERS_VERBOSITY", "TQDM_DISABLE"):
        variables.pop(name, None)
    command = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
