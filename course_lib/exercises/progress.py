"""What a learner has solved: one small file on this machine, which nothing sends anywhere."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock

VARIABLE = "COURSE_PROGRESS_FILE"

Progress = dict[str, dict[str, Any]]


def progress_file() -> Path:
    """The file; move it with the environment variable COURSE_PROGRESS_FILE."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("graphs-and-words") / "progress.json"


def read() -> Progress:
    """What is recorded, by exercise: `solved` (a date or None), `attempts`, `hints`, `solution_seen`.

    A file that cannot be read is kept beside the new one, under a name that ends in `.damaged`.
    """
    path = progress_file()
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(number): {**_blank(), **entry} for number, entry in found.items()}
    except (ValueError, AttributeError, TypeError):
        kept = path.with_name(f"{path.name}.damaged")
        path.replace(kept)
        print(f"{path} could not be read. It is kept as {kept.name}; a new one begins.")
        return {}


def record_check(number: str, solved: bool) -> None:
    """Count an attempt; the first right one sets the date."""
    with _entry(number) as entry:
        entry["attempts"] += 1
        if solved and not entry["solved"]:
            entry["solved"] = date.today().isoformat()


def record_hint(number: str, level: int) -> None:
    """Remember how many hints were shown."""
    with _entry(number) as entry:
        entry["hints"] = max(entry["hints"], level)


def record_solution(number: str) -> None:
    """Remember that the solution was shown."""
    with _entry(number) as entry:
        entry["solution_seen"] = True


def reset() -> None:
    """Forget everything."""
    progress_file().unlink(missing_ok=True)


def _blank() -> dict[str, Any]:
    return {"solved": None, "attempts": 0, "hints": 0, "solution_seen": False}


@contextmanager
def _entry(number: str) -> Iterator[dict[str, Any]]:
    """The entry of one exercise, to be changed; written whole when the block ends."""
    path = progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        everything = read()
        yield everything.setdefault(number, _blank())
        partial = path.with_name(f"{path.name}.part")
        partial.write_text(json.dumps(everything, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(path)
