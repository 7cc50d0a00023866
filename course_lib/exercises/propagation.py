"""References and mistakes of lesson 03's first half: a graph of a few nodes, normalised and convolved by hand."""

import numpy as np


def normalised_adjacency(A: np.ndarray) -> np.ndarray:
    r"""
    Write `normalised_adjacency(A)`. `A` is a symmetric NumPy array of zeros and ones, shape `[n, n]`. Return
    $\hat A = D^{-1/2} A D^{-1/2}$, of the same shape. The toy graph above was kind: every node had a neighbour. In a
    real catalogue somebody has taken nothing yet. A node without neighbours keeps a row and a column of zeros.
    """
    # begin solution
    root = np.sqrt(A.sum(axis=1))
    scale = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
    return scale[:, None] * A * scale
    # end solution


def not_normalised(A: np.ndarray) -> np.ndarray:
    """The matrix comes back as it went in: a film with 400 viewers still speaks as loudly as one with 4."""
    return A


def divided_by_one_degree_only(A: np.ndarray) -> np.ndarray:
    """
    Your rows sum to one: that is the mean over neighbours. It does not turn down busy speakers, and it is not
    symmetric. Share the division between both ends of an edge.
    """
    degree = A.sum(axis=1, keepdims=True)
    return np.divide(A, degree, out=np.zeros_like(A), where=degree > 0)


def divided_by_zero(A: np.ndarray) -> np.ndarray:
    """
    Right for every node that has a neighbour. One without has degree 0, and your matrix holds NaN there: one such
    item spoils every vector after a few layers.
    """
    with np.errstate(all="ignore"):
        root = np.sqrt(A.sum(axis=1))
        return A / root[:, None] / root


def a_graph(generator: np.random.Generator) -> tuple[np.ndarray]:
    """A symmetric adjacency matrix in which the last node has no neighbour and node 1 has two at least."""
    nodes = int(generator.integers(5, 9))
    upper = np.triu(generator.random((nodes, nodes)) < 0.6, k=1)
    upper[:, -1] = False
    upper[0, 1] = upper[1, 2] = True
    return ((upper | upper.T).astype(float),)


def what_was_meant(A: np.ndarray, H: np.ndarray) -> np.ndarray:
    r"""
    `what_was_meant(A, H)` updates every node of a small graph. `A`, `[n, n]`, is the symmetric adjacency of zeros and
    ones, in which every node has a neighbour; row $v$ of `H`, `[n, d]`, is $h_v$. As it stands it computes the printed
    rule, and NumPy does not complain. Repair it: each node becomes the sum of its neighbours' *vectors*, each divided
    by the roots of the two *degrees*.
    """
    degree = A.sum(axis=1)
    # begin solution
    H_new = np.zeros_like(H)
    # given
    # H_new = H.copy()
    # end solution
    for v in range(len(A)):
        for w in np.flatnonzero(A[v]):
            # begin solution
            H_new[v] += H[w] / np.sqrt(degree[v] * degree[w])
            # given
            # H_new[v] += (H[v] @ H[w]) / np.linalg.norm(H[w])
            # end solution
    return H_new


def the_node_itself_stayed(A: np.ndarray, H: np.ndarray) -> np.ndarray:
    """
    The neighbours are right. But each node starts from its own vector, and the formula of what was meant has no h_v
    on its right side. Where does yours come in?
    """
    return H + what_was_meant(A, H)


def weights_from_the_lengths_of_vectors(A: np.ndarray, H: np.ndarray) -> np.ndarray:
    """
    Vectors are added now, so the types fit. The weights still come from the lengths of the vectors: a busy film is as
    loud as a rare one. `degree` is computed above and not used.
    """
    return A @ (H / np.linalg.norm(H, axis=1, keepdims=True))


def the_start_and_the_lengths_stayed(A: np.ndarray, H: np.ndarray) -> np.ndarray:
    """
    Half of it is done: vectors are added now. The start and the weights are still those of the printed rule. What did
    each node start from there, and what does it divide by?
    """
    return H + weights_from_the_lengths_of_vectors(A, H)


def a_number_still_added(A: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Half of it is done: the start is right. What you add is still one number, and all coordinates grow alike."""
    numbers = (A * (H @ H.T) / np.linalg.norm(H, axis=1)).sum(axis=1, keepdims=True)
    return numbers + np.zeros_like(H)


def the_speaker_only(A: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Busy speakers are turned down. A listener with many neighbours still hears a sum that grows with their number."""
    return A @ (H / np.sqrt(A.sum(axis=1, keepdims=True)))


def the_mean_of_the_neighbours(A: np.ndarray, H: np.ndarray) -> np.ndarray:
    """You divide by the degree of the listener: that is the mean of section 1, where all speakers are equally loud."""
    return A @ H / A.sum(axis=1, keepdims=True)


def gcn_layer(A: np.ndarray, H: np.ndarray, W: np.ndarray) -> np.ndarray:
    r"""
    `gcn_layer(A, H, W)` should compute $\mathrm{ReLU}(\hat A_{+I} H W)$ for a small graph: `A` is `[n, n]`, zeros and
    ones, every node with a neighbour, `H` is `[n, d]`, `W` is `[d, k]`; the result is `[n, k]`. Every node does hear
    itself. But the largest eigenvalue of this `A_hat` is 2, so ten layers make a signal a thousand times as large.
    That of $\hat A_{+I}$ is 1. Repair it.
    """
    # begin solution
    A_plus = A + np.eye(len(A))
    degree = A_plus.sum(axis=1)
    A_hat = A_plus / np.sqrt(np.outer(degree, degree))
    # given
    # degree = A.sum(axis=1)
    # A_hat = A / np.sqrt(np.outer(degree, degree)) + np.eye(len(A))
    # end solution
    return np.maximum(A_hat @ H @ W, 0)


def degrees_counted_before_the_loops(A: np.ndarray, H: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The loops are inside the division now. Does the degree you divide by know of them?"""
    degree = A.sum(axis=1)
    return np.maximum((A + np.eye(len(A))) / np.sqrt(np.outer(degree, degree)) @ H @ W, 0)


def the_node_does_not_hear_itself(A: np.ndarray, H: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The largest eigenvalue is 1 again, but the loops are gone: after one layer a node has forgotten what it was."""
    degree = A.sum(axis=1)
    return np.maximum(A / np.sqrt(np.outer(degree, degree)) @ H @ W, 0)


def half_and_half(A: np.ndarray, H: np.ndarray, W: np.ndarray) -> np.ndarray:
    """
    That cures the eigenvalue: half neighbours, half oneself. But so everybody's own share is one half. In GCN the loop
    is one edge among the others: how loud is it for a node with 99 neighbours?
    """
    degree = A.sum(axis=1)
    return np.maximum((A / np.sqrt(np.outer(degree, degree)) + np.eye(len(A))) / 2 @ H @ W, 0)


def a_graph_with_vectors(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A chain of four nodes with a few more edges, so that degrees differ, and a vector of two numbers for each."""
    A = np.eye(4, k=1)
    A[0, 2] = 1
    A[1, 3] = generator.integers(0, 2)
    return A + A.T, generator.normal(size=(4, 2)).round(1) + 0.05


def a_graph_with_weights(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same, and a matrix of weights for two numbers in, three out."""
    return *a_graph_with_vectors(generator), generator.normal(size=(2, 3)).round(1)
