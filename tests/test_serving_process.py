"""Real servers in processes of their own: killed, restarted, doubled, starved, and given new bundles under load."""

import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serving_tools import ADMIN, make_bundle, python_path, serving

from course_lib.serving import load
from course_lib.serving.bundle import write
from course_lib.serving.store import EventStore

pytest_plugins = ["serving_room", "text_room"]
unix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")
WRITER = """
    import sys
    from course_lib.serving.store import Event, EventStore
    store, first = EventStore(sys.argv[1]), int(sys.argv[2])
    for batch in range(first, first + 10_000, 10):
        events = [Event(f"key-{n}", f"user-{n % 7}", str(n)) for n in range(batch, batch + 10)]
        store.append(events)
        print(batch, flush=True)
"""


@unix
def test_twenty_kills_in_the_middle_of_writing_lose_and_double_nothing(tmp_path):
    database, rng, acknowledged, first = tmp_path / "events.sqlite3", random.Random(0), [], 0
    environment = {**os.environ, "PYTHONPATH": python_path()}
    for _ in range(20):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(database), str(first)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        lines = [process.stdout.readline()]  # it has begun
        killer = threading.Timer(rng.uniform(0.005, 0.08), process.kill)
        killer.start()
        lines += process.stdout.readlines()
        assert process.wait() == -signal.SIGKILL, "it was still writing"
        acknowledged += [int(line) for line in lines if line.endswith("\n")]
        first += 10_000
    store = EventStore(database)
    numbers = [int(item_id) for _, item_id, *_ in store.events()]
    assert len(numbers) == len(set(numbers)) and len(numbers) % 10 == 0, "batches are whole"
    lost = {batch + n for batch in acknowledged for n in range(10)} - set(numbers)
    assert lost == set() and len(numbers) - 10 * len(acknowledged) <= 20 * 10
    assert store._read.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    store.close()


