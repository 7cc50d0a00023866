"""Finding items by title or by meaning, and the users that an item would reach.

Taught in 07_deployment.
"""

import numpy as np

from course_lib.serving.engine import Serving
from course_lib.serving.scoring import top, unit
from course_lib.serving.store import user_hash
from course_lib.serving.texts import fold

AT_ONCE = 256  # users whose scores are in memory together


def by_title(serving: Serving, query: str, k: int) -> list[int]:
    """Positions of items whose title holds all words of the query: the very title, those that begin so, the popular."""
    wanted = fold(query)
    words = wanted.split()
    popular = serving.catalogue.popular()
    found = [
        (title != wanted, not title.startswith(wanted), -popular[position], position)
        for position, title in enumerate(serving.titles)
        if all(word in title for word in words)
    ]
    return [position for *_, position in sorted(found)[:k]]


def by_words(serving: Serving, encoded: np.ndarray, k: int) -> list[int]:
    """Positions of the items whose text is nearest to an encoded query, [text_dim]."""
    query = unit(encoded - serving.bundle.text_means[0])
    return top(serving.catalogue.E @ query, k, np.empty(0, dtype=np.int64)).tolist()


def audience(
    serving: Serving, item: int, k: int, alpha: float, forgotten: set[str], shown: int = 5
) -> tuple[int, int, list[tuple[int, int]]]:
    """How many users of the bundle have an item among their k best, and the first few of them.

    Histories are those of the bundle; later events are not looked at, users who asked to be forgotten neither.

    Returns
    -------
    num_users, num_reached : int
    readers : list of (row of the user, rank of the item)
        Best rank first.
    """
    rows = np.array(
        [
            row
            for user_id, row in serving.user_row.items()
            if len(serving.bundle_history(row)) and not (forgotten and user_hash(user_id) in forgotten)
        ],
        dtype=np.int64,
    )
    vectors = [serving.vector_of(serving.bundle_history(row)) for row in rows]
    table = [np.concatenate([(1 - alpha) * one.h, alpha * one.e]) for one in vectors]
    users = np.array(table, dtype=np.float32).reshape(len(rows), serving.catalogue.vectors.shape[1])
    ranks = []
    for start in range(0, len(rows), AT_ONCE):
        scores = users[start : start + AT_ONCE] @ serving.catalogue.vectors.T
        mine = scores[:, item].copy()
        for number, row in enumerate(rows[start : start + AT_ONCE]):
            scores[number, serving.bundle_history(row)] = -np.inf
        ranks.append((scores > mine[:, None]).sum(axis=1) + 1)
    rank = np.concatenate(ranks) if ranks else np.empty(0, dtype=np.int64)
    took = np.array([item in serving.bundle_history(row) for row in rows], dtype=bool)
    reached = np.flatnonzero((rank <= k) & ~took)
    first = reached[np.argsort(rank[reached], kind="stable")][:shown]
    return len(rows), len(reached), [(int(rows[number]), int(rank[number])) for number in first]
