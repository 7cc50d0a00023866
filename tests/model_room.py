"""Fixtures around the model server; test modules name this file in `pytest_plugins`."""

import threading
from collections.abc import Iterator

import pytest
from model_server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """One that runs, and gives good answers until a test says otherwise."""
    with ModelServer([]) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()
