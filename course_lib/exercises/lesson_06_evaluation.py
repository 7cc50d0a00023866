"""Exercises of lesson 06, evaluation."""

import numpy as np
from scipy.stats import binom

from course_lib.exercises import Exercise, Kind, material


def survivors() -> int:
    """
    Four tests gave p = .012, .015, .026 and .040. How many of the four differences survive Holm's correction at .05?
    Work it out on paper with the formula above, then put the number in place of the dots. `holm` can confirm it.
    """
    # begin solution
    stepped = np.array([0.012, 0.015, 0.026, 0.040]) * np.array([4, 3, 2, 1])
    return int((np.maximum.accumulate(stepped) < 0.05).sum())
    # end solution


def nothing_corrected() -> int:
    """That is how many are below .05 before any correction: you would have counted the same with 4,000 tests."""
    return 4


def each_times_four() -> int:
    """You multiplied each p-value by 4: that is Bonferroni. What does Holm multiply the second smallest by?"""
    return 1


def one_falls_below_the_one_before() -> int:
    """In yours, a larger p-value came out as the surer discovery. Which part of the formula forbids that?"""
    return 3


def users_needed(part: dict[str, float], num_seeds: int, wanted: np.ndarray) -> np.ndarray:
    r"""
    `part` holds the three variances of this section, as above: `part["users"]` is $\sigma_a^2$, `part["seeds"]` is
    $\sigma_b^2$, `part["rest"]` is $\sigma_\varepsilon^2$. `wanted` is an array of standard errors of the mean that
    somebody would like to have. Write `users_needed(part, num_seeds, wanted)`: for each, the smallest whole number of
    users that reaches it, an array of the same shape, with `np.inf` where no number of users is enough.
    """
    # begin solution
    left = wanted**2 - part["seeds"] / num_seeds  # what the seeds leave to the users
    needed = np.ceil((part["users"] + part["rest"] / num_seeds) / left)
    return np.where(left > 0, needed, np.inf)
    # end solution


def seeds_forgotten(part: dict[str, float], num_seeds: int, wanted: np.ndarray) -> np.ndarray:
    """With enough users yours gets as sure as one likes. Which part of the variance has no U below it?"""
    return users_needed({**part, "seeds": 0.0}, num_seeds, wanted)


def fewer_than_no_users(part: dict[str, float], num_seeds: int, wanted: np.ndarray) -> np.ndarray:
    """One of your answers is a negative number of users. What does the formula say there?"""
    return np.ceil((part["users"] + part["rest"] / num_seeds) / (wanted**2 - part["seeds"] / num_seeds))


def the_rest_not_shared_by_seeds(part: dict[str, float], num_seeds: int, wanted: np.ndarray) -> np.ndarray:
    """The luck of one user under one seed is averaged over users and seeds. You average it over users only."""
    return users_needed({**part, "rest": part["rest"] * num_seeds}, num_seeds, wanted)


def turning_point() -> tuple[int, str]:
    """
    *Bold* and *Safe* are two recommenders. Of 1,500 unseen films, Bold lets only 3 stand before the right one for four
    test films in ten, but 600 for the others; Safe always lets 60. So the full hit@10 is .4 for Bold, and 0 for Safe.
    The cell prints the expected hit@10 against each number of random films, so there is no sampling noise in it.

    Run the cell; then add 50, 100, 200 and 500 to the numbers of samples. Give the *largest* of the five at which
    Safe still wins, and the letter of the explanation.

    - `"a"`: Few samples make a noisy estimate of the full hit@10; with more samples the noise goes.
    - `"b"`: Ten places among few samples are a large share of the catalogue; that is another question than the top ten.
    - `"c"`: Random films are worse than those of the full list, so sampling helps the model with the better top.
    """
    chances = np.array([[3], [600], [60]]) / 1500  # that a random film stands before the right one
    # begin solution
    num_samples = np.array([20, 50, 100, 200, 500])
    top, far, middle = binom.cdf(9, num_samples, chances)
    return int(num_samples[middle > 0.4 * top + 0.6 * far].max()), "b"
    # given
    # num_samples = np.array([20])  # add the other sizes
    # top, far, middle = binom.cdf(9, num_samples, chances)  # at most nine samples stand before it
    # print("Bold", (0.4 * top + 0.6 * far).round(2), "Safe", middle.round(2))
    # return ..., "?"
    # end solution


def a_matter_of_noise() -> tuple[int, str]:
    """The number is right. But these are expected values: there is no noise in them, and Safe wins all the same."""
    return turning_point()[0], "a"


