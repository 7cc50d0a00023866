"""The image and the compose file, read without docker; built where docker is. What the image runs is run here."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from serving_tools import python_path, wait_for

from course_lib.paths import ROOT

pytest_plugins = ["serving_room"]
DEPLOY = ROOT / "deploy"
REQUIREMENTS = [
    Requirement(line)
    for line in (DEPLOY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
SERVICE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]["course"]
ONLY_WHAT_IS_INSTALLED = """
import json, sys
missing = set(json.loads(sys.argv.pop(1)))
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from course_lib.cli import main
import course_lib.serving.onnx_encoder, onnxruntime, tokenizers
main()
"""


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile: instruction and its text, continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def of(name: str) -> list[str]:
    return [text for instruction, text in instructions() if instruction == name]


def installed(names: list[str]) -> set[str]:
    """Distributions that pip installs for these: they and all that they need."""
    found: set[str] = set()
    while names:
        name = canonicalize_name(names.pop())
        if name not in found:
            found.add(name)
            needs = [Requirement(line) for line in metadata.requires(name) or []]
            names += [one.name for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def test_the_base_is_pinned_to_a_python_of_the_course() -> None:
    bases = {text.split(" AS ")[0] for text in of("FROM")}
    assert len(bases) == 1
    version = re.fullmatch(r"python:(3\.\d+\.\d+)-slim-[a-z]+", bases.pop())
    assert version and version[1].rsplit(".", 1)[0] in {"3.11", "3.12", "3.13"}


def test_the_image_runs_without_root_and_looks_after_its_health() -> None:
    last_stage = instructions()[max(n for n, (name, _) in enumerate(instructions()) if name == "FROM") :]
    names = [name for name, _ in last_stage]
    assert of("USER") == ["10001"] and names.index("USER") < names.index("CMD")
    assert not any(name in ("RUN", "COPY", "ADD") for name in names[names.index("USER") :])
    assert "--uid 10001" in dict(last_stage)["RUN"]
    assert of("EXPOSE") == ["8000"] and of("VOLUME") == ["/events"] and not of("ADD")
    assert "/healthz" in of("HEALTHCHECK")[0]


def test_everything_that_is_copied_exists_and_is_let_into_the_build() -> None:
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignore[1] == "*", "nothing but what is named"
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    sources = {part for text in of("COPY") if "--from" not in text for part in shlex.split(text)[:-1]}
    assert sources == let_in
    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert not {".git", "notebooks", "tests", "results"} & let_in


def test_compose_opens_no_door_and_holds_no_secret() -> None:
    assert SERVICE["build"] == {"context": "..", "dockerfile": "deploy/Dockerfile"}
    assert SERVICE["ports"] == ["127.0.0.1:8000:8000"]
    assert SERVICE["environment"] == {"COURSE_ADMIN_TOKEN": "${COURSE_ADMIN_TOKEN:-}"}
    bundles, events = SERVICE["volumes"]
    assert bundles.startswith("${COURSE_BUNDLES:?") and bundles.endswith(":/bundles:ro")
    assert events == "events:/events"
    assert SERVICE["read_only"] is True and SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "network_mode", "pid", "user"} & set(SERVICE)
    secrets = re.compile(r"(?i)(password|secret|token|api_?key)\w*\s*[=:]\s*[\"']?[A-Za-z0-9]")
    assert [path.name for path in DEPLOY.iterdir() if secrets.search(path.read_text(encoding="utf-8"))] == []
    assert secrets.search("COURSE_ADMIN_TOKEN=letmein") and secrets.search("password: 'x1'")


def test_requirements_are_declared_by_the_course_and_pinned() -> None:
    names = [one.name for one in REQUIREMENTS]
    assert names == sorted(names) and not {"torch", "transformers", "pandas"} & set(names)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for group in project["optional-dependencies"].values() for line in group]
    declared = {canonicalize_name(Requirement(line).name) for line in project["dependencies"] + extras}
    assert {canonicalize_name(name) for name in names} - declared == set()
    pinned = re.findall(r"(?m)^([a-z0-9.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert {canonicalize_name(name) for name in names} - set(pinned) == set()


def test_the_command_of_the_image_serves_with_what_the_image_installs(bundle_folder: Path, tmp_path: Path) -> None:
    distributions = installed([one.name for one in REQUIREMENTS])
    assert "torch" not in distributions
    modules = metadata.packages_distributions().items()
    missing = [module for module, owners in modules if not distributions & set(map(canonicalize_name, owners))]
    assert {"torch", "pandas", "scipy", "sklearn"} <= set(missing)
    course, *arguments = json.loads(of("CMD")[0])
    assert course == "course"
    here = {"/bundles/bundle": str(bundle_folder), "/events/events.sqlite3": str(tmp_path / "events.sqlite3")}
    here |= {"0.0.0.0": "127.0.0.1", "8000": "0"}
    command = [
        sys.executable,
        "-c",
        ONLY_WHAT_IS_INSTALLED,
        json.dumps(missing),
        *[here.get(word, word) for word in arguments],
    ]
    environment = {**os.environ, "PYTHONPATH": python_path()}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        line = process.stdout.readline()
        assert "http://" in line, process.stderr.read()
        address = line.split()[-1]
        wait_for(address)
        assert health(address) == 0
    finally:
        process.kill()
        process.communicate()
    assert health(address) == 1


def health(address: str) -> int:
    """Exit code of the image's health check, asked of this address."""
    text = of("HEALTHCHECK")[0]
    python, *arguments = json.loads(text[text.index("[") :])
    assert python == "python"
    there = [word.replace("http://127.0.0.1:8000", address) for word in arguments]
    return subprocess.run([sys.executable, *there], capture_output=True, check=False).returncode


def docker_works() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(os.environ.get("COURSE_TEST_NETWORK") != "1", reason="building the image needs the network")
def test_the_image_builds() -> None:
    if not docker_works():
        pytest.skip("no docker that runs here")
    build = ["docker", "build", "--quiet", "--file", "deploy/Dockerfile", "."]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
