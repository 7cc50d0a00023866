"""The data room against real servers that fail in the ways servers fail."""

import os
import random
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mirror_server import Site, sha256, web, write_manifest

from course_lib import paths, sources
from course_lib.sources import download

BODY = random.Random(7).randbytes(300_000)
TEXT = b"user_id\titem_id\n1\t2\n3\t4\n"
pytest_plugins = ["source_room"]

TWO = {"a.bin": BODY, "sub/b.txt": TEXT}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in TWO if (folder / name).exists()}


def leftovers(room: Path) -> list[Path]:
    return list((room / "cache").rglob("*.part"))


FETCH = """
import sys
from pathlib import Path
from course_lib import paths, sources
paths.datasets_dir = lambda: Path(sys.argv[1])
sources.fetch("toy", quiet=True)
"""
SERVED = {f"/{name}": content for name, content in TWO.items()}


def test_fetch_then_cached(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Site(SERVED) as site:
        write_manifest(room / "datasets", TWO, [web(site)])
        folder = sources.fetch("toy")
    assert contents(folder) == TWO
    assert folder == room / "cache" / "data" / "toy"
    first = capsys.readouterr()
    assert "CC0 1.0" in first.out and "Toy (2026)" in first.out and not first.err
    assert sources.fetch("toy") == folder  # the server is gone: nothing may be asked for
    assert capsys.readouterr().out == ""
    assert not leftovers(room)


def test_warm_cache_reads_no_file_content(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Site(SERVED) as site:
        write_manifest(room / "datasets", TWO, [web(site)])
        folder = sources.fetch("toy", quiet=True)
    replace_unnoticed(folder / "a.bin")
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        sources.fetch("toy")
        seconds.append(time.perf_counter() - started)
    assert capsys.readouterr() == ("", "")  # the exchanged content was not looked at
    assert min(seconds) < 0.02


def replace_unnoticed(file: Path) -> None:
    """Other content, same size and time of change."""
    before = file.stat()
    file.write_bytes(bytes(before.st_size))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("declares", [True, False])
@pytest.mark.parametrize("cut", [40_000, 150_000, 299_999])
def test_cut_connection_is_resumed(room: Path, cut: int, declares: bool) -> None:
    with Site(SERVED, declares=declares) as site:
        site.cuts["/a.bin"] = [cut]
        write_manifest(room / "datasets", TWO, [web(site)])
        assert contents(sources.fetch("toy", quiet=True)) == TWO
    first, second = [asked for path, asked in site.log if path == "/a.bin"]
    assert first == ""
    assert cut - download.CHUNK <= int(second.removeprefix("bytes=").rstrip("-")) <= cut


def test_progress_between_cuts_keeps_trying(room: Path) -> None:
    with Site(SERVED) as site:
        site.cuts["/a.bin"] = [30_000] * 9
        write_manifest(room / "datasets", TWO, [web(site)])
        assert contents(sources.fetch("toy", quiet=True)) == TWO


def test_server_that_ignores_ranges_starts_over(room: Path) -> None:
    with Site(SERVED, ranges=False) as site:
        site.cuts["/a.bin"] = [20_000]
        write_manifest(room / "datasets", TWO, [web(site)])
        assert contents(sources.fetch("toy", quiet=True)) == TWO
    assert [bool(asked) for path, asked in site.log if path == "/a.bin"] == [False, True]


def test_always_cut_at_the_same_byte_gives_up(room: Path) -> None:
    with Site(SERVED, ranges=False) as site:
        site.cuts["/a.bin"] = [20_000] * 50
        write_manifest(room / "datasets", TWO, [web(site)])
        with pytest.raises(sources.SourceError, match=r"a\.bin"):
            sources.fetch("toy", quiet=True)
    assert len(site.log) <= 4


def test_killed_process_leaves_a_part_that_is_continued(room: Path) -> None:
    with Site(SERVED, delay=0.05) as site:
        write_manifest(room / "datasets", TWO, [web(site)])
        process = subprocess.Popen([sys.executable, "-c", FETCH, str(room / "datasets")], cwd=paths.ROOT)
        part = room / "cache" / "data" / "toy" / "a.bin.part"
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.wait()
        assert 0 < part.stat().st_size < len(BODY)
        assert not part.with_suffix("").exists()
        site.delay = 0.0
        assert contents(sources.fetch("toy", quiet=True)) == TWO
    assert any(asked for _, asked in site.log)


def test_parallel_processes_fetch_once(room: Path) -> None:
    with Site(SERVED, delay=0.03) as site:
        write_manifest(room / "datasets", TWO, [web(site)])
        command = [sys.executable, "-c", FETCH, str(room / "datasets")]
        pipe = subprocess.PIPE
        running = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=paths.ROOT) for _ in range(3)]
        answers = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], answers
    assert sorted(path for path, _ in site.log) == sorted(SERVED)
    assert contents(room / "cache" / "data" / "toy") == TWO
    assert any("another process is fetching" in error for _, error in answers)


