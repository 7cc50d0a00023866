"""Exercises of lesson 01, data."""

import numpy as np

from course_lib.exercises import Exercise, Kind, material, tables


def density_after() -> float:
    """
    MovieLens grows. There are twice as many people and twice as many films, and each person rates as many films as
    before. Which part of all pairs, in per cent, has a rating then? Before, it was 6.3. Think first, then put the
    number in place of the dots, to two places after the point.
    """
    # begin solution
    return 100 * (2 * 100_000) / ((2 * 943) * (2 * 1682))
    # end solution


def nothing_changes() -> float:
    """Twice the people bring twice the ratings, so each film column is as full as before? How many films are there?"""
    return 100 * 100_000 / (943 * 1682)


def ratings_did_not_grow() -> float:
    """Four times as many cells, right. But every new person brings ratings too. How many ratings are there now?"""
    return 100 * 100_000 / (4 * 943 * 1682)


def a_fraction_for_per_cent() -> float:
    """Right as a fraction. The task asks for per cent."""
    return 100_000 / (2 * 943 * 1682)


def given_away(group: np.ndarray, is_test: np.ndarray) -> np.ndarray:
    """
    Write `given_away(group, is_test)`. `group` has a number for each item, shape `[num_items]`; items with the same
    number are the same thing under several ids, two or more. `is_test` is true for the items hidden in an exam on new
    items; the others are in training. Return an array of true and false, shape `[num_items]`: true for each **hidden**
    item that has a twin **in training**.
    """
    # begin solution
    return is_test & np.isin(group, group[~is_test])
    # end solution


def twins_anywhere(group: np.ndarray, is_test: np.ndarray) -> np.ndarray:
    """You mark every hidden item that has a twin at all. Where must the twin lie to give the answer away?"""
    return is_test & (np.bincount(group)[group] > 1)


def training_items_marked(group: np.ndarray, is_test: np.ndarray) -> np.ndarray:
    """You found the pairs, and marked the wrong end: which of the two is asked about in the exam?"""
    return ~is_test & np.isin(group, group[is_test])


def also_took(A: np.ndarray, num_users: int) -> np.ndarray:
    """
    Write `also_took(A, num_users)`. `A` is the adjacency matrix of a graph of users and items, users first, shape
    `[num_users + num_items, num_users + num_items]`. Return, for each pair of **different** items, how many users took
    both: shape `[num_items, num_items]`. An item does not recommend itself, so the diagonal is 0.
    """
    # begin solution
    both = (A @ A)[num_users:, num_users:]
    return both - np.diag(np.diag(both))
    # end solution


def users_instead_of_items(A: np.ndarray, num_users: int) -> np.ndarray:
    """
    These are films that two people share: the block of the users. In which corner of the matrix do the rows and the
    columns both stand for items?
    """
    both = (A @ A)[:num_users, :num_users]
    return both - np.diag(np.diag(both))


def diagonal_kept(A: np.ndarray, num_users: int) -> np.ndarray:
    """
    Right off the diagonal. On it you have the walks from an item to a user and back: its degree. What would every list
    of "also took" start with?
    """
    return (A @ A)[num_users:, num_users:]


def before_the_cut(timestamp: np.ndarray, share: float) -> np.ndarray:
    """
    Repair `before_the_cut(timestamp, share)`, a cut in time. Each rating has a second; `timestamp` has the shape
    `[num_ratings]`, in the order of a file, which is not the order of time. The cut is the second of the first rating
    that comes, in order of time, after `int(share * num_ratings)` others. Return true for each rating given **before**
    that second. All ratings of one second stay on one side. The result has the order of the file.
    """
    # begin solution
    cut = np.sort(timestamp)[int(share * len(timestamp))]
    return timestamp < cut
    # given
    # return np.arange(len(timestamp)) < int(share * len(timestamp))
    # end solution


def seconds_torn_apart(timestamp: np.ndarray, share: float) -> np.ndarray:
    """In order of time, yes. But a page of them was sent off in one second: on which sides of the cut does it lie?"""
    rank = np.argsort(np.argsort(timestamp, kind="stable"))
    return rank < int(share * len(timestamp))


def cut_in_the_span_of_time(timestamp: np.ndarray, share: float) -> np.ndarray:
    """
    You cut the calendar, not the ratings: after that share of the days. On a busy evening many come at once. The cut
    was to lie after a share of the ratings.
    """
    return timestamp < timestamp.min() + share * (timestamp.max() - timestamp.min())


def the_second_of_the_cut_included(timestamp: np.ndarray, share: float) -> np.ndarray:
    """Nearly. On which side are the ratings given in the very second of the cut, and on which should they be?"""
    return timestamp <= np.sort(timestamp)[int(share * len(timestamp))]


