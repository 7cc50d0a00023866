"""Exercises of lesson 00, welcome."""

import numpy as np

from course_lib.exercises import Exercise, Kind


def full_score(h_u: np.ndarray, h_items: np.ndarray, e_u: np.ndarray, e_items: np.ndarray) -> np.ndarray:
    r"""
    Write `full_score(h_u, h_items, e_u, e_items)`: the formula of section 1 for one person and all films at once.
    `h_u` and `e_u` are the person's vectors, each of shape `[dim]`; `h_items` and `e_items` hold a row for each film,
    shape `[num_items, dim]`. Return $s_{ui} = h_u^\top h_i + e_u^\top e_i$ for every film, shape `[num_items]`.
    """
    # begin solution
    return h_items @ h_u + e_items @ e_u
    # end solution


def words_left_out(h_u: np.ndarray, h_items: np.ndarray, e_u: np.ndarray, e_items: np.ndarray) -> np.ndarray:
    """This is what the graph says, and no more. Give it a film that nobody has rated: what does it answer?"""
    return h_items @ h_u


def halves_multiplied(h_u: np.ndarray, h_items: np.ndarray, e_u: np.ndarray, e_items: np.ndarray) -> np.ndarray:
    """
    Right halves, joined in the wrong way. For a new film the graph half is 0. What does your way of joining make of
    all that its words say?
    """
    return (h_items @ h_u) * (e_items @ e_u)


def vectors_added_before_the_product(
    h_u: np.ndarray, h_items: np.ndarray, e_u: np.ndarray, e_items: np.ndarray
) -> np.ndarray:
    """
    Multiply out what you wrote: there are four products in it, and two of them compare a graph vector with a word
    vector. These come from different worlds; their coordinates have nothing to do with each other.
    """
    return (h_items + e_items) @ (h_u + e_u)


def two_kinds_of_vectors(generator: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Vectors of one person and five films, from the graph and from the words."""
    shapes = ((3,), (5, 3), (3,), (5, 3))
    return tuple(generator.normal(size=shape).round(1) for shape in shapes)


def best_unseen(score: np.ndarray, history: list[int], k: int) -> np.ndarray:
    """
    Repair `best_unseen(score, history, k)`. It should return the positions of the `k` films with the highest scores,
    best first, without those in `history`. With some scores it offers people what they have just seen. `score`, shape
    `[num_items]`, must stay as it was: others still need it.
    """
    score = score.copy()
    # begin solution
    score[history] = -np.inf
    # given
    # score[history] = 0
    # end solution
    return np.argsort(-score, kind="stable")[:k]


def nothing_hidden(score: np.ndarray, history: list[int], k: int) -> np.ndarray:
    """The history plays no part any more: what people have seen is what they like, so it stands on top of the list."""
    return np.argsort(-score, kind="stable")[:k]


def positions_shifted(score: np.ndarray, history: list[int], k: int) -> np.ndarray:
    """
    The seen films are gone, but with them the numbering: after a deletion the film at place 7 may be another one. Which
    films do the numbers that you return stand for?
    """
    return np.argsort(-np.delete(score, history), kind="stable")[:k]


def worst_first(score: np.ndarray, history: list[int], k: int) -> np.ndarray:
    """Look at the scores of the films you return, from left to right: they grow. Which end of the order do you cut?"""
    masked = score.copy()
    masked[history] = np.inf
    return np.argsort(masked, kind="stable")[:k]


def scores_below_zero(generator: np.random.Generator) -> tuple[np.ndarray, list[int], int]:
    """Eight scores below zero, on any scale; the two best films are the history, the better one later; all others."""
    score = -generator.permutation(np.arange(1, 9)) / 10
    history = np.sort(np.argsort(-score)[:2])
    score[history] = -0.2, -0.1
    return score * 10.0 ** generator.integers(0, 5), history.tolist(), 6


def louder_words() -> tuple[str, str]:
    """
    Change and explain. Set `WORDS_WEIGHT` to `0.5`, ten times as loud, and run the cells from there to the three lists
    again. Compare the list "both" with the two others. Name `louder_words`, a pair such as `("graph", "a")`.

    First: which list holds the same five films as "both" now, `"graph"`, `"words"`, or is it `"neither"`? Second: why?

    - `"a"`: the words know more about these films than the graph does
    - `"b"`: in a sum, the half whose scores spread over a wider range decides the order
    - `"c"`: each half keeps its own order, so the weight of one cannot change the order of the sum

    Then set it back to `0.05`, and run the same cells once more.
    """
    # begin solution: return ..., ...
    return "words", "b"
    # end solution


def louder_taken_for_wiser() -> tuple[str, str]:
    """
    You saw the right list. But the texts are the same as before, not a word was added. What else did the weight change,
    and would a weight of 0.0005 make the words stupid?
    """
    return "words", "a"


def order_taken_for_fixed() -> tuple[str, str]:
    """
    Each half keeps its order, that is true. Take two films, one with 3 and 1, the other with 1 and 2, and add up. Now
    multiply the second numbers by ten. Who leads before, who after? And look at the lists again.
    """
    return "neither", "c"


EXERCISES = [
    Exercise(
        number="00.1",
        title="Both halves",
        kind=Kind.WRITE,
        objective=1,
        minutes=4,
        reference=full_score,
        inputs=two_kinds_of_vectors,
        hints=(
            "Section 2 computes `graph_score` for all films at once. How does it avoid a loop over films?",
            "`h_items @ h_u` is one number a film. Make the same of the words, and put the two together.",
        ),
        mistakes=(words_left_out, halves_multiplied, vectors_added_before_the_product),
        why="A sum lets each half speak where the other is silent: for a new film the words alone decide.",
    ),
    Exercise(
        number="00.2",
        title="Not what you have just seen",
        kind=Kind.REPAIR,
        objective=2,
        minutes=5,
        reference=best_unseen,
        inputs=scores_below_zero,
        hints=(
            "Try it by hand with the scores -0.3, -0.1, -0.2 and a history of film 1. Which film comes first, and why?",
            "A seen film needs a score that no other film can fall below, whatever the scores look like.",
        ),
        mistakes=(nothing_hidden, positions_shifted, worst_first),
        why="0 is an ordinary score: for an inner product it may be the best of all. Minus infinity never is. With "
        "positive scores the bug does not show, so it can live for years.",
    ),
    Exercise(
        number="00.3",
        title="Turn up the words",
        kind=Kind.EXPLAIN,
        objective=3,
        minutes=6,
        reference=louder_words,
        hints=(
            "Print `graph_score.std()` and `words_score.std()` before and after the change.",
            "A half whose scores hardly differ from film to film cannot change the order that the other one gives.",
        ),
        mistakes=(louder_taken_for_wiser, order_taken_for_fixed),
        why="A sum of two scores needs a common scale. That is why the weight is chosen on validation data (lesson 05) "
        "and not by taste: too loud, and the better half is silenced.",
        groups=True,
    ),
]
