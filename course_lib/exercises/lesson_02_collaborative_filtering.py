"""Exercises of lesson 02, collaborative filtering."""

import numpy as np
import torch

from course_lib.exercises import Exercise, Kind, item_models, material


def cosine_softmax(H_u: torch.Tensor, H_i: torch.Tensor, item: torch.Tensor, tau: float) -> torch.Tensor:
    r"""
    Write `cosine_softmax(H_u, H_i, item, tau)`, the softmax loss of section 6 for several positives. Row $n$ of `H_u`,
    shape `[num_positives, dim]`, is the vector of a user, who took the film `item[n]`; `H_i`, shape `[num_items, dim]`,
    has the vectors of all films. Return the **mean** of $\mathcal{L}_{softmax}$ over the positives. Scores are cosines,
    divided by `tau`.
    """
    # begin solution
    unit = torch.nn.functional.normalize
    scores = unit(H_u, dim=1) @ unit(H_i, dim=1).T / tau  # [num_positives, num_items]
    log_p = torch.log_softmax(scores, dim=1)
    return -log_p[torch.arange(len(item)), item].mean()
    # end solution


def softmax_over_the_users(H_u: torch.Tensor, H_i: torch.Tensor, item: torch.Tensor, tau: float) -> torch.Tensor:
    """
    Your probabilities sum to one over the users of the batch, for each film. The question was another: among which
    things does one user choose? Sum the probabilities along both axes and see which sums are 1.
    """
    unit = torch.nn.functional.normalize
    log_p = torch.log_softmax(unit(H_u, dim=1) @ unit(H_i, dim=1).T / tau, dim=0)
    return -log_p[torch.arange(len(item)), item].mean()


def products_for_cosines(H_u: torch.Tensor, H_i: torch.Tensor, item: torch.Tensor, tau: float) -> torch.Tensor:
    """
    A softmax over products: it can lower the loss by making vectors longer and longer. What must the lengths be, so
    that the score of a pair is its cosine?
    """
    return torch.nn.functional.cross_entropy(H_u @ H_i.T / tau, item)


def multiplied_by_the_temperature(H_u: torch.Tensor, H_i: torch.Tensor, item: torch.Tensor, tau: float) -> torch.Tensor:
    """
    Your distribution gets flatter when `tau` gets smaller. It should get sharper: think of what a small divisor does to
    differences.
    """
    return cosine_softmax(H_u, H_i, item, 1 / tau)


def best_probability() -> tuple[float, float]:
    r"""
    How sure can the softmax become? Suppose training has succeeded completely: the film taken has the cosine 1, and all
    the other 1,681 films have the cosine -1. Which probability does the film taken get with $\tau = 1$, and which with
    $\tau = 0.2$? Guess first. Then work it out and name `best_probability`, the pair of both, to three places.
    """
    # begin solution: return ..., ...
    tau = np.array([1.0, 0.2])
    p = np.exp(1 / tau) / (np.exp(1 / tau) + 1681 * np.exp(-1 / tau))
    return p[0], p[1]
    # end solution


def one_opponent_only() -> tuple[float, float]:
    """That is the chance against one other film. The sum below the line runs over the whole catalogue."""
    tau = np.array([1.0, 0.2])
    p = 1 / (1 + np.exp(-2 / tau))
    return p[0], p[1]


def others_at_zero() -> tuple[float, float]:
    """You gave the other films the cosine 0. Which is the lowest a cosine can be, and what is exp of it?"""
    tau = np.array([1.0, 0.2])
    p = np.exp(1 / tau) / (np.exp(1 / tau) + 1681)
    return p[0], p[1]


def in_per_cent() -> tuple[float, float]:
    """Right in per cent. A probability lies between 0 and 1."""
    first, second = best_probability()
    return 100 * first, 100 * second


def in_rounded_per_cent() -> tuple[float, float]:
    """Right in per cent, and rounded. A probability lies between 0 and 1, and the first one has more digits."""
    return 0.4, 92.9


