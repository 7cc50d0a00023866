"""A user-item graph of a given size with long tails on both sides, the same one for the same seed."""

import numpy as np

from course_lib.data import Interactions

USER_SPREAD = 1.0  # standard deviation of the logarithm of a user's activity
ITEM_SPREAD = 1.2  # and of an item's popularity


def synthetic_graph(num_users: int, num_items: int, num_interactions: int, seed: int = 0) -> Interactions:
    """Draw user-item pairs without repeats: activity and popularity are lognormal, and independent of each other.

    Every user and every item occurs at least once. There is no taste in the graph, only popularity, so it is good for
    time and memory and says nothing about quality. With no clusters, two steps from a user reach more of the
    catalogue than in real data: the sparse products come out fuller, so the times are on the safe side.

    Parameters
    ----------
    num_interactions : int
        Exactly this many come back. At least max(num_users, num_items), and at most a tenth of all pairs, beyond which
        drawing without repeats is slow and the tails are no longer long.
    seed : int
        Of everything drawn.

    Raises
    ------
    ValueError
        Where no such graph can be drawn.
    """
    fewest, most = max(num_users, num_items), num_users * num_items // 10
    if not fewest <= num_interactions <= most:
        raise ValueError(
            f"{num_interactions} interactions do not fit {num_users} users and {num_items} items: "
            f"choose {fewest} (each occurs) to {most} (a tenth of all pairs)"
        )
    rng = np.random.default_rng(seed)
    activity = rng.lognormal(0.0, USER_SPREAD, num_users)
    popularity = rng.lognormal(0.0, ITEM_SPREAD, num_items)
    first_users = rng.permutation(fewest) % num_users
    pairs = np.unique(first_users * num_items + np.arange(fewest) % num_items)  # a pair is one number
    while (missing := num_interactions - len(pairs)) > 0:
        users = rng.choice(num_users, 2 * missing, p=activity / activity.sum())
        items = rng.choice(num_items, 2 * missing, p=popularity / popularity.sum())
        new = np.setdiff1d(users * num_items + items, pairs)
        pairs = np.concatenate([pairs, rng.permutation(new)[:missing]])
    pairs = rng.permutation(pairs)
    return Interactions(
        user=(pairs // num_items).astype(np.int32),
        item=(pairs % num_items).astype(np.int32),
        rating=np.ones(num_interactions, dtype=np.float32),
        timestamp=None,
        user_ids=np.arange(num_users),
        item_ids=np.arange(num_items),
    )
