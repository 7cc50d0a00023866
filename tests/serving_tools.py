"""What the serving room's tests build with: a small bundle, a real server."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np

from course_lib.paths import ROOT
from course_lib.serving.bundle import Bundle, Item
from course_lib.serving.scoring import unit

NUM_USERS, NUM_ITEMS, DIM, TEXT_DIM = 40, 60, 8, 16
TOKEN = "a-token-of-the-tests"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


def make_bundle(seed: int = 0, encoder_key: str = "none", text_dim: int = TEXT_DIM) -> Bundle:
    """Two camps: even users take even items; words and graph both tell the camp, with noise."""
    rng = np.random.default_rng(seed)
    camp = np.arange(NUM_ITEMS) % 2

    def vectors(dim: int) -> np.ndarray:
        noise = rng.standard_normal((NUM_ITEMS, dim))
        return unit(np.eye(dim)[camp] + 0.3 * noise)

    histories = [
        np.sort(rng.choice(np.flatnonzero(camp == user % 2), size=rng.integers(3, 12), replace=False))
        for user in range(NUM_USERS)
    ]
    indices = np.concatenate(histories).astype(np.int64)
    return Bundle(
        items=make_items(),
        user_ids=[str(user + 1) for user in range(NUM_USERS)],
        item_vectors=vectors(DIM),
        text_vectors=vectors(text_dim),
        text_means=np.zeros((2, text_dim), dtype=np.float32),
        text_map=np.eye(text_dim, DIM, dtype=np.float32),
        text_offset=np.zeros(DIM, dtype=np.float32),
        popularity=np.bincount(indices, minlength=NUM_ITEMS),
        indptr=np.concatenate([[0], np.cumsum([len(one) for one in histories])]).astype(np.int64),
        indices=indices,
        settings={"alpha": 0.3, "temperature": 0.2, "steps": 3, "prior_clicks": 30},
        metrics={"num_users": 0},
        data=describe(len(indices), seed, encoder_key),
    )


def make_items() -> list[Item]:
    """Films whose titles tell their camp."""
    words = ("Quiet", "Cosmic")
    return [
        Item(str(item + 1), f"{words[item % 2]} film {item + 1}", 1950 + item, ("Drama",), "Words.")
        for item in range(NUM_ITEMS)
    ]


def describe(num_interactions: int, seed: int, encoder_key: str) -> dict[str, object]:
    """What a bundle says about its data."""
    return {
        "dataset": "two camps",
        "protocol": "none",
        "num_users": NUM_USERS,
        "num_items": NUM_ITEMS,
        "num_interactions": num_interactions,
        "num_train": num_interactions,
        "fingerprint": f"seed {seed}",
        "encoder_key": encoder_key,
    }


@contextmanager
def serving(
    bundle: Path, database: Path, *options: str, environment: dict[str, str] | None = None, **more: object
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A real server in a process of its own; gives its address and the process, and ends it."""
    command = [sys.executable, "-m", "course_lib", "serve", "--bundle", bundle, "--database", database, "--port", "0"]
    environment = {**os.environ, "COURSE_ADMIN_TOKEN": TOKEN, "PYTHONPATH": python_path(), **(environment or {})}
    process = subprocess.Popen(
        [*map(str, command), "--rate-limit", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **more,  # type: ignore[call-overload]
    )
    try:
        line = process.stdout.readline()  # type: ignore[union-attr]
        assert "http://" in line, line + process.stderr.read()  # type: ignore[union-attr]
        address = line.split()[-1]
        wait_for(address)
        yield address, process
    finally:
        process.kill()
        process.communicate()


def python_path() -> str:
    """The course, wherever the test runs."""
    return os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])


def wait_for(address: str, seconds: float = 20) -> None:
    """Until the server answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if httpx.get(f"{address}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError(f"{address} does not answer")


def click(client, user_id, item_id, key, **more):
    """Send an event."""
    body = {"user_id": user_id, "item_id": item_id, **more}
    return client.post("/v1/events", json=body, headers={"Idempotency-Key": key})


def recommended(client, user_id, **more):
    """Ids of what a user is recommended, best first."""
    response = client.get("/v1/recommendations", params={"user_id": user_id, **more})
    assert response.status_code == 200, response.text
    return [item["item_id"] for item in response.json()["items"]]


def problem(response, status, code):
    """The body of an error, after a look whether it is this one and tells nothing of the inside."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"]) == (status, code), body
    assert "Traceback" not in response.text and ".py" not in response.text
    return body
