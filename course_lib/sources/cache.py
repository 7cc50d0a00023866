"""The cache: which files are there, which are still right, and getting the others."""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout

from course_lib import paths
from course_lib.sources.files import sha256_of
from course_lib.sources.manifest import Artefact, Mirror, SourceError, SourceFile, load_manifest
from course_lib.sources.mirrors import Reasons, obtain

OFFLINE_VARIABLE = "COURSE_OFFLINE"
MIRROR_VARIABLE = "COURSE_MIRROR"
STAMP = ".verified.json"


@dataclass(frozen=True)
class FileState:
    """One file of an artefact as found on disk; `seen` is its SHA-256, empty when it is missing."""

    file: SourceFile
    state: str  # "ok", "missing" or "broken"
    seen: str


@dataclass(frozen=True)
class ArtefactStatus:
    """An artefact and whether it can be used at once: `state` is "ready", "incomplete" or "missing"."""

    name: str
    title: str
    kind: str
    default: bool
    licence: str
    size: int
    state: str


def fetch(name: str, quiet: bool = False) -> Path:
    """Folder with all files of an artefact, downloaded and verified if they are not there yet.

    The first call hashes every file and leaves a stamp (size, time of change); later calls compare only the stamp
    and take a millisecond. `verify` hashes everything again.

    Parameters
    ----------
    name : str
        As in `datasets/manifest.toml`, say "movielens-100k".
    quiet : bool
        No progress and no licence notice; damaged files and unreachable mirrors are still reported.

    Raises
    ------
    SourceError
        Naming the files that could not be obtained, each mirror with its reason, and how to place them by hand.
    """
    artefact = _find(name)
    folder = _folder(artefact)
    if len(_stamped(artefact, folder)) == len(artefact.files):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder, artefact):
        _complete(artefact, folder, quiet)
    return folder


def verify(name: str) -> list[FileState]:
    """Hash every file of an artefact again, in the manifest's order. Downloads nothing."""
    artefact = _find(name)
    folder = _folder(artefact)
    states = [_inspect(folder, file) for file in artefact.files]
    if (folder / STAMP).exists():
        _write_stamp(folder, [state.file for state in states if state.state == "ok"])
    return states


def list_artefacts() -> list[ArtefactStatus]:
    """All artefacts of the manifest with their state, without hashing anything."""
    statuses = []
    for artefact in load_manifest().values():
        folder = _folder(artefact)
        present = any((folder / file.name).exists() for file in artefact.files)
        ready = len(_stamped(artefact, folder)) == len(artefact.files)
        state = "ready" if ready else "incomplete" if present else "missing"
        facts = (artefact.name, artefact.title, artefact.kind, artefact.default, artefact.licence, artefact.size)
        statuses.append(ArtefactStatus(*facts, state))
    return statuses


def _find(name: str) -> Artefact:
    manifest = load_manifest()
    if name not in manifest:
        raise SourceError(f"no artefact '{name}'; known are: {', '.join(manifest)}")
    return manifest[name]


def _folder(artefact: Artefact) -> Path:
    return paths.cache_dir() / "data" / artefact.name


def _locked(folder: Path, artefact: Artefact) -> AcquireReturnProxy:
    """A lock between processes, so that a file is fetched once and never by two at a time."""
    lock = FileLock(f"{folder}.lock")
    try:
        return lock.acquire(timeout=1)
    except Timeout:
        _warn(f"{artefact.name}: another process is fetching it; waiting ...")
        return lock.acquire()


def _complete(artefact: Artefact, folder: Path, quiet: bool) -> None:
    """Make the folder complete; the caller holds the lock."""
    first_time = not (folder / STAMP).exists()
    stamped = _stamped(artefact, folder)
    states = [_inspect(folder, file) for file in artefact.files if file not in stamped]
    for state in states:
        if state.state == "broken":
            _warn(
                f"{artefact.name}: {folder / state.file.name} is damaged and will be fetched again: "
                f"expected SHA-256 {state.file.sha256}, seen {state.seen}"
            )
    wanted = [state.file for state in states if state.state != "ok"]
    if wanted:
        _check_space(artefact, wanted, folder)
        _fetch_files(artefact, wanted, folder, quiet)
    _write_stamp(folder, list(artefact.files))
    if first_time and not quiet:
        print(f"{artefact.title}. Licence: {artefact.licence} ({artefact.licence_url})")
        print(f"Please cite: {artefact.citation}", flush=True)


