"""Random inputs of exercises: small enough to be read when printed, other numbers each time."""

import numpy as np
import pandas as pd
import torch


def scores_of_loud_and_quiet_people(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Graph scores of four people who differ in loudness, word scores of the same five films, and a weight."""
    loudness = generator.permutation([0.3, 1.0, 3.0, 9.0])[:, None]
    graph = loudness * generator.normal(1.0, 1.0, (4, 5))
    words = generator.normal(0.5, 0.2, (4, 5))
    return graph.round(2), words.round(2), round(float(generator.uniform(0.2, 0.8)), 2)


def a_batch_of_scores(generator: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Scores of three people for five items, the item each took, and clicks of the items: one or two have none."""
    num_taken = generator.integers(1, 9, 5)
    num_taken[generator.permutation(5)[: generator.integers(1, 3)]] = 0
    target = generator.choice(np.flatnonzero(num_taken), 3)
    scores = generator.normal(1.0, 2.0, (3, 5)).round(1).astype(np.float32)
    return torch.from_numpy(scores), torch.from_numpy(target), torch.from_numpy(num_taken)


def words_and_factors(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Words of six known items in three dimensions, their two factors, words of two new items, a ridge strength."""
    X = generator.normal(1.0, 1.0, (6, 3))
    F = X @ generator.normal(size=(3, 2)) + generator.normal(2.0, 0.3, (6, 2))
    return X.round(2), F.round(2), generator.normal(0.0, 1.0, (2, 3)).round(2), float(generator.integers(1, 6))


def scores_and_a_new_film(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Scores of six people for eight films, which of them they took, and their scores for a new film; k is 3."""
    loudness = generator.permutation([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])[:, None]
    scores = loudness * generator.uniform(0.0, 1.0, (6, 8))
    taken = generator.random((6, 8)) < 0.8 * scores / loudness  # people took what they like
    new_scores = (loudness[:, 0] * generator.uniform(0.2, 0.9, 6)).round(1) + 0.05  # no known film has the same
    return scores.round(1), taken, new_scores, 3


def variances_and_errors_wanted(generator: np.random.Generator) -> tuple[dict[str, float], int, np.ndarray]:
    """Variances of users, seeds and the rest, 2 to 5 seeds, and four standard errors; the last is out of reach."""
    part = {"users": 0.04, "seeds": 0.0001, "rest": 0.03}
    part = {name: float(value * generator.uniform(0.6, 1.4)) for name, value in part.items()}
    num_seeds = int(generator.integers(2, 6))
    limit = np.sqrt(part["seeds"] / num_seeds)
    return part, num_seeds, limit * np.append(generator.uniform(1.2, 3.0, 3), 0.8)


def two_groups_in_bands(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of twelve people, which of them are in the first group, and three bands of different sizes."""
    band = np.repeat([0, 1, 2], [6, 4, 2])
    is_first = np.concatenate(
        [generator.permutation(np.arange(size) < first) for size, first in ((6, 2), (4, 3), (2, 1))]
    )
    return (0.2 + 0.1 * band + generator.normal(0.0, 0.05, 12)).round(3), is_first, band


def a_pool_with_likeness(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float, int]:
    """Scores of eight items, best first, their cosines, a strength, and k = 5."""
    scores = np.sort(generator.uniform(0.1, 1.0, 8))[::-1]
    vectors = generator.uniform(0.0, 1.0, (8, 3)) ** 2
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scores.round(3), (unit @ unit.T).round(3), round(float(generator.uniform(0.5, 0.8)), 2), 5


def three_batches(generator: np.random.Generator) -> tuple[list[tuple[np.ndarray, np.ndarray]]]:
    """Two batches of four reviews with small errors, and one of two with large errors."""
    batches = []
    for size, spread in ((4, 0.3), (4, 0.3), (2, 1.5)):
        given = generator.choice(np.arange(1.0, 6.0), size, replace=False)
        batches.append(((given + spread * generator.choice([-1, 1], size) + 0.2 * generator.random(size)), given))
    return (batches,)


def reviews_of_five_items(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int, float]:
    """A loved item with many reviews, three mixed ones with one to three, and one without any."""
    item = np.repeat(np.arange(4), [6, *generator.permutation([1, 2, 3])])
    rating = np.where(item == 0, 5.0, generator.integers(1, 4, len(item)))
    order = generator.permutation(len(item))
    return item[order], rating[order], 5, float(generator.integers(2, 11))


def reviews_in_two_dimensions(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Six reviews: three of an item, two of another, one of a third; in random order."""
    item = generator.choice([np.array([4, 4, 4, 7, 7, 9]), np.array([2, 2, 2, 5, 5, 8])])
    return generator.uniform(0.1, 2, (6, 2)).round(1), generator.permutation(item)


def who_took_what(generator: np.random.Generator) -> tuple[np.ndarray, int]:
    """What seven people took of four items, and 2 factors: the second and the third singular value differ clearly."""
    while True:
        R = (generator.random((7, 4)) < 0.5).astype(float)
        of_users, of_items = R.sum(axis=1, keepdims=True), R.sum(axis=0)
        if of_users.all() and of_items.all() and len(set(of_items)) > 2:
            sigma = np.linalg.svd(R / np.sqrt(of_users * of_items), compute_uv=False)
            if sigma[1] - sigma[2] > 0.05:
                return R, 2


def groups_torn_apart(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Nine items: a pair and a triple that are torn apart, a pair hidden on both sides, and two items without twin."""
    group = np.array([0, 0, 1, 1, 1, 2, 2, 3, 4])
    is_test = np.array([True, False, True, False, generator.random() < 0.5, True, True, True, False])
    order = generator.permutation(9)
    return generator.permutation(5)[group][order], is_test[order]


def a_bipartite_adjacency(generator: np.random.Generator) -> tuple[np.ndarray, int]:
    """Adjacency matrix of three users and four items; the first two users share the first two items."""
    R = (generator.random((3, 4)) < 0.5).astype(int)
    R[:2, :2] = 1
    A = np.zeros((7, 7), dtype=int)
    A[:3, 3:], A[3:, :3] = R, R.T
    return A, 3


def seconds_with_ties(generator: np.random.Generator) -> tuple[np.ndarray, float]:
    """Ten seconds in the order of a file: a crowded start, a page of three at the cut or behind it, a late end."""
    share = float(generator.choice([0.5, 0.6]))
    gaps = generator.integers(1, 5, 10)
    start = int(10 * share) + int(generator.integers(0, 2))  # the page begins before the cut, or with it
    gaps[start : start + 2] = 0
    gaps[-1] = 200
    return generator.permutation(np.cumsum(gaps)), share


def an_export(generator: np.random.Generator) -> tuple[pd.DataFrame]:
    """Six events, one without a user; a pair three times, its first one in milliseconds, its latest in the middle."""
    rows = [(1, 7, 893286600000), (1, 7, 893286700), (1, 7, 893286800), (2, 7, 893286900), (np.nan, 8, 893286950)]
    rows += [(2, 9, 893287000000)]
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    table.insert(2, "rating", generator.permutation(np.arange(1.0, 7.0)))
    while True:
        order = generator.permutation(6)
        order[order < 3] = generator.choice([[0, 2, 1], [1, 2, 0]])
        if (np.diff(np.argsort(order)[[2, 3, 5]]) < 0).any():  # the rows that stay are not in order of time
            return (table.iloc[order].reset_index(drop=True),)


def hits_of_four_users(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hits at five ranks: somebody with two test films, somebody with eight, one without a hit, one by chance."""
    hits = np.zeros((4, 5), dtype=bool)
    hits[0, generator.choice(5, 2, replace=False)] = True
    hits[1, generator.choice(5, 3, replace=False)] = True
    hits[3, generator.choice(5, generator.integers(1, 4), replace=False)] = True
    return hits, np.array([2, 8, 1, 4])


def histories_and_similarities(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    """Histories of three people who took two or three of six films, similarities of the films, two neighbours."""
    history = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0], [1, 0, 0, 0, 1, 1]])
    half = np.triu(generator.permutation(np.arange(1, 37)).reshape(6, 6) / 40, k=1)
    return generator.permuted(history, axis=1), half + half.T, 2


def a_full_matrix_of_clicks(generator: np.random.Generator) -> tuple[np.ndarray, float]:
    """Clicks of seven people on four films, each film taken at least once, and a strength."""
    clicks = np.vstack([np.eye(4), generator.random((3, 4)) < 0.6])
    clicks[4, :2] = 1
    return clicks, float(generator.integers(1, 4))


def vectors_and_positives(generator: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, float]:
    """Vectors of three users and five films, the film each user took, and a temperature."""
    H_u, H_i = (generator.normal(0.0, 1.5, shape).round(1).astype(np.float32) for shape in ((3, 4), (5, 4)))
    item = generator.choice(5, 3, replace=False)
    return torch.from_numpy(H_u), torch.from_numpy(H_i), torch.from_numpy(item), float(generator.choice([0.2, 0.5]))


def settings_of_two_models(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Values of two models with four settings; none is best on both parts, the default is best on neither."""
    values = generator.uniform(0.2, 0.3, (2, 2, 4))
    for model, top in zip(values, (0.36, 0.33), strict=True):
        chosen, lucky = generator.choice([1, 2, 3], 2, replace=False)
        model[0, chosen], model[1, lucky] = top, top - 0.01
    ours, theirs = values.round(3)
    return ours, theirs
