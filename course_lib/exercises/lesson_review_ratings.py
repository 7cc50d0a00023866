"""Exercises of the elective on review ratings."""

import numpy as np
from sklearn.metrics import mean_squared_error, r2_score

from course_lib.exercises import Exercise, Kind, material


def exam_scores(batches: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """
    Repair `exam_scores(batches)`. Each batch is a pair of arrays of the same shape `[batch]`: predicted stars, and the
    stars that were given. The last batch is shorter than the others. Return two numbers, MSE and $R^2$ over all
    *reviews*. The code you find runs, prints two numbers, and both of them are wrong.
    """
    # begin solution
    predicted_stars, given_stars = (np.concatenate(part) for part in zip(*batches, strict=True))
    return mean_squared_error(given_stars, predicted_stars), r2_score(given_stars, predicted_stars)
    # given
    # mse_of_batch = [mean_squared_error(given_stars, predicted_stars) for predicted_stars, given_stars in batches]
    # r2_of_batch = [r2_score(given_stars, predicted_stars) for predicted_stars, given_stars in batches]
    # return np.mean(mse_of_batch), np.mean(r2_of_batch)
    # end solution


def r2_still_by_batch(batches: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """
    The MSE is mended. R² compares with the mean of the stars: of which stars, if you compute it batch by batch?
    """
    return exam_scores(batches)[0], float(np.mean([r2_score(given, predicted) for predicted, given in batches]))


def mse_still_by_batch(batches: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """R² is mended. In your MSE each batch has one vote, also the last one with its two reviews."""
    by_batch = [mean_squared_error(given, predicted) for predicted, given in batches]
    return float(np.mean(by_batch)), exam_scores(batches)[1]


def predictions_and_stars_swapped(batches: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """The MSE is right, and it does not care which of the two comes first. R² does: look up what it expects there."""
    predicted, given = (np.concatenate(part) for part in zip(*batches, strict=True))
    return mean_squared_error(given, predicted), r2_score(predicted, given)


def shrunk_means(item: np.ndarray, rating: np.ndarray, num_items: int, k: float) -> np.ndarray:
    r"""
    Write `shrunk_means(item, rating, num_items, k)`, the baseline of the item without pandas. `item` and `rating`, both
    `[num_reviews]`, are the *training* reviews: the number of the item, from 0 on, and its stars. Return
    $\hat r_i = (\sum_{j \in i} r_j + k \bar r) / (n_i + k)$ for each item, `[num_items]`, where $\bar r$ is the mean
    over all reviews. Some items have no review.
    """
    # begin solution
    total = np.bincount(item, weights=rating, minlength=num_items)
    num_of_item = np.bincount(item, minlength=num_items)
    return (total + k * rating.mean()) / (num_of_item + k)
    # end solution


def means_not_shrunk(item: np.ndarray, rating: np.ndarray, num_items: int, k: float) -> np.ndarray:
    """
    These are plain means, with the overall mean where there is no review. One angry buyer makes an item a one-star
    item. What is `k` for?
    """
    number = np.bincount(item, minlength=num_items)
    total = np.bincount(item, weights=rating, minlength=num_items)
    return np.where(number > 0, total / np.maximum(number, 1), rating.mean())


def shrunk_towards_zero_stars(item: np.ndarray, rating: np.ndarray, num_items: int, k: float) -> np.ndarray:
    """You divide by the larger number, but you add nothing on top. What do you promise for an item without reviews?"""
    return np.bincount(item, weights=rating, minlength=num_items) / (np.bincount(item, minlength=num_items) + k)


def shrunk_towards_the_mean_of_means(item: np.ndarray, rating: np.ndarray, num_items: int, k: float) -> np.ndarray:
    """
    Your overall mean gives each item one vote. The formula means the reviews: an item with hundreds of them has
    hundreds.
    """
    number = np.bincount(item, minlength=num_items)
    total = np.bincount(item, weights=rating, minlength=num_items)
    return (total + k * (total[number > 0] / number[number > 0]).mean()) / (number + k)


def rates_of(num_steps: int) -> np.ndarray:
    """
    Write `rates_of(num_steps)`: the learning rates of all steps as shares of the highest, `[num_steps]`. They climb in
    a straight line from 0 at step 0 to 1 at the end of the warm-up, which is a tenth of the steps; `num_steps` is a
    multiple of ten. From there they fall in a straight line, and would be 0 at step `num_steps`.
    """
    # begin solution
    step, warm_up = np.arange(num_steps), num_steps // 10
    return np.where(step < warm_up, step / warm_up, (num_steps - step) / (num_steps - warm_up))
    # end solution


def no_fall_after_the_warm_up(num_steps: int) -> np.ndarray:
    """The warm-up is right. After it your rate stays at its highest: the last steps are as large as the largest."""
    return np.minimum(np.arange(num_steps) / (num_steps // 10), 1)


def a_jump_at_the_end_of_the_warm_up(num_steps: int) -> np.ndarray:
    """
    You climb towards 1 and go on at 0.9: your way down begins at the first step. Where should it begin, and how many
    steps does it have?
    """
    step, warm_up = np.arange(num_steps), num_steps // 10
    return np.where(step < warm_up, step / warm_up, 1 - step / num_steps)


def no_warm_up(num_steps: int) -> np.ndarray:
    """You begin at the highest rate. Those are the steps that can wreck what pretraining has built."""
    return 1 - np.arange(num_steps) / num_steps


def a_number_of_steps(generator: np.random.Generator) -> tuple[int]:
    """A multiple of ten, with a warm-up of two steps or more."""
    return (10 * int(generator.integers(2, 13)),)


def twice_the_rank() -> tuple[int, str]:
    """
    Above, LoRA of rank 8 trains 74,113 numbers, those of the head included. Set `r=16` in `lora_config`, with all else
    as it is. How many are trained now? And what happens to the seconds of an epoch? Work it out first, then change the
    cell, run it, and, if you have a minute, run the training, too. Then put it back to 8.

    Name `twice_the_rank = (number, "letter")`.

    - `"a"`: They double with the numbers that are trained.
    - `"b"`: They stay about the same: both passes still go through all the frozen layers, beside which the thin
      matrices are little work.
    - `"c"`: They stay the same, because nothing has to be computed for frozen layers on the way back.
    - `"d"`: They halve, because a higher rank needs half as many steps.
    """
    layers, projections, width = 6, 2, 384  # of MiniLM; queries and values
    # begin solution
    lora_numbers = layers * projections * 16 * (width + width)
    return (lora_numbers + width + 1, "b")
    # end solution


def seconds_follow_the_parameters() -> tuple[int, str]:
    """
    The number is right. From full fine-tuning to LoRA the numbers went down to three in a thousand. Did the seconds?
    """
    return (twice_the_rank()[0], "a")


def no_way_back_through_frozen_layers() -> tuple[int, str]:
    """
    The number is right. An adapter in the first layer learns from the error at the top. Which way does its gradient
    take?
    """
    return (twice_the_rank()[0], "c")


def the_head_forgotten() -> tuple[int, str]:
    """The letter is right, and LoRA's own numbers are complete. What else is trained, as the cell above said?"""
    return (twice_the_rank()[0] - 385, "b")


def the_head_doubled_too() -> tuple[int, str]:
    """The letter is right. You doubled everything, but a part of the 74,113 has no rank."""
    return (2 * 74_113, "b")


def mean_of_the_others(e: np.ndarray, item: np.ndarray) -> np.ndarray:
    """
    Write `mean_of_the_others(e, item)`. `e`, `[num_reviews, dim]`, are the vectors of reviews and `item`,
    `[num_reviews]`, says which item each is about. Return for each review the mean vector of the *other* reviews of
    its item, `[num_reviews, dim]`. A review that is the only one of its item gets a row of zeros.
    """
    # begin solution
    same_item = (item[:, None] == item[None, :]).astype(float)
    np.fill_diagonal(same_item, 0)
    return same_item @ e / np.maximum(same_item.sum(axis=1, keepdims=True), 1)
    # end solution


def the_review_itself_is_in_the_mean(e: np.ndarray, item: np.ndarray) -> np.ndarray:
    """The review whose stars are asked for is in your mean. The answer stands in the question, and the exam leaks."""
    same = (item[:, None] == item[None, :]).astype(float)
    return same @ e / same.sum(axis=1, keepdims=True)


def divided_by_one_too_many(e: np.ndarray, item: np.ndarray) -> np.ndarray:
    """You took the review out of the sum. Is it out of the number that you divide by, too?"""
    number = (item[:, None] == item[None, :]).sum(axis=1, keepdims=True)
    return mean_of_the_others(e, item) * (number - 1) / number


def nothing_divided_by_zero(e: np.ndarray, item: np.ndarray) -> np.ndarray:
    """
    Right wherever another review exists. Where there is none, you divide zero by zero, and one row of NaN is enough to
    stop a ridge.
    """
    others = mean_of_the_others(e, item)
    alone = (item[:, None] == item[None, :]).sum(axis=1) == 1
    return np.where(alone[:, None], np.nan, others)


EXERCISES = [
    Exercise(
        number="review_ratings.1",
        title="Mend the exam",
        kind=Kind.REPAIR,
        objective=1,
        minutes=8,
        reference=exam_scores,
        inputs=material.three_batches,
        hints=(
            "How many reviews are in the exam, and how many votes does each have in your two numbers?",
            "Make two long arrays with `np.concatenate`, and score once. `r2_score` wants the true stars first.",
        ),
        mistakes=(r2_still_by_batch, mse_still_by_batch, predictions_and_stars_swapped),
        why=(
            "One score over all reviews does not depend on the batch size. Nothing warns you of the other way: it "
            "runs, and the number goes into a report."
        ),
        groups=True,
    ),
    Exercise(
        number="review_ratings.2",
        title="A mean that is not shaken",
        kind=Kind.WRITE,
        objective=2,
        minutes=8,
        reference=shrunk_means,
        inputs=material.reviews_of_five_items,
        hints=(
            "Think of `k` more reviews for each item, all of them with the mean number of stars.",
            "`np.bincount(item, weights=rating, minlength=num_items)` sums the stars of each item.",
        ),
        mistakes=(means_not_shrunk, shrunk_towards_zero_stars, shrunk_towards_the_mean_of_means),
        why=(
            "An item with few reviews stays near the mean, one with many speaks for itself. A baseline that is done "
            "badly makes any model look good."
        ),
    ),
    Exercise(
        number="review_ratings.3",
        title="Up, then down",
        kind=Kind.WRITE,
        objective=3,
        minutes=7,
        reference=rates_of,
        inputs=a_number_of_steps,
        hints=(
            "Two straight lines that meet at the end of the warm-up. What is each of them worth there?",
            "`np.arange(num_steps)` gives the steps; `np.where` picks one line or the other for each of them.",
        ),
        mistakes=(no_fall_after_the_warm_up, a_jump_at_the_end_of_the_warm_up, no_warm_up),
        why=(
            "Both lines are 1 where they meet. AdamW's averages are made of a handful of batches at first, so its "
            "first steps are kept small, and the last ones are small so that the weights settle."
        ),
    ),
    Exercise(
        number="review_ratings.4",
        title="Twice the rank",
        kind=Kind.EXPLAIN,
        objective=4,
        minutes=6,
        reference=twice_the_rank,
        tolerance=1e-7,
        hints=(
            "Which parts of the 74,113 have the rank in their shape? Which do not?",
            "A is `[r, 384]`, B is `[384, r]`, twice in each of six layers; the head has 384 weights and a bias.",
        ),
        mistakes=(
            seconds_follow_the_parameters,
            no_way_back_through_frozen_layers,
            the_head_forgotten,
            the_head_doubled_too,
        ),
        why=(
            "What LoRA saves is the memory of the optimiser and the size of the file, much more than time. Who expects "
            "three thousandths of the seconds plans the wrong machine."
        ),
        groups=True,
    ),
    Exercise(
        number="review_ratings.5",
        title="All but this one",
        kind=Kind.WRITE,
        objective=5,
        minutes=8,
        reference=mean_of_the_others,
        inputs=material.reviews_in_two_dimensions,
        hints=(
            "Begin with the sum over all reviews of the item. What has to leave it, and how many are left?",
            "Subtract the review from the sum and one from the number; divide by 1 where the number is 0.",
        ),
        mistakes=(the_review_itself_is_in_the_mean, divided_by_one_too_many, nothing_divided_by_zero),
        why=(
            "The vector holds only what is known without the review. With it, an item of few reviews tells the stars "
            "that you ask for, and the exam looks far better than the shop will."
        ),
    ),
]
