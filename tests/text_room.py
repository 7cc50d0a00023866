"""Fixtures of the text room's tests; test modules name this file in `pytest_plugins`."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from course_lib import sources
from course_lib.text.encoder import TextEncoder

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")


@pytest.fixture(scope="session")
def minilm_folder() -> Path:
    """The real model, from the warm cache."""
    return sources.fetch("all-minilm-l6-v2")


@pytest.fixture(scope="session")
def minilm(minilm_folder: Path) -> TextEncoder:
    """The real encoder, loaded once; the vector cache is wherever the test has put it."""
    return TextEncoder(str(minilm_folder), device="cpu")


@pytest.fixture(scope="session")
def tiny_folder(minilm_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two thin layers with random weights and MiniLM's tokenizer: it knows nothing, and loads at once."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny-bert")
    for name in TOKENIZER_FILES:
        shutil.copy(minilm_folder / name, folder)
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=64
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def tiny(tiny_folder: Path, empty_cache: Path) -> TextEncoder:
    """An encoder around the tiny BERT, with nothing in the cache."""
    return TextEncoder(str(tiny_folder), max_length=32, device="cpu")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Threads only get into each other's way in a model this small, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def empty_cache(one_thread: None, tmp_path: Path) -> Iterator[Path]:
    """A cache folder of the test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE_DIR", str(tmp_path / "cache"))
        for variable in ("COURSE_MIRROR", "COURSE_OFFLINE", "HF_HUB_OFFLINE"):
            patch.delenv(variable, raising=False)
        yield tmp_path / "cache"
