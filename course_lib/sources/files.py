"""Checksums, and putting a finished file in its place in one step."""

import hashlib
from pathlib import Path

from course_lib.sources.manifest import SourceFile


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def part_of(folder: Path, file: SourceFile) -> Path:
    """Where a file grows until it is complete and verified; beside its final place, so that a rename suffices."""
    part = folder / f"{file.name}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    return part


def mismatch(path: Path, expected: SourceFile) -> str:
    """What is wrong with the content of a file; empty when it is the right one."""
    size = path.stat().st_size
    if size != expected.size:
        return f"{expected.name} has {size:,} bytes, expected {expected.size:,}"
    seen = sha256_of(path)
    return "" if seen == expected.sha256 else f"{expected.name} has SHA-256 {seen}, expected {expected.sha256}"


def settle(folder: Path, file: SourceFile) -> str:
    """Verify the part file and move it into place; a wrong one is deleted and described."""
    part = part_of(folder, file)
    problem = mismatch(part, file)
    if problem:
        part.unlink()
    else:
        part.replace(folder / file.name)
    return problem