def _check_space(artefact: Artefact, wanted: list[SourceFile], folder: Path) -> None:
    needed = 2 * sum(file.size for file in wanted)  # the files, and what they are unpacked from
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SourceError(
            f"{artefact.name}: {needed / 1e6:,.0f} MB of disk needed in {folder}, only {free / 1e6:,.0f} MB free; "
            f"make room, or move the cache with {paths.CACHE_VARIABLE}"
        )


def _fetch_files(artefact: Artefact, wanted: list[SourceFile], folder: Path, quiet: bool) -> None:
    mirrors = _own_mirror(artefact) + list(artefact.mirrors)
    outcome: list[tuple[Mirror, Reasons]] = []
    for position, mirror in enumerate(mirrors):
        asked = [file for file in wanted if mirror.covers(file.name)]
        if not asked:
            continue
        if os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0") and mirror.kind not in ("folder", "packaged"):
            outcome.append((mirror, {file.name: f"not tried, {OFFLINE_VARIABLE} is set" for file in asked}))
            continue
        reasons = obtain(mirror, artefact, asked, folder, quiet)
        outcome.append((mirror, reasons))
        wanted = [file for file in wanted if file not in asked or file.name in reasons]
        if not wanted:
            return
        if reasons and position + 1 < len(mirrors):
            _warn(f"{artefact.name}: {mirror}: {_grouped(reasons)}. Trying the next mirror.")
    raise SourceError(_failure(artefact, wanted, folder, outcome))


def _own_mirror(artefact: Artefact) -> list[Mirror]:
    """The mirror named by COURSE_MIRROR, if any: it comes first."""
    chosen = os.environ.get(MIRROR_VARIABLE)
    if not chosen:
        return []
    if chosen.startswith(("http://", "https://")):
        return [Mirror(kind="web", url=f"{chosen.rstrip('/')}/{artefact.name}")]
    return [Mirror(kind="folder", folder=str(Path(chosen).expanduser() / artefact.name))]


def _failure(artefact: Artefact, wanted: list[SourceFile], folder: Path, outcome: list[tuple[Mirror, Reasons]]) -> str:
    names = ", ".join(file.name for file in wanted)
    lines = [f"{artefact.name}: {len(wanted)} of {len(artefact.files)} files could not be obtained: {names}"]
    lines += ["Mirrors tried:"]
    for mirror, reasons in outcome:
        missed = {file.name: reasons[file.name] for file in wanted if file.name in reasons}
        lines += [f"  - {mirror}: {_grouped(missed) or 'does not hold these files'}"]
    lines += [f"To place them by hand, see {artefact.homepage} and put into the folder", f"  {folder}"]
    lines += ["files with exactly this content:"]
    lines += [f"  {file.name}  {file.size:,} bytes  SHA-256 {file.sha256}" for file in wanted]
    lines += [f"Or set {MIRROR_VARIABLE} to a folder or web address that holds {artefact.name}/{wanted[0].name}."]
    return "\n".join(lines)


def _grouped(reasons: Reasons) -> str:
    """Each different reason once."""
    return "; ".join(dict.fromkeys(reasons.values()))


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _inspect(folder: Path, file: SourceFile) -> FileState:
    path = folder / file.name
    if not path.is_file():
        return FileState(file, "missing", "")
    seen = sha256_of(path)
    return FileState(file, "ok" if seen == file.sha256 else "broken", seen)


def _stamped(artefact: Artefact, folder: Path) -> list[SourceFile]:
    """Files that were verified before and have not been touched since."""
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    if not isinstance(stamp, dict):
        return []
    return [file for file in artefact.files if stamp.get(file.name) == _mark(folder, file)]


def _mark(folder: Path, file: SourceFile) -> list[int | str] | None:
    path = folder / file.name
    if not path.is_file():
        return None
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns, file.sha256]


def _write_stamp(folder: Path, files: list[SourceFile]) -> None:
    part = folder / f"{STAMP}.{os.getpid()}"
    part.write_text(json.dumps({file.name: _mark(folder, file) for file in files}), encoding="utf-8")
    part.replace(folder / STAMP)