@unix
def test_a_killed_service_kept_every_acknowledged_event_and_retries_are_harmless(bundle_folder, tmp_path):
    database, keys = tmp_path / "events.sqlite3", [f"key-{number}" for number in range(1500)]
    acknowledged: set[str] = set()

    def send(client, key):
        body = {"user_id": "visitor", "item_id": str(int(key[4:]) % 60 + 1)}
        try:
            answer = client.post("/v1/events", json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return
        if answer.status_code in (200, 201):
            acknowledged.add(key)

    for round_number in range(3):
        with (
            serving(bundle_folder, database, "--no-encoder") as (address, process),
            httpx.Client(base_url=address) as client,
            ThreadPoolExecutor(8) as pool,
        ):
            if round_number < 2:
                threading.Timer(0.4, process.kill).start()
            before, todo = len(acknowledged), [key for key in keys if key not in acknowledged]
            list(pool.map(send, [client] * len(todo), todo))
            assert len(acknowledged) > before and (round_number == 2 or len(acknowledged) < len(keys))
        store = EventStore(database)
        stored = [row[0] for row in store._read.execute("SELECT key FROM events")]
        store.close()
        assert len(stored) == len(set(stored)) and acknowledged <= set(stored)
    assert sorted(stored) == sorted(keys), "each of them once, after the retries"


def test_two_servers_share_one_database(bundle_folder, tmp_path):
    database = tmp_path / "events.sqlite3"
    options = (bundle_folder, database, "--no-encoder")
    with serving(*options) as (first, _), serving(*options) as (second, _):

        def send(number):
            body = {"user_id": f"user-{number % 5}", "item_id": str(number % 60 + 1)}
            headers = {"Idempotency-Key": f"key-{number}"}
            return client.post(f"{(first, second)[number % 2]}/v1/events", json=body, headers=headers)

        with ThreadPoolExecutor(8) as pool, httpx.Client() as client:
            answers = list(pool.map(send, [*range(150), *reversed(range(150))]))
        assert {answer.status_code for answer in answers} == {200, 201}
        assert sum(answer.status_code == 201 for answer in answers) == 150
        query = {"user_id": "user-3", "k": 30}
        one, other = (httpx.get(f"{address}/v1/recommendations", params=query).json() for address in (first, second))
        assert one == other and one["num_history"] > 0
        httpx.delete(f"{second}/v1/users/user-3", headers=ADMIN)
        assert httpx.get(f"{first}/v1/recommendations", params=query).status_code == 404


def test_ten_new_bundles_under_two_hundred_users_fail_no_request(bundle_folder, tmp_path):
    with serving(bundle_folder, tmp_path / "events.sqlite3", "--no-encoder") as (address, _):
        paths = [f"/v1/recommendations?user_id={user}" for user in range(1, 41)]
        versions, refused = set(), 0

        def reload_ten_times():
            nonlocal refused
            for seed in range(1, 11):
                new = write(make_bundle(seed), bundle_folder)
                if seed % 5 == 0:
                    (bundle_folder / "users.json").write_text("damaged")
                answer = httpx.post(f"{address}/v1/admin/reload", headers=ADMIN, timeout=20)
                if seed % 5 == 0:
                    refused += answer.status_code == 409
                else:
                    assert answer.json()["bundle"] == new
                    versions.add(new)
                time.sleep(0.05)

        with ThreadPoolExecutor(1) as pool:
            reloads = pool.submit(reload_ten_times)
            result = load.run(address, paths, seconds=4, connections=200)
            reloads.result()
        assert result.failed == 0 and len(result.seconds) > 500, str(result)
        assert len(versions) == 8 and refused == 2
        assert httpx.get(f"{address}/readyz").json()["bundle"] in versions


def test_a_new_film_is_recommended_at_once_searched_by_meaning_and_survives(encoder_bundle_folder, tmp_path):
    database = tmp_path / "events.sqlite3"
    film = {"title": "Cosmic film 99", "year": 2049, "genres": ["Drama"], "description": "More of the same."}
    with serving(encoder_bundle_folder, database) as (address, _), httpx.Client(base_url=address) as client:
        until = time.monotonic() + 20
        while client.get("/readyz").json()["encoder"] != "ready" and time.monotonic() < until:
            time.sleep(0.05)
        began = time.perf_counter()
        added = client.post("/v1/items", json=film)
        item_id = added.json()["item"]["item_id"]
        shown = client.post("/v1/recommendations", json={"item_ids": ["2", "4"], "k": 100, "alpha": 1}).json()["items"]
        assert time.perf_counter() - began < 1 and added.status_code == 201
        assert item_id in [item["item_id"] for item in shown]
        assert client.post("/v1/items", json=film).json() == {"item": added.json()["item"], "created": False}
        assert client.get(f"/v1/items/{item_id}").json()["is_new"] is True
        found = client.get("/v1/items", params={"query": "a film nobody has named", "k": 5}).json()
        assert found["semantic"] and {item["match"] for item in found["items"]} == {"words"}
        audience = client.get(f"/v1/items/{item_id}/audience", params={"k": 61}).json()
        assert audience["num_reached"] == 40
        click = {"user_id": "fan", "item_id": item_id}
        assert client.post("/v1/events", json=click, headers={"Idempotency-Key": "k"}).status_code == 201
        before = client.get("/v1/recommendations", params={"user_id": "fan"}).json()
    with serving(encoder_bundle_folder, database, "--no-encoder") as (address, _):
        assert httpx.get(f"{address}/v1/recommendations", params={"user_id": "fan"}).json() == before
        assert httpx.post(f"{address}/v1/items", json={"title": "Another"}).json()["code"] == "encoder-not-ready"


def test_slow_clients_and_a_body_of_fifty_megabytes_hold_nobody_up(bundle_folder, tmp_path):
    with serving(bundle_folder, tmp_path / "events.sqlite3", "--no-encoder") as (address, process):
        host, port = address.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port))) for _ in range(50)]
        for number, one in enumerate(slow):
            head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n{" if number % 2 else b"GET / HT"
            one.sendall(head)
        quick = load.run(address, ["/v1/recommendations?user_id=1"], seconds=1, rate=50, connections=4)
        assert quick.failed == 0 and quick.milliseconds(95) < 200, str(quick)
        huge = httpx.post(f"{address}/v1/recommendations", content=b"x" * 50_000_000, timeout=20)
        assert huge.status_code == 413 and huge.json()["code"] == "body-too-large"
        endless = httpx.post(f"{address}/v1/events", content=(b"x" * 65_536 for _ in range(200)), timeout=20)
        assert endless.status_code == 413
        assert memory_mb(process.pid) < 400
        for one in slow:
            one.close()


def memory_mb(pid):
    import psutil

    return psutil.Process(pid).memory_info().rss / 1e6


def test_serving_needs_no_torch_and_a_bad_start_is_one_line(bundle_folder, tmp_path):
    heavy = "('torch', 'transformers', 'pandas')"
    code = f"import sys, course_lib.serving.app; print([name for name in {heavy} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": python_path()}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "[]"
    (bundle_folder / "items.json").write_text("[]")
    command = [
        sys.executable,
        "-m",
        "course_lib",
        "serve",
        "--bundle",
        bundle_folder,
        "--database",
        tmp_path / "e.sqlite3",
    ]
    failed = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert failed.returncode == 1 and failed.stderr.count("\n") == 1 and "items.json has" in failed.stderr


def test_the_load_generator_stays_at_home():
    for address in ("http://example.com:80", "http://127.0.0.1", "http://192.168.0.1:8000"):
        with pytest.raises(ValueError, match="not on this machine"):
            load.run(address, ["/"])
    with pytest.raises(ValueError, match="at most 60 seconds and 500 connections"):
        load.run("http://127.0.0.1:9", ["/"], connections=501)
