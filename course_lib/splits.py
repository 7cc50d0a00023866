"""Train, validation and test parts: four protocols, and what each of them leaks.

Taught in 01_data.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from course_lib.data import Dataset, Interactions

PROTOCOLS = ("benchmark", "temporal", "cold-item", "new-user")


@dataclass(frozen=True, eq=False)
class Task:
    """One exam: given each user's history, rank the candidates; the targets are what the user took.

    Attributes
    ----------
    targets : csr_matrix, [num_users, num_items]
        1 where the item is a right answer.
    history : csr_matrix, [num_users, num_items]
        1 where a model may know that the user took the item.
    seen : csr_matrix, [num_users, num_items]
        1 where the item must not be recommended (again).
    candidates : ndarray of bool, [num_items]
        Items that take part in the ranking.
    fold_in : bool
        True where histories differ from the training data, so that models must use
        `score_histories` and not what they stored for a user.
    """

    targets: sparse.csr_matrix
    history: sparse.csr_matrix
    seen: sparse.csr_matrix
    candidates: np.ndarray
    fold_in: bool


@dataclass(frozen=True, eq=False)
class Split:
    """A data set cut into parts. Every interaction lies in exactly one of the five parts.

    Attributes
    ----------
    train, valid, test : Interactions
        Learn from the first, choose on the second, report the third once.
    fold_in_valid, fold_in_test : Interactions
        Known history of users whom training never saw: given to the model as input, never as a target.
    candidates_valid, candidates_test : ndarray of bool, [num_items]
        Items that may be recommended.
    folds_in : bool
        Whether histories at the exam differ from the training data (see `Task.fold_in`).
    leaks : str
        What this protocol lets a model know that it could not know in production.
    """

    protocol: str
    dataset: str
    seed: int
    train: Interactions
    valid: Interactions
    test: Interactions
    fold_in_valid: Interactions
    fold_in_test: Interactions
    candidates_valid: np.ndarray
    candidates_test: np.ndarray
    folds_in: bool
    leaks: str

    @property
    def num_users(self) -> int:
        return self.train.num_users

    @property
    def num_items(self) -> int:
        return self.train.num_items

    def task(self, part: str = "test") -> Task:
        """The exam on `"valid"` or on `"test"`."""
        if part not in ("valid", "test"):
            raise ValueError(f"part is {part!r}; choose 'valid' or 'test'")
        train = self.train.matrix()
        known_later = self.fold_in_valid.matrix() if part == "valid" else self._known_at_test()
        return Task(
            targets=(self.valid if part == "valid" else self.test).matrix(),
            history=train + known_later if self.folds_in else train,
            seen=train + known_later,
            candidates=self.candidates_valid if part == "valid" else self.candidates_test,
            fold_in=self.folds_in,
        )

    def _known_at_test(self) -> sparse.csr_matrix:
        return self.fold_in_valid.matrix() + self.valid.matrix() + self.fold_in_test.matrix()

    def merge_valid(self) -> "Split":
        """The same exam with the validation part added to the training part, for the final fit after tuning."""
        everything = _concatenate(self.train, self.fold_in_valid, self.valid)
        nothing = self.valid.select(np.zeros(len(self.valid), dtype=bool))
        return replace(self, train=everything, valid=nothing, fold_in_valid=nothing)


def make(protocol: str, dataset: Dataset, seed: int = 0) -> Split:
    """The split of a data set by the name of its protocol: one of `PROTOCOLS`."""
    if protocol == "benchmark":
        split = benchmark(dataset.interactions, seed)
    elif protocol == "temporal":
        split = temporal(dataset.interactions, seed=seed)
    elif protocol == "cold-item":
        split = cold_item(dataset.interactions, dataset.items["title_group"].to_numpy(), seed)
    elif protocol == "new-user":
        split = new_user(dataset.interactions, seed=seed)
    else:
        raise ValueError(f"no protocol {protocol!r}; choose one of {', '.join(PROTOCOLS)}")
    return replace(split, dataset=dataset.name)


def named(split: Split, dataset: str, protocol: str) -> Split:
    """The same split under the names that its rows carry in tables."""
    return replace(split, dataset=dataset, protocol=protocol)


def benchmark(interactions: Interactions, seed: int = 0) -> Split:
    """Each user's interactions at random, 8 : 1 : 1.

    A user with fewer than ten still gives one to test and one to validation, as long as two remain for
    training; with two or fewer, everything is training. (The counts of RecBole's ratio split.)
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(interactions))
    order = shuffled[np.argsort(interactions.user[shuffled], kind="stable")]  # users together, random inside
    count = np.bincount(interactions.user, minlength=interactions.num_users)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)  # 0, 1, 2 ... inside each user
    user_count = np.repeat(count, count)
    tenth = np.maximum(user_count // 10, 1)
    num_test = np.where(user_count >= 3, tenth, 0)
    num_valid = np.where(user_count >= 4, tenth, 0)
    part = np.empty(len(order), dtype=np.int8)
    part[order] = np.where(rank < num_test, 2, np.where(rank < num_test + num_valid, 1, 0))
    return _assemble(
        "benchmark",
        interactions,
        part,
        seed,
        leaks="the future: a model trains on interactions that happened after the ones it is asked to predict",
    )


def temporal(interactions: Interactions, train: float = 0.8, valid: float = 0.1, seed: int = 0) -> Split:
    """One cut in time for everybody: the first 80 % of all interactions, then 10 %, then the last 10 %.

    A user who is new in a window is asked about the later half of their window; the earlier half is
    history that a model may fold in. Users who return are asked about all of it. The seed changes nothing
    here: time is cut where it is cut.

    Raises
    ------
    ValueError
        Where the interactions have no timestamps.
    """
    if interactions.timestamp is None:
        raise ValueError("a temporal split needs timestamps; these interactions have none")
    time = interactions.timestamp
    first_cut, second_cut = np.quantile(time, [train, train + valid], method="higher")
    part = np.where(time < first_cut, 0, np.where(time < second_cut, 1, 2)).astype(np.int8)
    for window, fold_in_part in ((1, 3), (2, 4)):
        known = np.zeros(interactions.num_users, dtype=bool)
        known[interactions.user[part < window]] = True
        new = np.flatnonzero((part == window) & ~known[interactions.user])
        part[_earlier_half(interactions, new)] = fold_in_part
    return _assemble(
        "temporal",
        interactions,
        part,
        seed,
        leaks="nothing of the future, in training; new users and items as they come",
    )


def cold_item(interactions: Interactions, groups: np.ndarray, seed: int = 0) -> Split:
    """20 % of the titles without one interaction in training, 10 % more kept cold for validation.

    Parameters
    ----------
    groups : ndarray of int, [num_items]
        Items of one group stay on one side: a film that occurs under two ids would give the answer away.
    seed : int
        Chooses the titles.

    Notes
    -----
    Only cold items are ranked. Tune on the cold validation titles, then `split.merge_valid()` and test.
    """
    rng = np.random.default_rng(seed)
    titles, group_of_item = np.unique(groups, return_inverse=True)
    shuffled = rng.permutation(len(titles))
    num_test, num_valid = round(0.2 * len(titles)), round(0.1 * len(titles))
    part_of_title = np.zeros(len(titles), dtype=np.int8)
    part_of_title[shuffled[:num_test]] = 2
    part_of_title[shuffled[num_test : num_test + num_valid]] = 1
    part_of_item = part_of_title[group_of_item]
    split = _assemble(
        "cold-item",
        interactions,
        part_of_item[interactions.item],
        seed,
        leaks="time: the warm items' interactions are not older than the cold items' own",
    )
    return replace(split, candidates_valid=part_of_item == 1, candidates_test=part_of_item == 2)


def new_user(interactions: Interactions, num_known: int = 5, seed: int = 0) -> Split:
    """20 % of the users never trained on, 10 % more for validation; `num_known` random clicks of each are known.

    Users with no more than `num_known` interactions give them all as history and are not asked.
    """
    rng = np.random.default_rng(seed)
    num_users = interactions.num_users
    shuffled = rng.permutation(num_users)
    num_test, num_valid = round(0.2 * num_users), round(0.1 * num_users)
    part_of_user = np.zeros(num_users, dtype=np.int8)
    part_of_user[shuffled[:num_test]] = 2
    part_of_user[shuffled[num_test : num_test + num_valid]] = 1
    part = part_of_user[interactions.user]
    order = rng.permutation(len(interactions))
    order = order[np.argsort(interactions.user[order], kind="stable")]
    count = np.bincount(interactions.user, minlength=num_users)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    part[(part == 1) & (rank < num_known)] = 3
    part[(part == 2) & (rank < num_known)] = 4
    return _assemble(
        "new-user", interactions, part, seed, leaks="time: known clicks are drawn at random, not the first ones"
    )


def _earlier_half(interactions: Interactions, rows: np.ndarray) -> np.ndarray:
    """Of these rows, each user's earlier half by time (rounded up)."""
    assert interactions.timestamp is not None
    order = rows[np.lexsort((interactions.item[rows], interactions.timestamp[rows], interactions.user[rows]))]
    _, first, count = np.unique(interactions.user[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, count)
    return order[rank < np.repeat((count + 1) // 2, count)]


def _assemble(protocol: str, interactions: Interactions, part: np.ndarray, seed: int, leaks: str) -> Split:
    """Parts by number: 0 train, 1 valid, 2 test, 3 fold-in for valid, 4 fold-in for test."""
    train, valid, test, fold_in_valid, fold_in_test = (interactions.select(part == number) for number in range(5))
    every_item = np.ones(interactions.num_items, dtype=bool)
    return Split(
        protocol=protocol,
        dataset="",
        seed=seed,
        train=train,
        valid=valid,
        test=test,
        fold_in_valid=fold_in_valid,
        fold_in_test=fold_in_test,
        candidates_valid=every_item,
        candidates_test=every_item,
        folds_in=protocol in ("temporal", "new-user"),
        leaks=leaks,
    )


def _concatenate(*parts: Interactions) -> Interactions:
    first = parts[0]
    timestamp = None
    if first.timestamp is not None:
        timestamp = np.concatenate([part.timestamp for part in parts if part.timestamp is not None])
    return replace(
        first,
        user=np.concatenate([part.user for part in parts]),
        item=np.concatenate([part.item for part in parts]),
        rating=np.concatenate([part.rating for part in parts]),
        timestamp=timestamp,
    )