def paired_by_chance() -> tuple[str, str, str]:
    """
    Change and explain. `compare` subtracts the values of two models user by user. Tear the pairs apart: give the values
    of ItemKNN to the users in random order, and compare again.

    ```python
    from dataclasses import replace

    knn = evaluations["ItemKNN"]
    shuffled = np.random.default_rng(0).permutation(knn.values["ndcg@10"])
    print(compare(evaluations["EASE"], knn))
    print(compare(evaluations["EASE"], replace(knn, values={"ndcg@10": shuffled})))
    ```

    What became of the mean difference: `"smaller"`, `"equal"` or `"larger"`? What of its interval: `"narrower"`,
    `"equal"` or `"wider"`? And why? Name `paired_by_chance`, such as `("smaller", "equal", "c")`.

    - `"a"`: the same numbers were compared, so nothing could change
    - `"b"`: how hard a user is to serve no longer cancels in the difference
    - `"c"`: fewer users were compared
    """
    # begin solution: return ..., ..., ...
    return "equal", "wider", "b"
    # end solution


def nothing_changed() -> tuple[str, str, str]:
    """
    The same numbers, so the same mean difference: that is right. But print both lines again and look at the two
    numbers in brackets. What does an interval depend on, besides the mean?
    """
    return "equal", "equal", "a"


def fewer_users_suspected() -> tuple[str, str, str]:
    """
    You read the numbers well. For the reason, look at the end of both lines: how many users were compared? What is torn
    apart when nobody is missing?
    """
    return "equal", "wider", "c"


def honest_gain(ours: np.ndarray, theirs: np.ndarray) -> float:
    """
    Repair `honest_gain(ours, theirs)`, the gain of a new model over a baseline in per cent. For each of the two, some
    settings were tried: row 0 has their NDCG@10 on validation, row 1 on test, shape `[2, num_settings]`; setting 0 is
    the default. As given, the function finds a splendid gain. Repair it so that both models get the same care, and
    nobody chooses on the test part. (There may be more than one thing to repair.)
    """
    # begin solution
    new = ours[1, ours[0].argmax()]
    old = theirs[1, theirs[0].argmax()]
    # given
    # new = ours[1].max()
    # old = theirs[1, 0]
    # end solution
    return 100 * (new / old - 1)


