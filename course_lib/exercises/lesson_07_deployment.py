"""Exercises of lesson 07, deployment."""

import numpy as np

from course_lib.exercises import Exercise, Kind, operating


def one_vector(h: np.ndarray, e: np.ndarray, H: np.ndarray, E: np.ndarray, alpha: float) -> np.ndarray:
    r"""
    Write `one_vector(h, e, H, E, alpha)`, the user's side of the formula at the head of this section. `h`, `[dim]`, is
    a user and `H`, `[num_items, dim]`, are the items, both from the graph. `e`, `[text_dim]`, and `E`,
    `[num_items, text_dim]`, are the same from the words. Nothing is divided by its spread yet.

    Return one vector, `[dim + text_dim]`, whose inner products with the rows of `np.hstack([H, E])` are $s_{ui}$: the
    graph's scores with the weight $1 - \alpha$ and the words' scores with the weight $\alpha$, each divided by its
    spread over the items (`np.std`).
    """
    # begin solution
    spread_h, spread_e = (H @ h).std(), (E @ e).std()
    return np.concatenate([(1 - alpha) / spread_h * h, alpha / spread_e * e])
    # end solution


def scores_not_divided_by_their_spread(
    h: np.ndarray, e: np.ndarray, H: np.ndarray, E: np.ndarray, alpha: float
) -> np.ndarray:
    """Weighted and joined, but still on two scales: the half whose scores vary more decides, whatever alpha says."""
    return np.concatenate([(1 - alpha) * h, alpha * e])


def spread_of_the_users_numbers(h: np.ndarray, e: np.ndarray, H: np.ndarray, E: np.ndarray, alpha: float) -> np.ndarray:
    """You divide by the spread of the numbers in the user's vector. What should vary alike is a row of scores."""
    return np.concatenate([(1 - alpha) / h.std() * h, alpha / e.std() * e])


def the_two_weights_swapped(h: np.ndarray, e: np.ndarray, H: np.ndarray, E: np.ndarray, alpha: float) -> np.ndarray:
    """Both scales are right. Now set alpha to 1 in your head: which half should be left, and which is?"""
    return one_vector(h, e, H, E, 1 - alpha)


