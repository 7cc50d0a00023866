"""Where a language model lies: the course's own artefact, a folder, or the model hub.

Taught in 04_bert_encoding.
"""

import hashlib
import os
from fnmatch import fnmatch
from pathlib import Path

from course_lib.sources import Artefact, SourceError, fetch, load_manifest
from course_lib.sources.cache import OFFLINE_VARIABLE
from course_lib.sources.files import sha256_of

WEIGHTS = "model*.safetensors"  # the other format, a pickle, can run code while it is read
DECIDES_THE_VECTORS = (WEIGHTS, "tokenizer.json", "vocab.txt")
DOWNLOADED = ("*.json", "*.txt", WEIGHTS)


def model_folder(model: str) -> Path:
    """Folder with a model's weights, settings and tokenizer, fetched where it is not on this machine yet.

    Parameters
    ----------
    model : str
        Name of a model in `datasets/manifest.toml`, or a folder, or a name on the model hub ("bert-base-uncased").

    Raises
    ------
    SourceError
        Saying what was tried and what to do, where the model cannot be obtained.
    """
    if artefact := _artefact(model):
        return fetch(artefact.name)
    folder = Path(model).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or model.startswith((".", "~")):
            raise SourceError(f"there is no folder {folder}; give a model's folder, or its name")
        folder = _hub_folder(model)
    if not any(folder.glob(WEIGHTS)) or not (folder / "config.json").is_file():
        raise SourceError(
            f"{folder} is no model that can be used here: it needs config.json and {WEIGHTS} (weights as "
            "safetensors; pickled weights are not read). `model.save_pretrained(folder)` writes both."
        )
    return folder


def model_key(model: str) -> str:
    """64 hexadecimal digits that change with the weights or the vocabulary, wherever they lie.

    For a model of the manifest they come from the checksums there: nothing is read, nothing needs to be on disk.
    """
    if artefact := _artefact(model):
        checksums = {file.name: file.sha256 for file in artefact.files}
    else:
        folder = model_folder(model)
        names = [path.name for path in folder.iterdir() if _decides(path.name)]
        checksums = {name: sha256_of(folder / name) for name in names}
    parts = [f"{name} {checksum}" for name, checksum in sorted(checksums.items()) if _decides(name)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _decides(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in DECIDES_THE_VECTORS)


def _artefact(model: str) -> Artefact | None:
    artefact = load_manifest().get(model)
    if artefact is not None and artefact.kind != "model":
        raise SourceError(f"'{model}' is a dataset of the manifest, not a model")
    return artefact


def _hub_folder(name: str) -> Path:
    """The hub's files in its cache on this machine, downloaded where they are missing."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=list(DOWNLOADED), local_files_only=True))
        if any(folder.glob(WEIGHTS)):
            return folder
    except LocalEntryNotFoundError:
        pass  # not on this machine yet
    except ValueError as error:
        raise SourceError(_failure(name, error)) from error
    if os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0"):
        raise SourceError(_failure(name, f"not tried, {OFFLINE_VARIABLE} is set"))
    print(f"{name}: downloading from the model hub ...", flush=True)
    try:
        return Path(snapshot_download(name, allow_patterns=list(DOWNLOADED)))
    except (OSError, ValueError) as error:
        raise SourceError(_failure(name, error)) from error


def _failure(name: str, reason: object) -> str:
    known = ", ".join(artefact.name for artefact in load_manifest().values() if artefact.kind == "model")
    return "\n".join(
        [
            f"{name}: no such model on this machine, and it could not be obtained. Tried:",
            f"  - the manifest: its models are {known}",
            f"  - a folder of that name in {Path.cwd()}: there is none",
            "  - the model hub's cache on this machine: it is not in there",
            f"  - the model hub: {' '.join(str(reason).split())}",
            "Check the name and the network, or give the path of a folder that holds the model.",
        ]
    )
