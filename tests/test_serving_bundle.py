"""The bundle: what is written comes back, and nothing else is taken for it."""

import json
import shutil
import threading

import numpy as np
import pytest
from serving_tools import make_bundle

from course_lib.serving.bundle import ARRAYS, load_bundle, read_encoder_file, write
from course_lib.serving.manifest import BundleDamaged, BundleError, BundleFormatError, BundleMissing, verify

pytest_plugins = ["serving_room", "text_room"]


def edit_manifest(folder, change):
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_what_is_written_is_read(bundle, bundle_folder):
    found = load_bundle(bundle_folder)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(bundle, name))
    assert found.items == bundle.items and found.user_ids == bundle.user_ids
    assert (found.settings, found.metrics, found.data) == (bundle.settings, bundle.metrics, bundle.data)
    assert found.version == verify(bundle_folder)["version"]
    assert not list(bundle_folder.rglob("*.pkl")) and "two camps" in (bundle_folder / "model_card.md").read_text()


def test_the_version_tells_contents_apart(bundle, tmp_path):
    first, again = (write(bundle, tmp_path / name) for name in ("first", "again"))
    assert first == again != write(make_bundle(seed=1), tmp_path / "other")


FILES = [
    "vectors.safetensors",
    "items.json",
    "users.json",
    "settings.json",
    "metrics.json",
    "data.json",
    "model_card.md",
]


@pytest.mark.parametrize("name", FILES)
def test_every_changed_cut_or_missing_file_is_found(bundle_folder, name):
    path = bundle_folder / name
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    with pytest.raises(BundleDamaged, match=rf"{name} was changed"):
        load_bundle(bundle_folder)
    path.write_bytes(content[:-1])
    with pytest.raises(BundleDamaged, match=rf"{name} has .* bytes, not {len(content):,}"):
        load_bundle(bundle_folder)
    path.unlink()
    with pytest.raises(BundleMissing, match=rf"lacks {name}"):
        load_bundle(bundle_folder)
    path.write_bytes(content)
    load_bundle(bundle_folder)


def test_older_newer_and_nonsense_manifests_are_refused(bundle_folder, tmp_path):
    for found, reason in ((0, "older"), (2, "newer"), (10**30, "newer")):
        edit_manifest(bundle_folder, lambda manifest, found=found: manifest.update(format=found))
        with pytest.raises(BundleFormatError, match=reason):
            load_bundle(bundle_folder)
    for content in (b"", b"[]", b"{}", b'{"format": true}', b'{"format": "1"}', b'{"format": 1, "files": []}', b"\xff"):
        (bundle_folder / "manifest.json").write_bytes(content)
        with pytest.raises(BundleDamaged):
            verify(bundle_folder)
    with pytest.raises(BundleMissing, match="course export"):
        load_bundle(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["../outside.json", "/etc/hostname", "C:\\outside", "a/../../b"])
def test_a_manifest_cannot_reach_outside_its_folder(bundle_folder, name):
    edit_manifest(bundle_folder, lambda manifest: manifest["files"].update({name: {"sha256": "0", "size": 1}}))
    with pytest.raises(BundleDamaged, match="does not list files"):
        load_bundle(bundle_folder)


def test_what_the_manifest_does_not_list_is_refused(bundle_folder):
    (bundle_folder / "model.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(BundleDamaged, match=r"holds model\.pkl, which its manifest does not list"):
        load_bundle(bundle_folder)
    (bundle_folder / "model.pkl").unlink()
    edit_manifest(bundle_folder, lambda manifest: manifest["files"].pop("users.json"))
    with pytest.raises(BundleDamaged, match="version"):
        load_bundle(bundle_folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text_vectors": np.ones((3, 16), np.float32)}, "do not fit 60 items"),
        ({"item_vectors": np.full((60, 8), np.nan, np.float32)}, "not finite"),
        ({"indices": np.full(len(make_bundle().indices), 60)}, "not among the 60"),
        ({"user_ids": ["1"] * 40}, "occurs twice"),
    ],
)
def test_content_that_does_not_fit_together_is_refused(bundle, change, reason):
    with pytest.raises(BundleDamaged, match=reason):
        type(bundle)(**{**vars(bundle), **change})


def test_writing_replaces_a_bundle_and_nothing_else(bundle, bundle_folder, tmp_path):
    new = write(make_bundle(seed=5), bundle_folder)
    assert load_bundle(bundle_folder).version == new
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="no bundle; choose another folder"):
        write(bundle, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_reader_sees_a_whole_bundle_or_says_so(bundle, bundle_folder):
    """While one thread writes bundle after bundle, another reads: what it gets is one of them."""
    versions = {load_bundle(bundle_folder).version}
    writing = threading.Event()
    writing.set()

    def write_many():
        for seed in range(1, 16):
            versions.add(write(make_bundle(seed), bundle_folder))
        writing.clear()

    writer = threading.Thread(target=write_many)
    writer.start()
    read = []
    while writing.is_set():
        try:
            read.append(load_bundle(bundle_folder).version)
        except BundleError:
            continue  # caught it between two bundles: refused, not mixed up
    writer.join()
    assert read and set(read) <= versions
    assert [path.name for path in bundle_folder.parent.iterdir() if path.name.endswith((".part", ".old"))] == []


def test_the_encoders_files_are_checked_when_they_are_used(bundle, onnx_folder, tmp_path):
    write(bundle, tmp_path / "with", encoder=onnx_folder)
    found = load_bundle(tmp_path / "with")
    assert read_encoder_file(found, "encoder.json") == (onnx_folder / "encoder.json").read_bytes()
    (tmp_path / "with" / "encoder" / "model.onnx").write_bytes(b"something else")
    with pytest.raises(BundleDamaged, match=r"encoder/model\.onnx"):
        read_encoder_file(found, "model.onnx")
    with pytest.raises(BundleDamaged, match=r"encoder/model\.onnx has 14 bytes"):
        load_bundle(tmp_path / "with")
    shutil.rmtree(tmp_path / "with" / "encoder")
    with pytest.raises(BundleMissing):
        read_encoder_file(found, "tokenizer.json")
