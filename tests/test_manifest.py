"""The course's own manifest, its cards, and what the reader of manifests refuses."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mirror_server import write_manifest

from course_lib import paths, sources

MANIFEST = sources.load_manifest()
ORIGINAL_HOMES = {"raw.githubusercontent.com", "files.grouplens.org", "huggingface.co"}
MIRROR = {"kind": "web", "url": "https://example.org"}


def ready(name: str) -> Path:
    """Folder of an artefact in the cache; skips where it has not been fetched."""
    states = sources.verify(name)
    if any(state.state == "missing" for state in states):
        pytest.skip(f"{name} is not in the cache")
    return paths.cache_dir() / "data" / name


def test_what_the_course_needs_is_there() -> None:
    assert {name for name, artefact in MANIFEST.items() if artefact.default} == {
        "movielens-100k",
        "complete-journey",
        "ml-100k-item-profiles",
        "all-minilm-l6-v2",
        "clothing-reviews",
    }
    for artefact in MANIFEST.values():
        downloads = [mirror for mirror in artefact.mirrors if mirror.kind != "packaged"]
        assert not downloads or len(downloads) >= 2, f"{artefact.name} has one mirror only"


@pytest.mark.parametrize("name", MANIFEST)
def test_cached_files_have_the_stated_content(name: str) -> None:
    ready(name)
    for state in sources.verify(name):
        assert state.state == "ok", f"{name}/{state.file.name}: {state.seen}"
    for file in MANIFEST[name].files:
        assert (paths.cache_dir() / "data" / name / file.name).stat().st_size == file.size


def test_packaged_files_lie_in_the_datasets_folder() -> None:
    for artefact in MANIFEST.values():
        if any(mirror.kind == "packaged" for mirror in artefact.mirrors):
            for file in artefact.files:
                assert (paths.datasets_dir() / file.name).stat().st_size == file.size


@pytest.mark.parametrize("name", MANIFEST)
def test_card(name: str) -> None:
    card = (paths.datasets_dir() / f"{name}.md").read_text(encoding="utf-8")
    assert card.startswith(f"# {name}\n")
    for heading in ("## Licence and citation", "## Known problems"):
        assert heading in card
    for file in MANIFEST[name].files:
        assert f"`{file.name}`" in card, f"the card does not name {file.name}"
    index = (paths.datasets_dir() / "README.md").read_text(encoding="utf-8")
    assert f"`{name}`" in index and f"({name}.md)" in index
    assert f"{MANIFEST[name].size / 1e6:.1f} MB" in index


def test_only_original_homes_and_pinned_packages() -> None:
    for artefact in MANIFEST.values():
        for mirror in artefact.mirrors:
            assert not mirror.url or urlparse(mirror.url).hostname in ORIGINAL_HOMES
            assert not mirror.url or mirror.url.startswith("https://")


def movielens_100k(folder: Path) -> dict[str, int]:
    read = {
        kind: pd.read_csv(folder / f"ml-100k.{kind}", sep="\t", dtype=str, quoting=3, keep_default_na=False)
        for kind in ("inter", "item", "user", "kg", "link")
    }
    item, graph = read["item"], read["kg"]
    same = item.duplicated(["movie_title:token_seq", "release_year:token"], keep=False)
    doubled = item.loc[same, "item_id:token"]
    entities = pd.concat([graph["head_id:token"], graph["tail_id:token"]])
    return {
        "ratings": len(read["inter"]),
        "films": len(item),
        "rating >= 4": int((read["inter"]["rating:float"].astype(float) >= 4).sum()),
        "triples": len(graph),
        "entities": entities.nunique(),
        "linked": len(read["link"]),
        "ratings of doubled films": int(read["inter"]["item_id:token"].isin(doubled).sum()),
    }


def movielens_1m(folder: Path) -> dict[str, int]:
    inter = pd.read_csv(folder / "ml-1m.inter", sep="\t", quoting=3, keep_default_na=False)
    users, items = inter["user_id:token"].nunique(), inter["item_id:token"].nunique()
    return {"ratings": len(inter), "users": users, "rated films": items, "3+": int((inter["rating:float"] >= 3).sum())}


def complete_journey(folder: Path) -> dict[str, int]:
    bought = pd.read_parquet(folder / "transactions.parquet")
    products = pd.read_parquet(folder / "products.parquet")
    return {
        "lines": len(bought),
        "baskets": bought["basket_id"].nunique(),
        "households": bought["household_id"].nunique(),
        "with demographics": len(pd.read_parquet(folder / "demographics.parquet")),
        "products": len(products),
        "products bought": bought["product_id"].nunique(),
        "pairs": len(bought.drop_duplicates(["household_id", "product_id"])),
        "no package size": int(products["package_size"].isna().sum()),
        "gasoline": int((bought["quantity"] > 1000).sum()),
        "quantity 0": int((bought["quantity"] == 0).sum()),
    }


def profiles(folder: Path) -> dict[str, int]:
    table = pd.read_json(folder / "ml-100k-item-profiles.jsonl", lines=True)
    assert table["item_id"].tolist() == list(range(1, 1683))
    counts = table["confidence"].value_counts()
    keywords = table["keywords"].explode().nunique()
    return {"lines": len(table), "high": counts["high"], "low": counts["low"], "none": counts["none"], "tags": keywords}


def clothing_reviews(folder: Path) -> dict[str, int]:
    table = pd.read_parquet(folder / "WomensClothingE-CommerceReviews.parquet.brotli")
    stars = {f"{star} stars": int(count) for star, count in table["Rating"].value_counts().items()}
    return {"rows": len(table), "no text": int(table["Review Text"].isna().sum()), **stars}


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("movielens-100k", movielens_100k),
        ("movielens-1m", movielens_1m),
        ("complete-journey", complete_journey),
        ("ml-100k-item-profiles", profiles),
        ("clothing-reviews", clothing_reviews),
    ],
)
def test_numbers_on_the_card_are_those_of_the_files(name: str, count: Callable[[Path], dict[str, int]]) -> None:
    stated = set(re.findall(r"\d[\d,]*", (paths.datasets_dir() / f"{name}.md").read_text(encoding="utf-8")))
    stated |= {number.rstrip(",") for number in stated}
    absent = {what: f"{value:,}" for what, value in count(ready(name)).items() if f"{value:,}" not in stated}
    assert not absent, f"datasets/{name}.md does not say {absent}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence = ", "license = ", "manifest entry 'toy': unknown field 'license'"),
        ('citation = "Toy (2026)"\n', "", "manifest entry 'toy': field 'citation' is missing"),
        ('"dataset"', '"data"', "manifest entry 'toy': kind must be"),
        ("default = false", 'default = "no"', "manifest entry 'toy': field 'default' must be a filled bool"),
        ('licence = "CC0 1.0"', 'licence = ""', "field 'licence' must be a filled str"),
        ('sha256 = "', 'sha256 = "0', "manifest entry 'toy', file 'b.txt': sha256 must be 64"),
        ("size = 1", "size = -1", "file 'b.txt': size must be a positive number"),
        ('kind = "web"', 'kind = "ftp"', "manifest entry 'toy', mirrors: kind must be one of wheel, web"),
        ('https://example.org"', 'ftp://example.org"', "web mirror: url must start with https://"),
        ('kind = "web", url', 'kind = "web", uri', "web mirror: unknown field 'uri'"),
        ('kind = "web",', 'kind = "web", files = ["x"],', "covers files that the entry does not have: x"),
        ('kind = "web", url', 'kind = "wheel", folder = "d", package', "package must be pinned as 'name==version'"),
        ("mirrors = [{", "mirrors = [] # [{", "no mirror holds b.txt"),
        ("files = [{", "files = [] # [{", "files must be a non-empty list of distinct names"),
        ("[toy]", "[Toy]", "manifest entry 'Toy': a name is made of lower-case letters"),
        ("[toy]", "[toy", "not valid TOML"),
    ],
)
def test_faults_in_a_manifest_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    write_manifest(tmp_path, {"b.txt": b"x"}, [MIRROR])
    file = tmp_path / "manifest.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(sources.SourceError, match=re.escape(message)):
        sources.load_manifest(file)


def test_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(sources.SourceError, match=re.escape(str(tmp_path / "none.toml"))):
        sources.load_manifest(tmp_path / "none.toml")


HOSTILE = ["../a", "/a", "a/../../b", "a\\..\\b", "C:/a", ".", "..", "", "a/", "./a", "a//b", "~/a", ".verified.json"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(st.sampled_from(HOSTILE), st.text("ab./\\~:", min_size=1, max_size=8)))
def test_no_file_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    write_manifest(tmp_path, {name: b"x"}, [MIRROR])
    try:
        manifest: dict[str, Any] = sources.load_manifest(tmp_path / "manifest.toml")
    except sources.SourceError:
        return
    assert name not in HOSTILE
    folder = (tmp_path / "cache").resolve()
    assert folder in (folder / manifest["toy"].files[0].name).resolve().parents