def baseline_left_untuned(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Your own model is treated as it should be. Which setting does the baseline run with, and who chose it?"""
    return 100 * (ours[1, ours[0].argmax()] / theirs[1, 0] - 1)


def both_chosen_on_test(ours: np.ndarray, theirs: np.ndarray) -> float:
    """
    Equal care for both, that is half of it. But the largest of several test values is too high for either. On which
    part may you choose?
    """
    return 100 * (ours[1].max() / theirs[1].max() - 1)


def validation_reported(ours: np.ndarray, theirs: np.ndarray) -> float:
    """You chose on validation and then reported the very values by which you chose. What is the test part for?"""
    return 100 * (ours[0].max() / theirs[0].max() - 1)


EXERCISES = [
    Exercise(
        number="02.1",
        title="NDCG for everybody at once",
        kind=Kind.WRITE,
        objective=1,
        minutes=10,
        reference=item_models.ndcg,
        inputs=material.hits_of_four_users,
        hints=(
            "Two things differ from user to user: the hits, and how many hits the perfect list has.",
            "With `discount` of shape `[k]`, `hits @ discount` is the sum above the line. `np.cumsum(discount)` holds "
            "the ideal for 1, 2, 3 ... hits: which of them does a user need?",
        ),
        mistakes=(
            item_models.ideal_always_full,
            item_models.ideal_longer_than_the_list,
            item_models.ideal_from_the_hits_found,
        ),
        why="A perfect list must have 1 for everybody, so the ideal is as full as list and user allow. A library that "
        "chooses another ideal reports other numbers for the same lists.",
    ),
    Exercise(
        number="02.2",
        title="To whom does a film listen?",
        kind=Kind.WRITE,
        objective=2,
        minutes=12,
        reference=item_models.neighbour_scores,
        inputs=material.histories_and_similarities,
        hints=(
            "Make a copy of `similarity` in which row j keeps its `num_neighbours` largest entries, the rest is 0.",
            "`np.argsort(-similarity, axis=1)` orders each row. Then check: in `history @ kept`, does the sum run over "
            "the rows of `kept` or over its columns?",
        ),
        mistakes=(
            item_models.neighbours_of_what_was_taken,
            item_models.everybody_speaks,
            item_models.averaged,
        ),
        why="Each candidate is judged by its own nearest films. The other way round, a film that is near to many would "
        "collect votes of those to whom it means little.",
    ),
    Exercise(
        number="02.3",
        title="EASE with two bugs",
        kind=Kind.REPAIR,
        objective=2,
        minutes=9,
        reference=item_models.ease_weights,
        inputs=material.a_full_matrix_of_clicks,
        hints=(
            "Do both steps for two films, by hand. Which elements of $R^\\top R$ does $\\lambda I$ change?",
            "In $B_{ij} = -P_{ij} / P_{jj}$, all of *column* j shares a divisor. `P / v` divides column j by `v[j]`.",
        ),
        mistakes=(
            item_models.only_the_division_repaired,
            item_models.only_the_regularization_repaired,
            item_models.sign_lost,
        ),
        why="The multiplier of each column sets its own diagonal element to zero, so a column has one divisor. Neither "
        "bug raises an error: only a comparison with the formula finds them.",
    ),
    Exercise(
        number="02.4",
        title="The softmax loss for many",
        kind=Kind.WRITE,
        objective=3,
        minutes=10,
        reference=cosine_softmax,
        inputs=material.vectors_and_positives,
        hints=(
            "For vectors of length 1 the product is the cosine. `torch.nn.functional.normalize` makes them.",
            "`torch.log_softmax(scores, dim=...)`: a user chooses among films, so the films must run along that axis. "
            "Then pick the entry of `item[n]` from row n.",
        ),
        mistakes=(softmax_over_the_users, products_for_cosines, multiplied_by_the_temperature),
        why="One user, all films: the probabilities of a row sum to one. With the wrong axis training still runs, and "
        "learns who takes a film rather than which film to take.",
    ),
    Exercise(
        number="02.5",
        title="How sure can it get?",
        kind=Kind.PREDICT,
        objective=3,
        minutes=6,
        reference=best_probability,
        tolerance=1e-3,
        hints=(
            "Write out the fraction of the softmax: one term above the line, 1,682 terms below. What are they?",
            "The term of the film taken is exp(1/τ), that of each other film exp(-1/τ).",
        ),
        mistakes=(one_opponent_only, others_at_zero, in_per_cent, in_rounded_per_cent),
        why="With τ = 1 the best that cosines can do is less than one per cent: no training can satisfy the loss. A "
        "small temperature gives the bounded scores room. Try `temperature=1.0` in the cell of the softmax model.",
        groups=True,
    ),
    Exercise(
        number="02.6",
        title="Pairs torn apart",
        kind=Kind.EXPLAIN,
        objective=4,
        minutes=7,
        reference=paired_by_chance,
        hints=(
            "A mean does not ask for an order. What does the spread of the differences ask for?",
            "Some users are easy for both models and some hard for both. What does subtracting do to that, in a pair?",
        ),
        mistakes=(nothing_changed, fewer_users_suspected),
        why="In a pair, what makes a user easy or hard is in both values and drops out. Without pairs it stays in as "
        "noise, and real differences go unnoticed.",
        groups=True,
    ),
    Exercise(
        number="02.7",
        title="An honest gain",
        kind=Kind.REPAIR,
        objective=4,
        minutes=7,
        reference=honest_gain,
        inputs=material.settings_of_two_models,
        hints=(
            "Two lines, two models. Ask of each: who chose this setting, and by which numbers?",
            "Both choose the setting with the highest value in row 0, and report what that setting has in row 1.",
        ),
        mistakes=(baseline_left_untuned, both_chosen_on_test, validation_reported),
        why="Choosing on the test part makes a value too high, an untuned setting makes one too low. Together they can "
        "make a gain out of nothing.",
    ),
]
