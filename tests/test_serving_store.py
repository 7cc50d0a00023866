"""The event store: what is acknowledged is there, once, and what cannot be written says why."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving_tools import python_path

from course_lib.serving.app import create_app
from course_lib.serving.bundle import Item
from course_lib.serving.store import Event, EventStore, NewItem, StoreBroken, StoreBusy, StoreFull, StoreReadOnly

pytest_plugins = ["serving_room", "text_room"]


@pytest.fixture
def store(tmp_path):
    store = EventStore(tmp_path / "events.sqlite3", busy_seconds=0.2)
    yield store
    store.close()


def test_a_store_opened_again_holds_the_same(store):
    store.append([Event("a", "1", "10"), Event("b", "1", "11", "rating", 2.0), Event("c", "2", "10")])
    item = NewItem(Item("new-1", "A title", 2001, ("Drama", "War"), "About."), np.eye(2, 3, dtype=np.float32), "key")
    assert store.add_item(item) and not store.add_item(item)
    again = EventStore(store.path)
    assert again.history("1") == {"10": True, "11": False} and again.count() == 3
    (found,) = again.new_items()
    assert found.item == item.item and found.encoder == "key"
    np.testing.assert_array_equal(found.vectors, item.vectors)
    again.close()


def test_the_disk_is_asked_to_sync_at_each_commit(store):
    assert store._write.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    assert store._write.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store._write.execute("PRAGMA secure_delete").fetchone()[0] == 1


def test_a_batch_is_written_whole_or_not_at_all(store):
    bad = Event("c", "1", "3", kind="purchase")  # the table knows clicks and ratings
    with pytest.raises(StoreBroken, match="CHECK"):
        store.append([Event("a", "1", "1"), Event("b", "1", "2"), bad])
    assert store.count() == 0 and store.append([Event("a", "1", "1")])[0].created


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from([None, 1.0, 4.0])), max_size=30))
def test_any_sequence_of_events_is_kept_once_a_key(tmp_path, sequence):
    store = EventStore(tmp_path / f"{os.urandom(6).hex()}.sqlite3")
    expected: dict[str, tuple[str, float | None]] = {}
    for number, item, rating in sequence:
        key, kind = f"k{number}", "click" if rating is None else "rating"
        receipt = store.append([Event(key, "u", str(item), kind, rating)])[0]
        assert receipt.created == (key not in expected)
        assert receipt.conflict == (expected.get(key, (str(item), rating)) != (str(item), rating))
        expected.setdefault(key, (str(item), rating))
    liked: dict[str, bool] = {}
    for item_id, rating in expected.values():
        liked[item_id] = liked.get(item_id, True) if rating is None else rating >= 3
    assert store.history("u") == liked and store.count() == len(expected)
    store.close()


def test_hostile_texts_are_texts(store):
    hostile = ["'; DROP TABLE events; --", "<script>", "a\nb", "\N{PILE OF POO}", "%s %d", "1 OR 1=1"]
    for number, text in enumerate(hostile):
        store.append([Event(f"key {text}", text, text)])
        assert store.history(text) == {text: True} and store.count() == number + 1
    assert store.forget("1 OR 1=1") == 1 and store.count() == len(hostile) - 1


def test_another_process_that_writes_is_waited_for_and_then_reported(store):
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="another process"):
        store.append([Event("a", "1", "1")])
    assert store.history("1") == {}, "reading goes on"
    other.execute("COMMIT")
    assert store.append([Event("a", "1", "1")])[0].created
    other.close()


def test_a_full_disk_is_reported_and_nothing_is_half_written(store):
    store.append([Event("before", "1", "1")])
    store._write.execute(f"PRAGMA max_page_count = {store._write.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreFull, match="disk is full"):
        for number in range(1000):
            store.append([Event(f"{number}-{n}", "x" * 60, "1") for n in range(10)])
    written = store.count()
    assert written % 10 == 1 and store.history("1") == {"1": True}
    store._write.execute("PRAGMA max_page_count = 100000")
    assert store.append([Event("after", "1", "2")])[0].created and store.count() == written + 1


def test_a_damaged_or_foreign_database_is_refused(tmp_path):
    (tmp_path / "text.sqlite3").write_text("this is no database " * 100)
    with pytest.raises(StoreBroken, match="not a database"):
        EventStore(tmp_path / "text.sqlite3")
    with pytest.raises(StoreBroken, match="unable to open"):
        EventStore(tmp_path / "no" / "folder" / "events.sqlite3")
    connection = sqlite3.connect(tmp_path / "newer.sqlite3")
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(StoreBroken, match="version 7"):
        EventStore(tmp_path / "newer.sqlite3")


def test_the_service_answers_507_and_503_and_goes_on_reading(client):
    store = client.app.state.service.engine.store
    store._write.execute(f"PRAGMA max_page_count = {store._write.execute('PRAGMA page_count').fetchone()[0]}")

    def send(number):
        body = {"user_id": "x" * 60, "item_id": "1"}
        return client.post("/v1/events", json=body, headers={"Idempotency-Key": f"{number:0100d}"})

    answers = [send(number) for number in range(300)]
    full = [answer for answer in answers if answer.status_code != 201]
    assert full and {answer.status_code for answer in full} == {507}
    assert full[0].json()["code"] == "disk-full" and "Traceback" not in full[0].text
    acknowledged = sum(answer.status_code == 201 for answer in answers)
    assert client.get("/readyz").json()["events"] == acknowledged
    store._write.execute("PRAGMA max_page_count = 100000")
    store._write.execute("PRAGMA query_only = ON")
    refused = send(1000)
    assert refused.status_code == 503 and "may not be written" in refused.json()["detail"]
    assert client.get("/v1/recommendations?user_id=1").status_code == 200
    store._write.execute("PRAGMA query_only = OFF")
    assert send(1001).status_code == 201


READ_ONLY = """
    import os, sys
    from pathlib import Path
    from course_lib.serving.store import Event, EventStore, StoreError, StoreReadOnly
    if os.geteuid() == 0:
        os.setuid(65534)  # the superuser may write everywhere
    try:
        store = EventStore(sys.argv[1])
        print(store.history("1"))
        store.append([Event("b", "1", "2")])
    except StoreError as error:
        print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the permissions of Unix")
def test_a_read_only_file_is_read_and_not_written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("read-only")
    store = EventStore(folder / "events.sqlite3")
    store.append([Event("a", "1", "1")])
    files = [*folder.glob("events.sqlite3*")]
    temporary = Path(tempfile.gettempdir())
    for path in [folder, *(parent for parent in folder.parents if temporary in parent.parents)]:
        path.chmod(0o755)
    for path in files:
        path.chmod(0o444)
    environment = {**os.environ, "PYTHONPATH": python_path(), "COURSE_CACHE_DIR": str(folder)}
    command = [sys.executable, "-c", textwrap.dedent(READ_ONLY), store.path]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.splitlines()[-1].startswith(StoreReadOnly.__name__), done.stdout + done.stderr
    assert store.count() == 1
    store.close()


def test_a_restarted_service_knows_everything(client, settings):
    for number in range(4):
        body = {"user_id": "visitor", "item_id": str(number + 1)}
        client.post("/v1/events", json=body, headers={"Idempotency-Key": f"k{number}"})
    query = {"user_id": "visitor", "k": 20}
    before = client.get("/v1/recommendations", params=query).json()
    with TestClient(create_app(settings)) as restarted:
        assert restarted.get("/v1/recommendations", params=query).json() == before
