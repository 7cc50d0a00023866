"""Exercises of lesson 02 on metrics and on models made of items: what to write, and the mistakes people make."""

import numpy as np


def ndcg(hits: np.ndarray, num_relevant: np.ndarray) -> np.ndarray:
    r"""
    Write `ndcg(hits, num_relevant)` for all users at once, without a loop. `hits`, shape `[num_users, k]`, is true
    where the film at that rank is in the user's test part. `num_relevant`, shape `[num_users]`, is $n$, how many films
    are in it, at least one; it may be more or less than $k$. Return NDCG@k for each user, shape `[num_users]`.
    """
    # begin solution
    k = hits.shape[1]
    discount = 1 / np.log2(np.arange(k) + 2)  # [k]
    ideal = np.cumsum(discount)[np.minimum(k, num_relevant) - 1]
    return hits @ discount / ideal
    # end solution


def ideal_always_full(hits: np.ndarray, num_relevant: np.ndarray) -> np.ndarray:
    """
    You divide by a list of k hits for everybody. Somebody with two test films, both on top of the list: can it be
    better? Which value does your function give?
    """
    discount = 1 / np.log2(np.arange(hits.shape[1]) + 2)
    return hits @ discount / discount.sum()


def ideal_longer_than_the_list(hits: np.ndarray, num_relevant: np.ndarray) -> np.ndarray:
    """
    You divide by all n test films, also where they do not fit. What would somebody with thirty of them get for a list
    in which every place is a hit?
    """
    k = hits.shape[1]
    ideal = np.array([np.sum(1 / np.log2(np.arange(n) + 2)) for n in num_relevant])
    return hits @ (1 / np.log2(np.arange(k) + 2)) / ideal


def ideal_from_the_hits_found(hits: np.ndarray, num_relevant: np.ndarray) -> np.ndarray:
    """
    Your ideal list holds the hits of this list, sorted to the top. Then a list that finds one film of eight, at rank 1,
    is perfect. What should the ideal know that the list does not?
    """
    return ndcg(hits, np.maximum(hits.sum(axis=1), 1))


def neighbour_scores(history: np.ndarray, similarity: np.ndarray, num_neighbours: int) -> np.ndarray:
    r"""
    Write `neighbour_scores(history, similarity, num_neighbours)`, the sum of section 4:
    $s_{uj} = \sum_{i \in I_u \cap N(j)} s_{ij}$. `history` has a 1 where the user took the film, shape
    `[num_users, num_items]`. `similarity` is symmetric with zeros on the diagonal, shape `[num_items, num_items]`.
    $N(j)$ are the `num_neighbours` films most similar to the **candidate** $j$. Return the scores, shape
    `[num_users, num_items]`.
    """
    # begin solution
    nearest = np.argsort(-similarity, axis=1)[:, :num_neighbours]  # row j holds N(j)
    kept = np.zeros_like(similarity)
    np.put_along_axis(kept, nearest, np.take_along_axis(similarity, nearest, axis=1), axis=1)
    return history @ kept.T
    # end solution


def neighbours_of_what_was_taken(history: np.ndarray, similarity: np.ndarray, num_neighbours: int) -> np.ndarray:
    """
    Each film the user took speaks to its own nearest films. Who chooses in the formula, the film taken or the
    candidate? The full matrix is symmetric; is it still so after the cut?
    """
    return history @ neighbour_scores(np.eye(len(similarity)), similarity, num_neighbours).T


def everybody_speaks(history: np.ndarray, similarity: np.ndarray, num_neighbours: int) -> np.ndarray:
    """All films that the user took are counted for each candidate, also the far ones. Where does N(j) come in?"""
    return history @ similarity


def averaged(history: np.ndarray, similarity: np.ndarray, num_neighbours: int) -> np.ndarray:
    """
    You take the mean over the films of the history. It changes no order here, but it is not the formula: there, a score
    grows with every film that speaks for the candidate. What did you divide by?
    """
    return neighbour_scores(history, similarity, num_neighbours) / history.sum(axis=1, keepdims=True)


def ease_weights(R: np.ndarray, regularization: float) -> np.ndarray:
    """
    Repair `ease_weights(R, regularization)`. It should return the weights $B$ of section 5, shape
    `[num_items, num_items]`, from `R`, shape `[num_users, num_items]`. It runs, and it is wrong in **two** places. Read
    it beside the formulas, not beside the code.
    """
    # begin solution
    G = R.T @ R + regularization * np.eye(R.shape[1])
    # given
    # G = R.T @ R + regularization
    # end solution
    P = np.linalg.inv(G)
    # begin solution
    B = -P / np.diag(P)
    # given
    # B = -P / np.diag(P)[:, None]
    # end solution
    np.fill_diagonal(B, 0.0)
    return B


def only_the_division_repaired(R: np.ndarray, regularization: float) -> np.ndarray:
    """
    One of two: the division is right now. Print `G` for a small `R`. What does NumPy do with a matrix plus a number,
    and what does the formula add?
    """
    P = np.linalg.inv(R.T @ R + regularization)
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0.0)
    return B


def only_the_regularization_repaired(R: np.ndarray, regularization: float) -> np.ndarray:
    """
    One of two: `G` is right now. The last formula divides by the diagonal element with index j, in the weight from i to
    j. Is j the row or the column? What does `[:, None]` do?
    """
    P = np.linalg.inv(R.T @ R + regularization * np.eye(R.shape[1]))
    B = -P / np.diag(P)[:, None]
    np.fill_diagonal(B, 0.0)
    return B


def sign_lost(R: np.ndarray, regularization: float) -> np.ndarray:
    """Sizes are right, signs are not: films that people take together push each other away. Look for a minus."""
    return -ease_weights(R, regularization)