def sampling_helps_the_better_top() -> tuple[int, str]:
    """The number is right. Bold has the better top here. Whom did the samples help?"""
    return turning_point()[0], "c"


def the_first_size_at_which_bold_wins() -> tuple[int, str]:
    """The explanation holds. At the size you give, Bold wins already; take the last one before that."""
    return 500, "b"


def gap_in_same_history(values: np.ndarray, is_first: np.ndarray, band: np.ndarray) -> float:
    """
    `values`, `[num_users]`, are the NDCG of some people; `is_first` is True for the first of two groups, False for the
    second; `band` is a number for how many films a person has rated. `gap_in_same_history` should return how much
    higher the first group's mean is *among people of the same history*: the gap inside each band, averaged over the
    bands with their numbers of people as weights. As it is, history is mixed in. Repair it.
    """
    # begin solution
    bands, num_people = np.unique(band, return_counts=True)
    gaps = []
    for one in bands:
        inside = band == one
        gaps.append(values[inside & is_first].mean() - values[inside & ~is_first].mean())
    return float(np.average(gaps, weights=num_people))
    # given
    # return float(values[is_first].mean() - values[~is_first].mean())
    # end solution


def each_band_counts_the_same(values: np.ndarray, is_first: np.ndarray, band: np.ndarray) -> float:
    """Your bands all count the same: a few people in a small one move the gap as far as many in a large one."""
    gaps = [gap_in_same_history(values[band == b], is_first[band == b], band[band == b]) for b in np.unique(band)]
    return float(np.mean(gaps))


def weighed_by_one_group(values: np.ndarray, is_first: np.ndarray, band: np.ndarray) -> float:
    """You weigh the bands by the people of the first group: that is the gap for *them*. Here everybody counts."""
    gaps = [gap_in_same_history(values[band == b], is_first[band == b], band[band == b]) for b in band[is_first]]
    return float(np.mean(gaps))


def mmr_list(scores: np.ndarray, cosine: np.ndarray, strength: float, k: int) -> tuple[list[int], float]:
    r"""
    Write MMR for one person. `scores`, `[n]`, are those of the pool, between 0 and 1, best first; `cosine`, `[n, n]`,
    says how alike two items are, none of them below 0. Choose `k` items, one after the other: the next one maximises
    $(1 - \lambda)\,\text{score}_i - \lambda \max_{j \in L} \cos(i, j)$ among those not chosen yet, with `strength` for
    $\lambda$ and the list so far for $L$; nothing is like an empty list. `mmr_list` returns the positions in the order
    in which they were chosen, and the price: the share of the score that is lost against the `k` best.
    """
    chosen: list[int] = []
    # begin solution
    for _ in range(k):
        value = (1 - strength) * scores - strength * cosine[:, chosen].max(axis=1, initial=0.0)
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
    # end solution
    return chosen, float(1 - scores[chosen].sum() / scores[:k].sum())


def the_mean_likeness(scores: np.ndarray, cosine: np.ndarray, strength: float, k: int) -> tuple[list[int], float]:
    """You take the mean likeness to the list: the twin of one item gets in if it is unlike the others."""
    chosen = [0]
    while len(chosen) < k:
        value = (1 - strength) * scores - strength * cosine[:, chosen].mean(axis=1)
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
    return chosen, float(1 - scores[chosen].sum() / scores[:k].sum())


def against_the_whole_pool(scores: np.ndarray, cosine: np.ndarray, strength: float, k: int) -> tuple[list[int], float]:
    """You compare with the whole pool, once. What nobody shows cannot bore anybody: compare with the list so far."""
    chosen = np.argsort(strength * cosine.mean(axis=1) - (1 - strength) * scores)[:k]
    return chosen.tolist(), float(1 - scores[chosen].sum() / scores[:k].sum())


def best_clip() -> tuple[float, float, str]:
    """
    A film is liked by 40 % and shown with a chance of .02, which we know; clipping takes `max(.02, clip)` for it.
    The cell prints how far the estimate from `num_users` users is off (root mean square); .02 is no clipping.

    Run the cell and note the clip with the smallest error. Change 30 to 3000, and run it again. Then fill in the last
    line: the best clip for 30 users, the best for 3,000, and the letter of the explanation.

    - `"a"`: Clipping removes bias, and few users have more of it.
    - `"b"`: With more users the chances are known better, so that they need no clipping.
    - `"c"`: More users wash out the scatter, but not the bias that clipping adds.
    """
    clip = np.array([0.02, 0.05, 0.1, 0.2])
    mean, square = 0.4 * 0.02 / clip, 0.4 * 0.02 / clip**2  # of one user's c / max(.02, clip)
    bias, variance = mean - 0.4, square - mean**2
    # begin solution
    few, many = (float(clip[np.argmin(bias**2 + variance / num_users)]) for num_users in (30, 3000))
    return few, many, "c"
    # given
    # num_users = 30
    # print("clip", clip, "error", np.sqrt(bias**2 + variance / num_users).round(3))
    # return ..., ..., "?"
    # end solution