def one_each() -> tuple[str, str]:
    """
    Change and explain. Take the benchmark, and ask each person about **one** hidden film in place of all:

    ```python
    exam = exams["benchmark"]
    first = ~pd.Series(exam.test.user).duplicated().to_numpy()
    smaller = replace(exam, test=exam.test.select(first))
    print(evaluate(Random().fit(exam), exam).mean(), evaluate(Random().fit(smaller), smaller).mean())
    ```

    Same people, same training part, same random lists. Is the NDCG@10 of chance now `"lower"`, `"equal"` or `"higher"`?
    And which sentence explains it? Name `one_each`, a pair such as `("equal", "c")`.

    - `"a"`: with one film to find, chance has less to do, and a perfect list is easier
    - `"b"`: the random lists are as they were, but fewer of the films on them count as a hit
    - `"c"`: chance knows nothing, so it has the same value in every exam
    """
    # begin solution: return ..., ...
    return "lower", "b"
    # end solution


def an_easier_exam() -> tuple[str, str]:
    """
    A perfect list needs one hit now, that is true. But a random list does not try to be perfect. How often does one of
    its ten films happen to be the one you ask about, and how often one of ten you ask about? Run the lines.
    """
    return "higher", "a"


def chance_is_a_constant() -> tuple[str, str]:
    """
    Chance knows nothing about people. But its value also depends on the exam: how many films are ranked, and how many
    of them count as right? Run the lines, and look again at what became of `Random` in section 10.
    """
    return "equal", "c"


def right_number_wrong_reason() -> tuple[str, str]:
    """You saw it fall. Does your sentence say that it should? An easier perfect list would lift a value."""
    return "lower", "a"


EXERCISES = [
    Exercise(
        number="01.1",
        title="When a catalogue grows",
        kind=Kind.PREDICT,
        objective=1,
        minutes=4,
        reference=density_after,
        tolerance=2e-3,
        hints=(
            "Density is a fraction. What happens to the number above the line, what to the one below?",
            "Ratings double, since the people do. Pairs are people times films. Which of the two grows faster?",
        ),
        mistakes=(nothing_changes, ratings_did_not_grow, a_fraction_for_per_cent),
        why="Ratings grow with the people, pairs with people times films: a large shop is nearly always a sparse one.",
    ),
    Exercise(
        number="01.2",
        title="Who is given away by a twin?",
        kind=Kind.WRITE,
        objective=2,
        minutes=8,
        reference=given_away,
        inputs=material.groups_torn_apart,
        hints=(
            "Two things must hold for an item at once. One is about the item, one about its group.",
            "`group[~is_test]` are the groups that training knows. `np.isin` tells which items belong to one of them.",
        ),
        mistakes=(twins_anywhere, training_items_marked),
        why="A twin in training is an answer that the model has seen: the exam on new items then measures memory.",
    ),
    Exercise(
        number="01.3",
        title="Also took, read off the graph",
        kind=Kind.WRITE,
        objective=3,
        minutes=9,
        reference=also_took,
        inputs=material.a_bipartite_adjacency,
        hints=(
            "From an item to an item it takes two steps, over a user who took both. Which power of $A$ counts them?",
            "$A^2$ has two blocks that are not zero. Cut out the one of the items, then clear its diagonal.",
        ),
        mistakes=(users_instead_of_items, diagonal_kept),
        why="The lower right block of A² is RᵀR: the counts from which lesson 02 makes neighbours and EASE.",
    ),
    Exercise(
        number="01.4",
        title="A cut that tears nothing",
        kind=Kind.REPAIR,
        objective=4,
        minutes=9,
        reference=before_the_cut,
        inputs=material.seconds_with_ties,
        hints=(
            "The given line never looks at `timestamp`. It cuts the file. When would that be the same?",
            "Sort a copy of the seconds and read the one at place `int(share * num_ratings)`. Compare all with it.",
        ),
        mistakes=(seconds_torn_apart, cut_in_the_span_of_time, the_second_of_the_cut_included),
        why="The question is what was known at that second. Three of four ratings share theirs with another one, so a "
        "cut by rank tears pages apart and lets one half of a page predict the other.",
    ),
    Exercise(
        number="01.5",
        title="One hidden film each",
        kind=Kind.EXPLAIN,
        objective=4,
        minutes=8,
        reference=one_each,
        hints=(
            "A random list of ten has ten of about 1,600 films on it, whoever you ask. How many of these are right?",
            "A tenth of the right answers, a tenth of the hits. The perfect list that NDCG divides by shrinks less.",
        ),
        mistakes=(an_easier_exam, chance_is_a_constant, right_number_wrong_reason),
        why="Hits fall with the number of hidden films, the perfect list they are divided by falls more slowly. So "
        "every exam has a floor of its own, and a difference between two exams says nothing about a leak.",
        groups=True,
    ),
    Exercise(
        number="01.6",
        title="Repair an export",
        kind=Kind.WRITE,
        objective=5,
        minutes=12,
        reference=tables.repaired,
        inputs=material.an_export,
        hints=(
            "Three repairs, and their order matters. Which of them does 'latest' need?",
            "`dropna`, one unit for all times, `sort_values`, `drop_duplicates(..., keep='last')`, and `sort_index`.",
        ),
        mistakes=(
            tables.the_last_row_kept,
            tables.the_raw_times_compared,
            tables.the_first_row_kept,
            tables.nobody_became_a_user,
        ),
        why="A loader that repairs silently would have to guess all this. You decide, in code that others can read.",
    ),
]
