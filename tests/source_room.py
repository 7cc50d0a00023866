"""The fixture of the data room's tests; test modules name this file in `pytest_plugins`."""

from pathlib import Path

import pytest

from course_lib import paths
from course_lib.sources import download


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, a datasets folder for a manifest, short waits, and nothing taken from the environment."""
    for variable in ("COURSE_MIRROR", "COURSE_OFFLINE", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("COURSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(paths, "datasets_dir", lambda: tmp_path / "datasets")
    monkeypatch.setattr(download, "BACKOFF", 0.01)
    return tmp_path
