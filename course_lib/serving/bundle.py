"""What is served, as a folder: vectors, histories, texts, metrics, each file with its checksum.

Nothing in it is ever unpickled: arrays are safetensors, the rest is JSON, Markdown and ONNX. Taught in 07_deployment.
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.numpy import load, save

from course_lib.serving.card import model_card
from course_lib.serving.manifest import (
    FORMAT,
    MANIFEST,
    BundleDamaged,
    BundleError,
    BundleMissing,
    read_verified,
    sha256_of,
    to_json,
    version_of,
    write_synced,
)

ENCODER = "encoder"  # folder inside the bundle
ARRAYS = ("item_vectors", "text_vectors", "text_means", "text_map", "text_offset", "popularity", "indptr", "indices")


@dataclass(frozen=True)
class Item:
    """What people read about an item."""

    item_id: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, eq=False)
class Bundle:
    """Everything a service needs, in memory.

    Attributes
    ----------
    items : list of Item, [num_items]
    user_ids : list of str, [num_users]
    item_vectors : ndarray of float32, [num_items, embedding_dim]
        $h_i$, of unit length.
    text_vectors : ndarray of float32, [num_items, text_dim]
        $e_i$, centred, of unit length.
    text_means : ndarray of float32, [2, text_dim]
        What was subtracted from the encoder's vectors of titles and of descriptions.
    text_map, text_offset : ndarray of float32, [text_dim, embedding_dim] and [embedding_dim]
        $h_i \\approx W^\\top e_i + b$ for an item that nobody has taken yet.
    popularity : ndarray of int64, [num_items]
        Users who took each item.
    indptr, indices : ndarray of int64, [num_users + 1] and [num_interactions]
        Histories: user u took the items `indices[indptr[u]:indptr[u + 1]]`.
    settings : dict
        `alpha`, `temperature`, `steps`, `prior_clicks` (see `scoring`) and how the vectors were trained.
    metrics : dict
        Measured at export.
    data : dict
        Names and fingerprints of the data and of the text encoder.
    version : str
        16 hexadecimal digits of all the files; "" before it is written.
    encoder_files : dict of str to str
        SHA-256 of each file in `folder/encoder`; empty where the bundle has no encoder.
    """

    items: list[Item]
    user_ids: list[str]
    item_vectors: np.ndarray
    text_vectors: np.ndarray
    text_means: np.ndarray
    text_map: np.ndarray
    text_offset: np.ndarray
    popularity: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    settings: dict[str, Any]
    metrics: dict[str, Any]
    data: dict[str, Any]
    version: str = ""
    folder: Path | None = None
    encoder_files: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        num_items, dim = self.item_vectors.shape
        text_dim = self.text_vectors.shape[1]
        expected = {
            "text_vectors": (num_items, text_dim),
            "text_means": (2, text_dim),
            "text_map": (text_dim, dim),
            "text_offset": (dim,),
            "popularity": (num_items,),
            "indptr": (len(self.user_ids) + 1,),
        }
        wrong = [
            f"{name} {getattr(self, name).shape}" for name, shape in expected.items() if _shape(self, name) != shape
        ]
        if wrong or len(self.items) != num_items:
            raise BundleDamaged(f"the arrays do not fit {len(self.items)} items of {dim} numbers: {', '.join(wrong)}")
        if self.indptr[-1] != len(self.indices) or (np.diff(self.indptr) < 0).any():
            raise BundleDamaged("the histories do not fit their users: indptr does not describe indices")
        if len(self.indices) and not 0 <= self.indices.min() <= self.indices.max() < num_items:
            raise BundleDamaged(f"the histories name an item that is not among the {num_items}")
        if not all(np.isfinite(getattr(self, name)).all() for name in ARRAYS):
            raise BundleDamaged("a vector holds a number that is not finite")
        if len({item.item_id for item in self.items}) != num_items or len(set(self.user_ids)) != len(self.user_ids):
            raise BundleDamaged("an item or a user occurs twice")


def _shape(bundle: Bundle, name: str) -> tuple[int, ...]:
    return getattr(bundle, name).shape


def write(bundle: Bundle, folder: str | Path, encoder: str | Path | None = None) -> str:
    """Write a bundle, all of it or nothing, in place of what the folder held; return its version.

    Parameters
    ----------
    encoder : path, optional
        Folder with the ONNX encoder's files, see `onnx_encoder.export_encoder`; copied into the bundle.

    Raises
    ------
    BundleError
        Where the folder holds something else than a bundle: it is not overwritten.
    """
    folder = Path(folder).absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise BundleError(f"{folder} holds files that are no bundle; choose another folder, or empty it")
    part, old = (folder.with_name(f".{folder.name}.{end}") for end in ("part", "old"))
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        for leftover in (part, old):
            shutil.rmtree(leftover, ignore_errors=True)
        files = _contents(bundle)
        if encoder is not None:
            files |= {f"{ENCODER}/{path.name}": path.read_bytes() for path in sorted(Path(encoder).iterdir())}
        listed = {name: {"sha256": sha256_of(content), "size": len(content)} for name, content in files.items()}
        version = version_of(listed)
        manifest = {"format": FORMAT, "version": version, "files": listed}
        for name, content in (files | {MANIFEST: to_json(manifest)}).items():
            write_synced(part / name, content)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    return version


def load_bundle(folder: str | Path) -> Bundle:
    """Read a bundle after checking every file; the bytes that were checked are the bytes that are used.

    Raises
    ------
    BundleError
        As `verify`, or where the content does not fit together.
    """
    folder = Path(folder)
    names = ("vectors.safetensors", "items.json", "users.json", "settings.json", "metrics.json", "data.json")
    manifest, content = read_verified(folder, keep=names)
    prefix = f"{ENCODER}/"
    encoder_files = {
        name.removeprefix(prefix): facts["sha256"]
        for name, facts in manifest["files"].items()
        if name.startswith(prefix)
    }
    try:
        arrays = load(content["vectors.safetensors"])
        texts = {name.removesuffix(".json"): json.loads(content[name]) for name in names[1:]}
        items = [Item(**{**item, "genres": tuple(item["genres"])}) for item in texts["items"]]
        return Bundle(
            items=items,
            user_ids=texts["users"],
            settings=texts["settings"],
            metrics=texts["metrics"],
            data=texts["data"],
            version=manifest["version"],
            folder=folder,
            encoder_files=encoder_files,
            **{name: arrays[name] for name in ARRAYS},
        )
    except BundleError as error:
        raise BundleDamaged(f"{folder}: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, SafetensorError) as error:
        raise BundleDamaged(f"{folder} cannot be read although its checksums fit: {error!r}") from error


def read_encoder_file(bundle: Bundle, name: str) -> bytes:
    """A file of the encoder, checked again: it is read later than the rest.

    Raises
    ------
    BundleMissing, BundleDamaged
    """
    if bundle.folder is None or name not in bundle.encoder_files:
        raise BundleMissing(f"the bundle holds no {ENCODER}/{name}: export it with its encoder")
    try:
        content = (bundle.folder / ENCODER / name).read_bytes()
    except OSError as error:
        raise BundleMissing(f"{bundle.folder} lacks {ENCODER}/{name}: {error.strerror}") from error
    if sha256_of(content) != bundle.encoder_files[name]:
        raise BundleDamaged(f"{bundle.folder}: {ENCODER}/{name} has changed since the bundle was loaded")
    return content


def _contents(bundle: Bundle) -> dict[str, bytes]:
    arrays = {name: np.ascontiguousarray(getattr(bundle, name)) for name in ARRAYS}
    return {
        "vectors.safetensors": save(arrays),
        "items.json": to_json([asdict(item) for item in bundle.items]),
        "users.json": to_json(bundle.user_ids),
        "settings.json": to_json(bundle.settings),
        "metrics.json": to_json(bundle.metrics),
        "data.json": to_json(bundle.data),
        "model_card.md": model_card(bundle.settings, bundle.metrics, bundle.data).encode(),
    }
