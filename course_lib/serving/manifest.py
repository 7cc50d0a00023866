"""The list of a bundle's files with size and checksum, and reading nothing that does not fit it.

The checksums find damage and half-copied folders; they are no signature, since whoever can change a file can change the
manifest too. Taught in 07_deployment.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

FORMAT = 1
MANIFEST = "manifest.json"


class BundleError(ValueError):
    """A folder cannot be served; the message says why and what to do."""


class BundleMissing(BundleError):
    """There is no bundle, or only a part of one."""


class BundleDamaged(BundleError):
    """A file is not what the manifest says, or its content does not fit together."""


class BundleFormatError(BundleError):
    """The bundle is older or newer than this library."""


def verify(folder: str | Path) -> dict[str, Any]:
    """Compare every file with the manifest, which is returned.

    Raises
    ------
    BundleMissing, BundleDamaged, BundleFormatError
        Saying which file is wrong, and how.
    """
    return read_verified(Path(folder), keep=())[0]


def read_verified(folder: Path, keep: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest, and the content of the files named in `keep`, after every file was checked."""
    try:
        return _read(folder, keep)
    except OSError as error:
        raise BundleMissing(f"{folder} cannot be read, or was replaced meanwhile: {error}") from error


def _read(folder: Path, keep: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, bytes]]:
    manifest = _manifest(folder)
    listed = manifest["files"]
    content = {}
    for name, facts in listed.items():
        path = folder / name
        if not path.is_file():
            raise BundleMissing(f"{folder} lacks {name}, which its manifest lists: copy or export the bundle again")
        data = path.read_bytes()
        if len(data) != facts["size"]:
            raise BundleDamaged(
                f"{folder}: {name} has {len(data):,} bytes, not {facts['size']:,}: it was cut or changed"
            )
        if sha256_of(data) != facts["sha256"]:
            raise BundleDamaged(f"{folder}: {name} was changed: its SHA-256 is not the manifest's")
        if name in keep:
            content[name] = data
    missing = [name for name in keep if name not in content]
    if missing:
        raise BundleMissing(f"{folder}: the manifest does not list {', '.join(missing)}")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if foreign := sorted(present - set(listed) - {MANIFEST}):
        raise BundleDamaged(f"{folder} holds {foreign[0]}, which its manifest does not list: take it away")
    return manifest, content


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise BundleMissing(
            f"{folder} holds no bundle ({MANIFEST}: {error.strerror}): make one with course export"
        ) from error
    except ValueError as error:
        raise BundleDamaged(f"{folder}: {MANIFEST} is not JSON: {error}") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if isinstance(found, bool) or not isinstance(found, int):
        raise BundleDamaged(f"{folder}: {MANIFEST} names no format")
    if found > FORMAT:
        raise BundleFormatError(
            f"{folder} has format {found}, newer than {FORMAT}, which this library reads: update it"
        )
    if found < FORMAT:
        raise BundleFormatError(
            f"{folder} has format {found}, older than {FORMAT}, which this library reads: export again"
        )
    listed = manifest.get("files")
    if not isinstance(listed, Mapping) or not all(_is_entry(name, facts) for name, facts in listed.items()):
        raise BundleDamaged(f"{folder}: {MANIFEST} does not list files with their SHA-256 and size")
    if manifest.get("version") != version_of(listed):
        raise BundleDamaged(f"{folder}: the version in {MANIFEST} is not that of the files it lists")
    return manifest


def _is_entry(name: str, facts: Any) -> bool:
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name
    return inside and isinstance(facts, Mapping) and {"sha256", "size"} <= set(facts)


def version_of(listed: Mapping[str, Any]) -> str:
    """16 hexadecimal digits of all files together."""
    return sha256_of(json.dumps(listed, sort_keys=True).encode())[:16]


def sha256_of(content: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def to_json(value: Any) -> bytes:
    """Readable JSON; a number that is not finite is an error."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
