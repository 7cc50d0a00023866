"""Where the course is published: the repository's address and the branch or tag, set in `pyproject.toml` alone."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from course_lib.paths import ROOT

COLAB = "https://colab.research.google.com"
GITHUB = "https://github.com/"
OWNER_AND_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
ADDRESS = re.compile(r"(https?://[A-Za-z0-9.-]+(:\d+)?|ssh://[A-Za-z0-9@.:-]+|file://)(/[A-Za-z0-9~%+._-]+)+")
REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


@dataclass(frozen=True)
class Address:
    """A repository and a branch or tag in it.

    Attributes
    ----------
    repository : str
        Address that git knows, without `.git` at its end.
    ref : str
        Name of the branch or tag whose notebooks and library are meant.
    """

    repository: str
    ref: str

    @property
    def pip(self) -> str:
        """The library as pip takes it. By git, not as an archive: git is the same on every host and on a disk."""
        return f"git+{self.repository}@{self.ref}"

    def page(self, name: str) -> str:
        """Web page of the lesson `name`."""
        return f"{self.repository}/blob/{self.ref}/notebooks/{name}.ipynb"

    def colab(self, name: str) -> str | None:
        """Address that opens the lesson on Colab; None if the course is not on GitHub, the only host Colab reads."""
        page = self.page(name)
        return f"{COLAB}/github/{page.removeprefix(GITHUB)}" if page.startswith(GITHUB) else None


def settings() -> dict[str, Any]:
    """The clone's `pyproject.toml`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def published() -> Address:
    """The address set in `pyproject.toml`.

    Raises
    ------
    ValueError
        If it cannot be one.
    """
    found = settings()
    return parse(found["project"]["urls"]["Repository"], found["tool"]["course"]["ref"])


def parse(repository: str, ref: str) -> Address:
    """The address that a person typed.

    Parameters
    ----------
    repository : str
        `OWNER/NAME` on GitHub, or a full address that git knows.
    ref : str
        A branch or tag.

    Raises
    ------
    ValueError
        Saying what is wrong with which of them.
    """
    full = GITHUB + repository if OWNER_AND_NAME.fullmatch(repository) else repository.rstrip("/")
    full = full.removesuffix(".git")
    on_github = full.startswith(GITHUB)
    if not ADDRESS.fullmatch(full) or (on_github and not OWNER_AND_NAME.fullmatch(full.removeprefix(GITHUB))):
        raise ValueError(
            f"'{repository}' is no address of a repository. Give OWNER/NAME for one on GitHub, or a full address "
            "that starts with https:// (without a password in it), ssh:// or file:///."
        )
    if not REF.fullmatch(ref) or ".." in ref or any(part.endswith((".", ".lock")) for part in ref.split("/")):
        raise ValueError(f"'{ref}' is no name of a branch or tag. Give one such as main or v1.0.")
    return Address(full, ref)
