"""Where things live: the clone, its folders, and the user's cache."""

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "COURSE_CACHE_DIR"
PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent


def cache_dir() -> Path:
    """Folder for downloads and artefacts; move it with the environment variable COURSE_CACHE_DIR."""
    chosen = os.environ.get(CACHE_VARIABLE)
    folder = Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("graphs-and-words"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def in_clone() -> bool:
    """Whether the library runs from a clone (notebooks beside it) and not from an installed wheel."""
    return (ROOT / "notebooks").is_dir() and (ROOT / "pyproject.toml").is_file()


def datasets_dir() -> Path:
    """Folder with the manifest, cards and the data written for this course."""
    return _beside_or_packaged("datasets")


def results_dir() -> Path:
    """Folder with the recorded studies."""
    return _beside_or_packaged("results")


def _beside_or_packaged(name: str) -> Path:
    packaged = PACKAGE / f"_{name}"
    return packaged if packaged.is_dir() else ROOT / name
