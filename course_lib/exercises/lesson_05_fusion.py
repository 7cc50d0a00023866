"""Exercises of lesson 05, fusion."""

import numpy as np
import torch

from course_lib.exercises import Exercise, Kind, material


def times_as_wide() -> float:
    """
    Within a user, the graph's scores spread about nine times as wide as the words' do; say nine exactly. Now somebody
    saves the word vectors in another unit, and every $e_i$ comes out three times as long. $e_u$ is still the mean of
    the $e_i$ that the person took. How many times as wide as the words' do the graph's scores spread now? Work it out
    on paper first, then put the number in place of the dots.
    """
    # begin solution
    return 9 / 3**2
    # end solution


def one_side_only() -> float:
    """You tripled one side of the product e_u · e_i. What is e_u made of?"""
    return 9 / 3


def the_louder_got_louder() -> float:
    """You multiplied where you should divide: it is the words that speak louder now, and the graph that stays."""
    return 9 * 3**2


def nothing_moved() -> float:
    """That holds for cosines and for z-scores. A plain inner product knows how long its vectors are."""
    return 9


def late_scores(graph: np.ndarray, words: np.ndarray, weight: float) -> np.ndarray:
    r"""
    `late_scores(graph, words, weight)` should bring two matrices of scores, `[num_users, num_items]`, to z-scores
    *user by user*, and mix them: $(1 - w)\, z(\text{graph}) + w\, z(\text{words})$, of the same shape. It runs, its
    numbers look fine, and yet with the same $w$ some people get nearly the graph's list, others nearly the words'.
    Find out why, and repair it.
    """

    def z(scores: np.ndarray) -> np.ndarray:
        # begin solution
        centred = scores - scores.mean(axis=1, keepdims=True)
        return centred / scores.std(axis=1, keepdims=True)
        # given
        # return (scores - scores.mean()) / scores.std()
        # end solution

    return (1 - weight) * z(graph) + weight * z(words)


def scaled_item_by_item(graph: np.ndarray, words: np.ndarray, weight: float) -> np.ndarray:
    """
    Your columns have mean zero: the mean runs over people, for each film. That even removes what makes a film popular.
    Which scores compete with each other, and along which axis do they lie?
    """
    g, w = ((scores - scores.mean(axis=0)) / scores.std(axis=0) for scores in (graph, words))
    return (1 - weight) * g + weight * w


def spread_of_everybody(graph: np.ndarray, words: np.ndarray, weight: float) -> np.ndarray:
    """Each person has a mean of their own now, but the spread is still everybody's: loud people stay loud."""
    g, w = ((scores - scores.mean(axis=1, keepdims=True)) / scores.std() for scores in (graph, words))
    return (1 - weight) * g + weight * w


def spread_without_centring(graph: np.ndarray, words: np.ndarray, weight: float) -> np.ndarray:
    """The lists are right: a constant per person moves no film. But a z-score it is not: look at the mean of a row."""
    g, w = (scores / scores.std(axis=1, keepdims=True) for scores in (graph, words))
    return (1 - weight) * g + weight * w


def click_loss(scores: torch.Tensor, target: torch.Tensor, num_taken: torch.Tensor) -> torch.Tensor:
    r"""
    Early fusion trains $W$ with a softmax over the items, and items that nobody took must stay out of it. Write
    `click_loss(scores, target, num_taken)`. `scores` are `[num_users, num_items]`, already divided by the temperature;
    `target`, `[num_users]`, is the item that each person took; `num_taken`, `[num_items]`, counts the training clicks
    of an item. Return the mean over the people of $-\log$ of the softmax at their target, as a tensor with one number.
    """
    # begin solution
    among = scores.masked_fill(num_taken == 0, -torch.inf)
    right = scores[torch.arange(len(target)), target]
    return (among.logsumexp(dim=1) - right).mean()
    # end solution


def everything_in_the_softmax(scores: torch.Tensor, target: torch.Tensor, num_taken: torch.Tensor) -> torch.Tensor:
    """Here new items are wrong answers in every step. What does that teach W about words like theirs?"""
    return torch.nn.functional.cross_entropy(scores, target)


def new_items_score_zero(scores: torch.Tensor, target: torch.Tensor, num_taken: torch.Tensor) -> torch.Tensor:
    """You gave new items the score 0. What is exp(0), and is that nothing in the sum of a softmax?"""
    return torch.nn.functional.cross_entropy(scores.masked_fill(num_taken == 0, 0.0), target)


def softmax_over_people(scores: torch.Tensor, target: torch.Tensor, num_taken: torch.Tensor) -> torch.Tensor:
    """Your softmax sums over people: it asks whose item this is. A list is one person's, and items compete in it."""
    people = scores.log_softmax(dim=0)
    return -people[torch.arange(len(target)), target].mean()