@pytest.mark.parametrize("declares", [True, False])
@pytest.mark.parametrize("wrong", [BODY[:-1], BODY + b"x", b"X" + BODY[1:], BODY + BODY])
def test_wrong_bytes_go_to_the_next_mirror(
    room: Path, wrong: bytes, declares: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with Site({**SERVED, "/a.bin": wrong}, declares=declares) as bad, Site(SERVED) as good:
        write_manifest(room / "datasets", TWO, [web(bad), web(good)])
        assert contents(sources.fetch("toy", quiet=True)) == TWO
        error = capsys.readouterr().err
        assert bad.url in error and "Trying the next mirror" in error
    if declares:  # the file that was in order came from the first mirror
        assert {path for path, _ in good.log} == {"/a.bin"}
    assert not leftovers(room)


def test_missing_page_and_busy_server(room: Path) -> None:
    with Site({}) as empty, Site(SERVED) as busy:
        busy.statuses["/a.bin"] = [503, 429]
        write_manifest(room / "datasets", TWO, [web(empty), web(busy)])
        assert contents(sources.fetch("toy", quiet=True)) == TWO
    assert len(empty.log) == 2  # a 404 is not asked twice
    assert [path for path, _ in busy.log].count("/a.bin") == 3


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stale=st.one_of(st.binary(max_size=200), st.integers(0, 400_000).map(lambda size: (BODY + BODY)[:size])))
def test_any_stale_part_ends_in_the_right_file(room: Path, stale: bytes) -> None:
    part = room / "cache" / "data" / "toy" / "a.bin.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    (part.parent / "a.bin").unlink(missing_ok=True)
    part.write_bytes(stale)
    with Site(SERVED) as site:
        write_manifest(room / "datasets", {"a.bin": BODY}, [web(site)])
        assert (sources.fetch("toy", quiet=True) / "a.bin").read_bytes() == BODY
    assert not part.exists()


def test_expired_and_unknown_certificates_are_named(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(room / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    begin, end = datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
    authority.issue_cert("127.0.0.1", not_before=begin, not_after=end).configure_cert(context)
    with Site(SERVED).secure(context) as expired, Site(SERVED) as good:
        write_manifest(room / "datasets", TWO, [web(expired)])
        with pytest.raises(sources.SourceError, match=r"certificate not accepted.*local issuer"):
            sources.fetch("toy", quiet=True)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(room / "authority.pem"))
        with pytest.raises(sources.SourceError, match=r"certificate not accepted.*certificate has expired"):
            sources.fetch("toy", quiet=True)
        write_manifest(room / "datasets", TWO, [web(expired), web(good)])
        assert contents(sources.fetch("toy", quiet=True)) == TWO


@pytest.mark.parametrize("damage", [BODY[:1000], BODY[:-1] + bytes([BODY[-1] ^ 1]), b""])
def test_damaged_file_is_reported_and_fetched_again(
    room: Path, damage: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with Site(SERVED) as site:
        write_manifest(room / "datasets", TWO, [web(site)])
        folder = sources.fetch("toy", quiet=True)
        (folder / "a.bin").write_bytes(damage)
        assert [(state.file.name, state.state) for state in sources.verify("toy")] == [
            ("a.bin", "broken"),
            ("sub/b.txt", "ok"),
        ]
        assert contents(sources.fetch("toy", quiet=True)) == TWO
    error = capsys.readouterr().err
    assert "a.bin is damaged" in error and sha256(BODY) in error and sha256(damage) in error
    assert [path for path, _ in site.log] == ["/a.bin", "/sub/b.txt", "/a.bin"]


def test_verify_sees_what_the_stamp_cannot(room: Path) -> None:
    with Site(SERVED) as site:
        write_manifest(room / "datasets", TWO, [web(site)])
        folder = sources.fetch("toy", quiet=True)
        replace_unnoticed(folder / "a.bin")
        assert sources.verify("toy")[0].state == "broken"
        assert sources.list_artefacts()[0].state == "incomplete"
        assert contents(sources.fetch("toy", quiet=True)) == TWO


@pytest.mark.parametrize("stamp", [b"", b"[]", b"{", b"\xff\xfe"])
def test_unreadable_stamp_only_costs_a_hash(room: Path, stamp: bytes) -> None:
    with Site(SERVED) as site:
        write_manifest(room / "datasets", TWO, [web(site)])
        folder = sources.fetch("toy", quiet=True)
    (folder / ".verified.json").write_bytes(stamp)
    assert contents(sources.fetch("toy")) == TWO
