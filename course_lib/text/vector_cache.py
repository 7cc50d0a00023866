"""Vectors kept on disk, so that a text is encoded once. One file an encoder.

Taught in 04_bert_encoding.
"""

import hashlib
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from course_lib.paths import cache_dir

DIGEST_BYTES = 16


@dataclass(frozen=True)
class CachedVectors:
    """What a cache file holds.

    Attributes
    ----------
    digests : ndarray of uint8, [num_texts, 16]
        Hash of each text.
    vectors : ndarray of float16, [num_texts, dim]
    cut : ndarray of bool, [num_texts]
        Whether the text was longer than the encoder reads.
    row : dict
        Row of a text, by its hash.
    """

    digests: np.ndarray
    vectors: np.ndarray
    cut: np.ndarray
    row: dict[bytes, int]


def digest_of(text: str) -> bytes:
    """16 bytes that stand for a text."""
    return hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES]


def path_of(encoder_key: str) -> Path:
    """The cache file of an encoder."""
    return cache_dir() / "vectors" / f"{encoder_key}.safetensors"


def load(path: Path) -> CachedVectors:
    """Read a cache file; a missing one holds nothing, a damaged one is reported and counts as empty."""
    if path.is_file():
        try:
            arrays = load_file(path)
            digests, vectors, cut = arrays["digests"], arrays["vectors"], arrays["cut"]
            if arrays["checksum"].tobytes() != _checksum(digests, vectors, cut):
                raise ValueError("its content does not fit its checksum")
            return _with_rows(digests, vectors, cut)
        except (SafetensorError, KeyError, ValueError) as error:
            warnings.warn(f"{path} is damaged and will be made again: {error}", stacklevel=2)
    return _with_rows(np.empty((0, DIGEST_BYTES), np.uint8), np.empty((0, 0), np.float16), np.empty(0, np.bool_))


def add(path: Path, digests: list[bytes], vectors: np.ndarray, cut: np.ndarray) -> CachedVectors:
    """Add vectors to a cache file and return all it holds then.

    A text that another process has added meanwhile keeps the vector it has.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        old = load(path)
        new = [number for number, digest in enumerate(digests) if digest not in old.row]
        added = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST_BYTES)[new]
        old_vectors = old.vectors.reshape(len(old.digests), vectors.shape[1])  # an empty cache knows no dim yet
        merged = _with_rows(
            np.concatenate([old.digests, added]),
            np.concatenate([old_vectors, vectors[new]]),
            np.concatenate([old.cut, cut[new]]),
        )
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        checksum = np.frombuffer(_checksum(merged.digests, merged.vectors, merged.cut), np.uint8)
        arrays = {"digests": merged.digests, "vectors": merged.vectors, "cut": merged.cut, "checksum": checksum}
        save_file(arrays, part)
        part.replace(path)
    return merged


def _checksum(*arrays: np.ndarray) -> bytes:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def _with_rows(digests: np.ndarray, vectors: np.ndarray, cut: np.ndarray) -> CachedVectors:
    row = {digest.tobytes(): number for number, digest in enumerate(digests)}
    return CachedVectors(digests, vectors, cut, row)
