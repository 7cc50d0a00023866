"""Fixtures of the serving room's tests; test modules name this file in `pytest_plugins`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from serving_tools import TOKEN, make_bundle

from course_lib.serving.app import create_app
from course_lib.serving.bundle import Bundle, write
from course_lib.serving.scoring import unit
from course_lib.serving.service import Settings


@pytest.fixture
def bundle() -> Bundle:
    """Two camps, in memory."""
    return make_bundle()


@pytest.fixture
def bundle_folder(bundle: Bundle, tmp_path: Path) -> Path:
    """Two camps, on disk, without an encoder."""
    write(bundle, tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture(scope="session")
def onnx_folder(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two thin layers with random weights, as ONNX."""
    from course_lib.serving.onnx_encoder import export_encoder
    from course_lib.text.encoder import TextEncoder

    encoder = TextEncoder(str(tiny_folder), max_length=32, device="cpu")
    return export_encoder(encoder, tmp_path_factory.mktemp("onnx"))


@pytest.fixture
def encoder_bundle_folder(onnx_folder: Path, tmp_path: Path) -> Path:
    """Two camps with that encoder; titles are encoded by it, so that words can be searched."""
    from course_lib.serving.onnx_encoder import OnnxEncoder
    from course_lib.serving.texts import title_text

    encoder = OnnxEncoder.of_folder(onnx_folder)
    bundle = make_bundle(encoder_key=encoder.key, text_dim=encoder.dim)
    titles = encoder.encode([title_text(item) for item in bundle.items])
    means = np.stack([titles.mean(axis=0), titles.mean(axis=0)])
    words = replace(bundle, text_vectors=unit(titles - means[0]), text_means=means)
    write(words, tmp_path / "bundle", encoder=onnx_folder)
    return tmp_path / "bundle"


@pytest.fixture
def settings(bundle_folder: Path, tmp_path: Path) -> Settings:
    """A service without encoder and without a limit on requests."""
    return Settings(bundle_folder, tmp_path / "events.sqlite3", TOKEN, requests_per_second=0, load_encoder=False)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """That service, in this process. What the application raises becomes a response, as for a real client."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client