def two_runs() -> tuple[float, float, str]:
    """
    In section 5, EASE gained as much from LightGCN as from the words. Here is a world without words: 20,000 films,
    how much somebody likes each, a graph that knows it up to an error, and a second opinion whose error is twice as
    large: an error of its own with `shared` at 0, the graph's error once more with 1. Alone it is as bad in both cases.

    Run the cell and note the best weight of the second opinion. Set `shared` to 1.0, and run it again. Then fill in the
    last line: the weight at 0.0, the weight at 1.0, and the letter of the explanation that fits both.

    - `"a"`: A second model must be nearly as good as the first one, or it only adds noise.
    - `"b"`: A second model must know of something, such as words, that the first has never seen.
    - `"c"`: A second model must err elsewhere than the first: then part of the errors cancels.
    """
    liking, own_error, other_error = np.random.default_rng(0).normal(size=(3, 20_000))
    graph, weights = liking + own_error, np.linspace(0, 1, 11).round(1)
    # begin solution
    best_weights = []
    for shared in (0.0, 1.0):
        second = liking + 2 * (shared * own_error + (1 - shared) * other_error)
        quality = [np.corrcoef((1 - w) * graph + w * second, liking)[0, 1] for w in weights]
        best_weights.append(float(weights[np.argmax(quality)]))
    return best_weights[0], best_weights[1], "c"
    # given
    # shared = 0.0
    # second = liking + 2 * (shared * own_error + (1 - shared) * other_error)
    # quality = [np.corrcoef((1 - w) * graph + w * second, liking)[0, 1] for w in weights]
    # print("best weight of the second opinion:", weights[np.argmax(quality)])
    # return ..., ..., "?"
    # end solution


def it_must_be_good() -> tuple[float, float, str]:
    """Your two runs are right. Was the second opinion nearly as good as the graph in the run in which it helped?"""
    return *two_runs()[:2], "a"


def it_must_know_words() -> tuple[float, float, str]:
    """Your two runs are right. But the second opinion of the first run knew no words at all. How did it help?"""
    return *two_runs()[:2], "b"


def one_run_for_both() -> tuple[float, float, str]:
    """You give the same weight twice. Set `shared` to 1.0, run the cell again, and read what it prints."""
    return two_runs()[0], two_runs()[0], "c"


def factors_from_words(X: np.ndarray, F: np.ndarray, X_new: np.ndarray, strength: float) -> np.ndarray:
    r"""
    Write the map of this section as a function `factors_from_words(X, F, X_new, strength)`. `X`,
    `[num_known, text_dim]`, holds the words of films that people took, and `F`, `[num_known, num_factors]`, where the
    clicks put them. `X_new`, `[num_new, text_dim]`, holds the words of films that nobody took; return where the words
    put those, `[num_new, num_factors]`. Centre, then $W = (X^\top X + \lambda I)^{-1} X^\top F$ with `strength` for
    $\lambda$, then map, and undo the centring of `F`.
    """
    # begin solution
    x_mean, f_mean = X.mean(axis=0), F.mean(axis=0)
    X_known = X - x_mean
    W = np.linalg.solve(X_known.T @ X_known + strength * np.eye(X.shape[1]), X_known.T @ (F - f_mean))
    return (X_new - x_mean) @ W + f_mean
    # end solution


def new_films_centred_by_their_own_mean(X: np.ndarray, F: np.ndarray, X_new: np.ndarray, strength: float) -> np.ndarray:
    """
    Add a film to the new ones and all others move: yours are centred by the mean of the new. What would become of a
    single new film? Centre by what the map was learned on.
    """
    return factors_from_words(X, F, X_new - X_new.mean(axis=0) + X.mean(axis=0), strength)


def the_mean_factors_not_added_back(X: np.ndarray, F: np.ndarray, X_new: np.ndarray, strength: float) -> np.ndarray:
    """You predict how far a film is from the average film, and stop there. Where is the average film?"""
    return factors_from_words(X, F, X_new, strength) - F.mean(axis=0)


def without_the_ridge(X: np.ndarray, F: np.ndarray, X_new: np.ndarray, strength: float) -> np.ndarray:
    """`strength` changes nothing in yours. With many numbers a film, such a map learns noise by heart."""
    return factors_from_words(X, F, X_new, 0.0)