def clipping_removes_bias() -> tuple[float, float, str]:
    """Both clips are right. Compute the expected estimate with a clip of .1: is it nearer to .4 than without?"""
    return *best_clip()[:2], "a"


def chances_known_better() -> tuple[float, float, str]:
    """Both clips are right. But the chance of .02 is known exactly in both runs. What else depends on the users?"""
    return *best_clip()[:2], "b"


def the_clips_turned_round() -> tuple[float, float, str]:
    """The explanation holds, but it says the contrary of your two clips. Which run was for 30 users?"""
    return *best_clip()[1::-1], "c"


EXERCISES = [
    Exercise(
        number="06.1",
        title="Four tests, how many discoveries?",
        kind=Kind.PREDICT,
        objective=1,
        minutes=5,
        reference=survivors,
        hints=(
            "The smallest is multiplied by 4, the next by 3, and so on. Then read the rest of the formula.",
            "Multiplied they are .048, .045, .052, .040. None may fall below the one before.",
        ),
        mistakes=(nothing_corrected, each_times_four, one_falls_below_the_one_before),
        why="Adjusted they are .048, .048, .052, .052. Once one is not shown, none after it can be.",
    ),
    Exercise(
        number="06.2",
        title="How many users for how sure a number?",
        kind=Kind.WRITE,
        objective=2,
        minutes=8,
        reference=users_needed,
        inputs=material.variances_and_errors_wanted,
        hints=(
            "Set the variance of the mean equal to the square of `wanted`, and collect what is divided by U.",
            "Two of the three parts have U below them. The third is there however many users you ask.",
        ),
        mistakes=(seeds_forgotten, fewer_than_no_users, the_rest_not_shared_by_seeds),
        why="What you drew little of limits you: below the seeds' share of the variance no number of users gets you.",
    ),
    Exercise(
        number="06.3",
        title="When the winner turns",
        kind=Kind.EXPLAIN,
        objective=3,
        minutes=8,
        reference=turning_point,
        hints=(
            "With 20 samples, how far down the full list may a film stand and still come out among the first ten?",
            "Ten of 20 is half of the catalogue, ten of 500 the first fiftieth. Where does Safe put its films?",
        ),
        mistakes=(a_matter_of_noise, sampling_helps_the_better_top, the_first_size_at_which_bold_wins),
        why="A sampled hit asks whether a film is in some upper part of the catalogue; nobody scrolls that far.",
        groups=True,
    ),
    Exercise(
        number="06.4",
        title="Compare those with the same history",
        kind=Kind.REPAIR,
        objective=4,
        minutes=8,
        reference=gap_in_same_history,
        inputs=material.two_groups_in_bands,
        hints=(
            "Take one band alone: what is the gap between the two groups inside it?",
            "`np.unique(band, return_counts=True)`, then `np.average(gaps, weights=...)`.",
        ),
        mistakes=(each_band_counts_the_same, weighed_by_one_group),
        why="What is left is not history. That the model is to blame is still only one of the explanations.",
    ),
    Exercise(
        number="06.5",
        title="A list of unlike films, and its price",
        kind=Kind.WRITE,
        objective=5,
        minutes=10,
        reference=mmr_list,
        inputs=material.a_pool_with_likeness,
        hints=(
            "`cosine[:, chosen]` has a column for each item chosen. Which number of a row matters?",
            "`.max(axis=1, initial=0.0)` also works for an empty list. Give chosen items the value `-np.inf`.",
        ),
        mistakes=(the_mean_likeness, against_the_whole_pool),
        why="The nearest item decides, so no twin slips in. And the price is known before anybody pays it.",
    ),
    Exercise(
        number="06.6",
        title="Where to clip",
        kind=Kind.EXPLAIN,
        objective=6,
        minutes=8,
        reference=best_clip,
        hints=("Print bias and variance apart.", "Which of the two does the number of users divide?"),
        mistakes=(clipping_removes_bias, chances_known_better, the_clips_turned_round),
        why="A correction trades bias for scatter. How much of it to take depends on how many people you can ask.",
    ),
]