def a_user_and_five_items(
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Vectors from graph and words on different scales, and a weight away from a half."""
    h, e = generator.normal(1, 1, 3), generator.normal(0, 0.3, 2)
    H, E = generator.normal(0, 2, (5, 3)), generator.normal(0, 0.5, (5, 2))
    return h, e, H, E, float(generator.choice([0.1, 0.2, 0.3, 0.7]))


def search_cells(
    items: np.ndarray, cell_of: np.ndarray, centres: np.ndarray, query: np.ndarray, k: int, probes: int
) -> np.ndarray:
    """
    Write `search_cells(items, cell_of, centres, query, k, probes)`: an inverted file by hand. `items` has the shape
    `[num_items, dim]`; `cell_of`, `[num_items]`, says in which cell each item lies; `centres` is `[num_cells, dim]`,
    `query` is `[dim]`.

    Open the `probes` cells whose centres have the largest inner product with the query. Among the items in them, find
    the `k` with the largest inner product. Return their positions in `items`, `[k]`, best first.
    """
    # begin solution
    opened = np.argsort(-(centres @ query))[:probes]
    candidates = np.flatnonzero(np.isin(cell_of, opened))
    best = np.argsort(-(items[candidates] @ query))[:k]
    return candidates[best]
    # end solution


def places_among_the_candidates(
    items: np.ndarray, cell_of: np.ndarray, centres: np.ndarray, query: np.ndarray, k: int, probes: int
) -> np.ndarray:
    """
    You found the right items, but you return their places among the candidates. A service would show other films with
    full confidence. What does place 0 of the candidates mean in the catalogue?
    """
    candidates = np.flatnonzero(np.isin(cell_of, np.argsort(-(centres @ query))[:probes]))
    return np.argsort(-(items[candidates] @ query))[:k]


def all_items_searched(
    items: np.ndarray, cell_of: np.ndarray, centres: np.ndarray, query: np.ndarray, k: int, probes: int
) -> np.ndarray:
    """These are the exact best of all items. An index is fast because it does not look at most of them."""
    return np.argsort(-(items @ query))[:k]


def cells_chosen_by_distance(
    items: np.ndarray, cell_of: np.ndarray, centres: np.ndarray, query: np.ndarray, k: int, probes: int
) -> np.ndarray:
    """
    You open the cells at the smallest distance, and then look for large inner products. For vectors of different
    lengths these are two orders. Which one ranks the films?
    """
    opened = np.argsort(np.linalg.norm(centres - query, axis=1))[:probes]
    candidates = np.flatnonzero(np.isin(cell_of, opened))
    return candidates[np.argsort(-(items[candidates] @ query))[:k]]


def a_catalogue_in_cells(
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int, int]:
    """Eight items in four cells, two of them opened, drawn again until each way of searching finds other items."""
    ways = (search_cells, places_among_the_candidates, all_items_searched, cells_chosen_by_distance)
    while True:
        items, centres = generator.normal(0.5, 1, (8, 2)).round(1), generator.normal(0.5, 1, (4, 2)).round(1)
        trial = (items, (items @ centres.T).argmax(axis=1), centres, generator.normal(1, 1, 2).round(1), 2, 2)
        found = {tuple(way(*trial)) for way in ways}
        untied = len(np.unique((items @ trial[3]).round(6))) == len(items)
        apart = len(np.unique((centres @ trial[3]).round(6))) == len(centres)
        if untied and apart and len(found) == len(ways) and all(len(one) == 2 for one in found):
            return trial


def hidden_film() -> tuple[int, int, str]:
    r"""
    Why does the $\alpha$ that is best for known films hide a new one? Here is a toy of it: 400 users, 1,000 known
    films, scores from graph and words, each already divided by its spread. A new film has words like any other film.
    Its graph vector is only predicted from them, so it comes out short: 0.45 of a known film's length, about what the
    service predicts. `num_reached` counts, for each setting, the users who have it among their best fifty.

    Run it for the setting of the service, a weight $\alpha$ of 0.1 and a length of 0.45. Add a setting with the weight
    1, and one with the weight 0.1 and the length 1. Name
    `hidden_film = (reached with weight 1, reached with length 1, "letter")`. What hides the film?

    - `"a"`: Its words fit nobody.
    - `"b"`: Its short graph vector gives everybody nearly the same graph score, and at $\alpha = 0.1$ the graph
      decides.
    - `"c"`: A film without clicks is left out of every list.
    - `"d"`: At $\alpha = 0.1$ the words count too little. So the film would stay hidden with any graph vector.
    """
    # begin solution
    settings = [(0.1, 0.45), (1.0, 0.45), (0.1, 1.0)]
    # given
    # settings = [(0.1, 0.45)]  # pairs of weight and length: add yours
    # end solution
    draw = np.random.default_rng(0).standard_normal
    graph, words = draw((2, 400, 1000))  # of the known films
    new_graph, new_words = draw((2, 400))  # of the new one, with a vector of full length
    num_reached = []
    for weight, length in settings:
        fiftieth = np.sort((1 - weight) * graph + weight * words, axis=1)[:, -50]
        new_score = (1 - weight) * length * new_graph + weight * new_words
        num_reached.append(int((new_score >= fiftieth).sum()))
    # begin solution
    return (num_reached[1], num_reached[2], "b")
    # given
    # print(num_reached)
    # return ..., ..., "?"
    # end solution


def blamed_the_words() -> tuple[int, int, str]:
    """Your counts are right. Look at the first one: if its words fitted nobody, what would the weight 1 show?"""
    return (*hidden_film()[:2], "a")


def blamed_the_missing_clicks() -> tuple[int, int, str]:
    """Your counts are right. The film has no clicks in either setting. Is it left out in both?"""
    return (*hidden_film()[:2], "c")


def both_changed_at_once() -> tuple[int, int, str]:
    """In your last setting the weight was still 1, where no graph vector counts. Change one thing at a time."""
    return (hidden_film()[0], hidden_film()[0], "b")


def blamed_the_weight_alone() -> tuple[int, int, str]:
    """Your counts are right. For the second one the weight was 0.1: was the film still hidden?"""
    return (*hidden_film()[:2], "d")


EXERCISES = [
    Exercise(
        number="07.1",
        title="One inner product",
        kind=Kind.WRITE,
        objective=1,
        minutes=10,
        reference=one_vector,
        inputs=a_user_and_five_items,
        hints=(
            "Which two rows of scores does this user give the items? Compute both, then look at how much each varies.",
            "`(H @ h).std()` is the graph's spread. Divide `h` by it, do the same for the words, weigh, concatenate.",
        ),
        mistakes=(scores_not_divided_by_their_spread, spread_of_the_users_numbers, the_two_weights_swapped),
        why=(
            "Spread and weight depend on the user alone, so the items' vectors are the same for everybody and one "
            "index serves all. Without the spread alpha means nothing."
        ),
    ),
    Exercise(
        number="07.2",
        title="An index by hand",
        kind=Kind.WRITE,
        objective=2,
        minutes=12,
        reference=search_cells,
        inputs=a_catalogue_in_cells,
        hints=(
            "Three steps: which cells, which items lie in them, which of these are best. From where does each count?",
            "`np.isin(cell_of, opened)` says who is in an open cell, `np.flatnonzero` gives their positions.",
        ),
        mistakes=(places_among_the_candidates, all_items_searched, cells_chosen_by_distance),
        why=(
            "Only the items of the opened cells are scored: that is the speed. A good item in a closed cell is never "
            "seen: that is the lost recall."
        ),
    ),
    Exercise(
        number="07.3",
        title="Who hides the new film?",
        kind=Kind.EXPLAIN,
        objective=3,
        minutes=8,
        reference=hidden_film,
        hints=(
            "Each setting changes one thing. Which of the four explanations would forbid the count that you saw?",
            "A film with a longer graph vector is found without any more weight on the words. So what held it back?",
        ),
        mistakes=(blamed_the_words, blamed_the_missing_clicks, blamed_the_weight_alone, both_changed_at_once),
        why=(
            "A cautious guess is short and stays near the average, while the best known films stand far above it. In "
            "the real service stretching it would not be enough, since its direction is a guess, too: give new films "
            "a slot of their own, or more weight to the words."
        ),
        groups=True,
    ),
    Exercise(
        number="07.4",
        title="Two watches",
        kind=Kind.PREDICT,
        objective=4,
        minutes=8,
        reference=operating.p99,
        tolerance=0.05,
        hints=(
            "The stall lasts 1,000 ms and a request is due every 10 ms. How many are due meanwhile? Each waits less.",
            "Each overdue one is due 10 ms later and answered 1 ms later than the one before. Go ten down the list.",
        ),
        mistakes=(
            operating.a_stall_is_one_slow_request,
            operating.the_longest_time_taken,
            operating.the_mean_of_the_late_ones,
            operating.both_watches_see_the_stall,
        ),
        why=(
            "More than a hundred requests were late, one of them was out during the stall. The watch that starts at "
            "the sending stands still with the service and reports a healthy p99: coordinated omission."
        ),
    ),
    Exercise(
        number="07.5",
        title="Sent again, counted once",
        kind=Kind.WRITE,
        objective=4,
        minutes=7,
        reference=operating.take_events,
        inputs=operating.some_requests,
        hints=(
            "There are three cases. Which question separates the first from the other two?",
            "Ask `key in stored` first; where it is, compare `stored[key]` with the event.",
        ),
        mistakes=(
            operating.repeats_taken_for_new_events,
            operating.a_clash_of_keys_unnoticed,
            operating.a_repeat_refused,
        ),
        why=(
            "The client may repeat as often as it likes and nothing is counted twice. An error for an honest repeat, "
            "or silence about a clash, would make it lose clicks."
        ),
    ),
    Exercise(
        number="07.6",
        title="Mend the gate",
        kind=Kind.REPAIR,
        objective=5,
        minutes=8,
        reference=operating.may_go_live,
        inputs=operating.ten_candidates,
        hints=(
            "Two bundles may have the same mean gain, one surely and one by luck. What tells them apart?",
            "Take the standard deviation of the users' differences, divide by the root of their number, go 1.96 down.",
        ),
        mistakes=(operating.a_gain_demanded, operating.the_high_end_asked, operating.users_not_paired),
        why=(
            "The low end is the loss that you cannot rule out. A gate on the mean lets a bad bundle pass on a lucky "
            "day; one that demands a gain, or forgets the pairs, keeps good ones out for ever."
        ),
        groups=True,
    ),
]