def keenest_people(scores: np.ndarray, seen: np.ndarray, new_scores: np.ndarray, k: int) -> np.ndarray:
    """
    `keenest_people` should find whom to show a film that does not exist yet: the `k` people in whose list it stands
    highest, the keenest first, and on a tie the lower user first. `scores`, `[num_users, num_items]`, are those of the
    known films; `seen`, of the same shape, is True for what a person has taken, which no list shows; `new_scores`,
    `[num_users]`, are those of the new film. As it is, much the same people come out whatever the film. Repair it.
    """
    # begin solution
    better = (scores > new_scores[:, None]) & ~seen
    return np.argsort(better.sum(axis=1), kind="stable")[:k]
    # given
    # return np.argsort(-new_scores, kind="stable")[:k]
    # end solution


def seen_films_stand_in_the_list(scores: np.ndarray, seen: np.ndarray, new_scores: np.ndarray, k: int) -> np.ndarray:
    """You also count films that the person has taken. Does the list show those?"""
    return np.argsort((scores > new_scores[:, None]).sum(axis=1), kind="stable")[:k]


def the_least_keen_first(scores: np.ndarray, seen: np.ndarray, new_scores: np.ndarray, k: int) -> np.ndarray:
    """You count what stands before the new film, and then take those with the most of it. Is a high count good?"""
    better = (scores > new_scores[:, None]) & ~seen
    return np.argsort(-better.sum(axis=1), kind="stable")[:k]


EXERCISES = [
    Exercise(
        number="05.1",
        title="Three times as long",
        kind=Kind.PREDICT,
        objective=1,
        minutes=4,
        reference=times_as_wide,
        hints=("What happens to the mean of vectors when each becomes three times as long?", "Both factors grew."),
        mistakes=(one_side_only, the_louder_got_louder, nothing_moved),
        why="Both e_u and e_i tripled, so the words' scores grew ninefold. A unit that nobody chose was a weight.",
    ),
    Exercise(
        number="05.2",
        title="One scale for each person",
        kind=Kind.REPAIR,
        objective=2,
        minutes=7,
        reference=late_scores,
        inputs=material.scores_of_loud_and_quiet_people,
        hints=(
            "Print the mean and the spread of each row after `z`. For whom is the spread large?",
            "`mean()` without an axis is one number for everybody. A row is a person; `keepdims=True` keeps it a row.",
        ),
        mistakes=(scaled_item_by_item, spread_of_everybody, spread_without_centring),
        why="A list is sorted within a person, so the scale must be the person's; only then does one w fit everybody.",
    ),
    Exercise(
        number="05.3",
        title="What is new stays out of the softmax",
        kind=Kind.WRITE,
        objective=3,
        minutes=8,
        reference=click_loss,
        tolerance=1e-5,
        inputs=material.a_batch_of_scores,
        hints=(
            "What score must an item have so that it adds nothing to the sum of exponentials?",
            "`scores.masked_fill(num_taken == 0, -torch.inf)`, then `logsumexp(dim=1)`, less the target's score.",
        ),
        mistakes=(everything_in_the_softmax, new_items_score_zero, softmax_over_people),
        why="Items without clicks are never a target, so each step would push their words down, and W with them.",
    ),
    Exercise(
        number="05.4",
        title="A second opinion without words",
        kind=Kind.EXPLAIN,
        objective=4,
        minutes=8,
        reference=two_runs,
        hints=(
            "How bad the second opinion is alone is the same in both runs. What differs?",
            "With `shared=1.0` the second opinion is the graph's own error, louder. Can two equal errors cancel?",
        ),
        mistakes=(it_must_be_good, it_must_know_words, one_run_for_both),
        why="Any model that errs elsewhere helps. So a gain by fusion proves nothing about words without this control.",
        groups=True,
    ),
    Exercise(
        number="05.5",
        title="Where would the clicks have put it?",
        kind=Kind.WRITE,
        objective=3,
        minutes=10,
        reference=factors_from_words,
        inputs=material.words_and_factors,
        hints=(
            "Two means: one of the words, one of the factors, both of the known films only.",
            "`np.linalg.solve(A, B)` is $A^{-1} B$. The new films lose the mean of `X`, and gain the mean of `F`.",
        ),
        mistakes=(new_films_centred_by_their_own_mean, the_mean_factors_not_added_back, without_the_ridge),
        why="All that the map knows comes from known films, so a new one is placed alone, at once, without training.",
    ),
    Exercise(
        number="05.6",
        title="Whom to show what does not exist yet",
        kind=Kind.REPAIR,
        objective=5,
        minutes=8,
        reference=keenest_people,
        inputs=material.scores_and_a_new_film,
        hints=(
            "A person with long vectors scores everything high. Does the new film stand high in that person's list?",
            "Count, for each person, the unseen films that score more than the new one. Fewer is keener.",
        ),
        mistakes=(seen_films_stand_in_the_list, the_least_keen_first),
        why="Raw scores prefer people with long vectors, whatever the film. A place in a list means the same for all.",
    ),
]
