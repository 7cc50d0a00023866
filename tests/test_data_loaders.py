"""The course's datasets: what the lessons count on, and what a broken file says."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from data_checks import assert_consistent, cpu_seconds, loaded

from course_lib import sources
from course_lib.data import (
    load,
    load_item_profiles,
    load_movielens_1m,
    load_movielens_100k,
)
from course_lib.data.movielens import describe_films, display_title


def test_movielens_100k_counts() -> None:
    dataset = loaded("movielens-100k")
    interactions = dataset.interactions
    assert (len(interactions), interactions.num_users, interactions.num_items) == (100_000, 943, 1682)
    assert_consistent(dataset, "user_id", "item_id")
    np.testing.assert_array_equal(interactions.item_ids, np.arange(1, 1683))
    assert set(np.unique(interactions.rating)) == {1, 2, 3, 4, 5}
    assert interactions.timestamp is not None
    assert pd.to_datetime(interactions.timestamp, unit="s").min() == pd.Timestamp("1997-09-20 03:05:10")
    first = interactions.to_frame().iloc[0]  # the first line of the file
    assert first.tolist() == [196, 242, 3, 881250949]


def test_movielens_100k_films_and_users() -> None:
    dataset = loaded("movielens-100k")
    items = dataset.items
    assert items.loc[11, ["title", "display_title", "year", "genres"]].tolist() == [
        "Usual Suspects, The",
        "The Usual Suspects",
        1995,
        ("Crime", "Thriller"),
    ]
    assert items["genres"].explode().nunique() == 19
    assert items.loc[items["year"].isna(), "item_id"].tolist() == [267]
    assert items.loc[1411, ["display_title", "year"]].tolist() == [
        "Land Before Time III: The Time of the Great Giving",
        1995,
    ]
    assert items.loc[266, ["title", "display_title"]].tolist() == ["unkonwn", "unknown"]
    assert dataset.users.loc[0].tolist() == [1, 24, "M", "technician", "85711"]
    assert dataset.users["zip_code"].str.len().ge(5).all()  # none lost its leading zero
    assert dataset.users["occupation"].nunique() == 21


def test_films_listed_twice_share_a_group() -> None:
    items = loaded("movielens-100k").items
    same_title_and_year = items[items.duplicated(["title", "year"], keep=False)]
    assert len(same_title_and_year) == 36
    assert same_title_and_year["title_group"].nunique() == 18
    groups = items.groupby("title_group")["item_id"].apply(list)
    assert len(groups) == 1663
    assert items["title_group"].min() == 0
    in_other_words = [
        ids for ids in groups if len(ids) > 1 and items.loc[ids[0] - 1, "title"] != items.loc[ids[1] - 1, "title"]
    ]
    assert in_other_words == [[1202, 1504]]  # Maybe, Maybe Not (Bewegte Mann, Der)
    assert items.loc[[877, 1002, 1443], "title_group"].nunique() == 2  # That Darn Cat! of 1997, twice, and of 1965


def test_knowledge_graph() -> None:
    dataset = loaded("movielens-100k")
    graph = dataset.knowledge
    assert graph is not None
    assert (len(graph), len(graph.relation_ids), len(graph.entity_ids)) == (91_631, 24, 34_628)
    assert graph.head.dtype == graph.relation.dtype == graph.tail.dtype == graph.item_entity.dtype == np.int32
    assert sorted(graph.entity_ids) == graph.entity_ids.tolist()
    assert sorted(graph.relation_ids) == graph.relation_ids.tolist()
    first = (graph.entity_ids[graph.head[0]], graph.relation_ids[graph.relation[0]], graph.entity_ids[graph.tail[0]])
    assert first == ("m.04ctbw8", "film.producer.film", "m.0bln8")

    unlinked = dataset.items["entity_id"].isna().to_numpy()
    assert unlinked.sum() == 84
    assert dataset.items["entity_id"][unlinked].tolist() == [None] * 84
    np.testing.assert_array_equal(graph.item_entity[unlinked], -1)
    np.testing.assert_array_equal(graph.entity_ids[graph.item_entity[~unlinked]], dataset.items["entity_id"][~unlinked])
    assert len(set(graph.item_entity[~unlinked])) == 1682 - 84


def test_movielens_100k_loads_within_a_second() -> None:
    folder = sources.fetch("movielens-100k")
    assert cpu_seconds(lambda: load_movielens_100k(folder)) < 1


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Usual Suspects, The", "The Usual Suspects"),
        ("Fish Called Wanda, A", "A Fish Called Wanda"),
        ("Good, The Bad and The Ugly, The", "The Good, The Bad and The Ugly"),
        ("Beans of Egypt, Maine, The", "The Beans of Egypt, Maine"),
        ("Horseman on the Roof, The (Hussard sur le toit, Le)", "The Horseman on the Roof (Le Hussard sur le toit)"),
        ("Star Maker, The (Uomo delle stelle, L')", "The Star Maker (L'Uomo delle stelle)"),
        ("Enfer, L'", "L'Enfer"),
        ("Misérables, Les", "Les Misérables"),
        ("Hate (Haine, La)", "Hate (La Haine)"),
        ("Convent, The (Convento, O)", "The Convent (O Convento)"),
        ("Die xue shuang xiong (Killer, The)", "Die xue shuang xiong (The Killer)"),
        ("Savage Nights (Nuits fauves, Les)", "Savage Nights (Les Nuits fauves)"),
        ("Paris, Texas", "Paris, Texas"),
        ("To Have, or Not", "To Have, or Not"),
        ("I, Worst of All (Yo, la peor de todas)", "I, Worst of All (Yo, la peor de todas)"),
        ("Seven (Se7en)", "Seven (Se7en)"),
        ("2001: A Space Odyssey", "2001: A Space Odyssey"),
    ],
)
def test_display_title(title: str, expected: str) -> None:
    assert display_title(title) == expected


def test_no_article_is_left_behind() -> None:
    left = loaded("movielens-100k").items["display_title"].str.extract(r", (\S+)(?:\)|$| \()")[0].dropna()
    assert set(left) == {"Texas", "Maine", "Corrina", "Guido", "Professore!", "Love", "N.M.", "France", "Niagara"}


def test_remakes_and_films_without_a_year_are_kept_apart() -> None:
    films = pd.DataFrame(
        {
            "item_id": range(5),
            "title": ["Sabrina", "Sabrina", "Sabrina", "Lost", "Lost"],
            "release_year": ["1954", "1995", "1995", "", "1990"],
            "genres": ["Comedy", "Comedy Romance", "", "unknown", "Drama"],
        }
    )
    described = describe_films(films)
    assert described["title_group"].tolist() == [0, 1, 1, 2, 3]
    assert described["genres"].tolist()[1:3] == [("Comedy", "Romance"), ()]
    assert described["year"].isna().tolist() == [False, False, False, True, False]


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    folder = sources.fetch("movielens-100k")
    for file in folder.glob("ml-100k.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    films = (tmp_path / "ml-100k.item").read_text(encoding="utf-8").splitlines()
    (tmp_path / "ml-100k.item").write_text("\n".join(films[:-2]) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"No row for item_id \[1681, 1682\]"):
        load_movielens_100k(tmp_path)


def write_movielens_1m(folder: Path) -> None:
    ratings = [
        "1m_2\tBabe (1995)\t5\t978300760",
        "1m_10\tHeat, The (1995)\t3\t978302109",
        "1m_2\tHeat, The (1995)\t1\t5",
    ]
    films = ["Heat, The (1995)\tHeat, The\t1995\tAction Crime", "Alien (1979)\tAlien\t1979\tSci-Fi"]
    films.append("Babe (1995)\tBabe\t1995\tChildren's Comedy")
    users = ["1m_10\t35\tF\t1\t95370", "1m_2\t56\tM\t16\t00170"]
    headers = {
        "inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float",
        "item": "item_id:token\tmovie_title:token\trelease_year:float\tgenre:token",
        "user": "user_id:token\tage:float\tgender:token\toccupation:float\tzip_code:token",
    }
    for (kind, header), lines in zip(headers.items(), (ratings, films, users), strict=True):
        (folder / f"ml-1m.{kind}").write_text("\r\n".join([header, *lines]) + "\r\n", encoding="utf-8", newline="")


def test_movielens_1m_format(tmp_path: Path) -> None:
    write_movielens_1m(tmp_path)
    dataset = load_movielens_1m(tmp_path)
    assert_consistent(dataset, "user_id", "item_id")
    assert dataset.interactions.user_ids.tolist() == [2, 10]
    assert dataset.items["display_title"].tolist() == ["Babe", "The Heat"]  # nobody rated Alien
    assert dataset.items["genres"].tolist() == [("Children's", "Comedy"), ("Action", "Crime")]
    assert dataset.users.loc[0].tolist() == [2, 56, "M", "self-employed", "00170"]


def test_movielens_1m_counts() -> None:
    if {artefact.name: artefact.state for artefact in sources.list_artefacts()}["movielens-1m"] != "ready":
        pytest.skip("movielens-1m is not fetched: course data fetch movielens-1m")
    dataset = load("movielens-1m")
    interactions = dataset.interactions
    assert (len(interactions), interactions.num_users, interactions.num_items) == (1_000_209, 6040, 3706)
    assert_consistent(dataset, "user_id", "item_id")
    assert dataset.users["occupation"].value_counts().index[0] == "college student"


def test_item_profiles() -> None:
    profiles, items = load_item_profiles(), loaded("movielens-100k").items
    assert profiles["item_id"].tolist() == items["item_id"].tolist()
    assert profiles["title"].tolist() == items["title"].tolist()
    assert profiles["confidence"].value_counts().to_dict() == {"high": 1639, "low": 16, "none": 27}
    assert profiles["keywords"].map(len).between(5, 8).all()
    assert profiles["profile"].str.len().min() > 50


def test_broken_item_profiles_are_named_by_line(tmp_path: Path) -> None:
    lines = (sources.fetch("ml-100k-item-profiles") / "ml-100k-item-profiles.jsonl").read_text("utf-8").splitlines()
    lines[2] = lines[2][:40]
    lines[9] = lines[8]
    lines[19] = json.dumps({**json.loads(lines[19]), "keywords": "one, two"})
    lines[29] = "[]"
    lines[39] = json.dumps({**json.loads(lines[39]), "item_id": 1683})
    path = tmp_path / "profiles.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ValueError, match="cannot be used as it is") as caught:
        load_item_profiles(path)
    message = str(caught.value)
    assert "line 3: not JSON (Unterminated string" in message
    assert "line 20: field 'keywords' is missing or not of type list" in message
    assert "line 30: not a JSON object" in message
    assert "line 40: item_id 1683 is not between 1 and 1682" in message
    assert "item_id 9 occurs twice, in lines 9, 10" in message
    assert "no profile for 5 of 1,682 items: item_id 3, 10, 20, 30, 40" in message


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"no dataset called 'netflix'\. Choose one of: movielens-100k, movielens-1m, compl"
    ):
        load("netflix")
