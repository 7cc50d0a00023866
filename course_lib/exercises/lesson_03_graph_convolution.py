"""Exercises of lesson 03, graph convolution."""

import functools

import numpy as np
import torch

from course_lib import splits
from course_lib.data import load
from course_lib.exercises import Exercise, Kind, filtering, material, propagation
from course_lib.graph import bipartite_adjacency, symmetric_normalize, to_torch


def moved() -> tuple[int, int, int, int]:
    """
    Four people and four films make a chain: person 0, film 0, person 1, film 1, person 2, film 2, person 3, film 3.
    Neighbours in this list have an edge, and nothing else has. Every node has a free vector in layer 0.

    One BPR step trains on person 0 with the positive film 0 and the negative film 3. How many of the eight free vectors
    get a gradient with LightGCN of 0 layers, of 1, of 2? And how many if the step is a softmax over all four films, for
    person 0 alone, with 0 layers? Draw the chain, and put four numbers in place of the dots. Remember that the final
    vector is the mean over *all* layers.
    """
    # begin solution
    links = np.eye(4) + np.eye(4, k=-1)  # [4 people, 4 films]
    nothing = np.zeros((4, 4))
    chain = torch.tensor(np.block([[nothing, links], [links.T, nothing]]))
    counts = []
    for loss, num_steps in (("bpr", 0), ("bpr", 1), ("bpr", 2), ("softmax", 0)):
        free = torch.tensor(np.random.default_rng(0).normal(size=(8, 3)), requires_grad=True)
        last = final = free
        for _ in range(num_steps):
            last = chain @ last
            final = final + last
        scores = final[4:] @ final[0]
        gain = torch.nn.functional.logsigmoid(scores[0] - scores[3]) if loss == "bpr" else scores.log_softmax(0)[0]
        (gradient,) = torch.autograd.grad(gain, free)
        counts.append(int(gradient.abs().sum(dim=1).count_nonzero()))
    return counts[0], counts[1], counts[2], counts[3]
    # end solution


def three_whatever_the_layers() -> tuple[int, int, int, int]:
    """A final vector is a mean over layers, and layer 1 of a node is made of its neighbours. Who else is in the sum?"""
    return 3, 3, 3, 5


def the_negative_spreads_nothing() -> tuple[int, int, int, int]:
    """The positive side is complete. The negative film has a final vector as well: what is it made of?"""
    return 3, 4, 5, 5


def a_softmax_moves_two() -> tuple[int, int, int, int]:
    """The three BPR numbers are right. In a softmax the loss is -s_positive + log of a sum: over which films?"""
    return 3, 5, 7, 2


def left_over() -> tuple[int, str]:
    r"""
    Nothing is trained here: every person and every film of the benchmark split starts with a vector of random numbers.
    The cell takes two steps of $\hat A$, then looks which ten films have the longest vectors, and how many of these ten
    are among the ten most taken films. Before any step it is none of them.

    Run the cell. Set `num_steps` to 50 and run it again. Then fill in the last line: the number at 50 steps, and the
    letter of the explanation that fits both runs.

    - `"a"`: Dividing by the roots of the degrees makes popular films louder.
    - `"b"`: Popular films have many viewers, so their vectors learned more about taste.
    - `"c"`: Only what $\hat A$ does not shrink is left, and in that a film's length grows with the root of its degree.
    """
    clicks = splits.make("benchmark", load("movielens-100k"), seed=0).train.matrix()
    step_matrix = to_torch(symmetric_normalize(bipartite_adjacency(clicks)))
    most_taken = np.argsort(-np.asarray(clicks.sum(axis=0)).ravel())[:10]
    # begin solution
    num_steps = 50
    # given
    # num_steps = 2
    # end solution
    spread = torch.randn(sum(clicks.shape), 16, generator=torch.Generator().manual_seed(0))
    for _ in range(num_steps):
        spread = step_matrix @ spread
    longest = spread[clicks.shape[0] :].norm(dim=1).argsort(descending=True)[:10]
    in_common = len(set(longest.tolist()) & set(most_taken.tolist()))
    # begin solution
    return in_common, "c"
    # given
    # print("the ten longest vectors, among the ten most taken films:", in_common)
    # return ..., "?"
    # end solution


counted = functools.cache(left_over)


def division_makes_loud() -> tuple[int, str]:
    """The number is right. But section 1 divides by these roots to make busy films quieter. What works against it?"""
    return counted()[0], "a"


def popular_films_learned_more() -> tuple[int, str]:
    """The number is right. But which line of the cell learns anything? The start is noise, and taste is not in it."""
    return counted()[0], "b"


def gigabytes() -> tuple[float, float]:
    """
    A shop has a million items and a million people, and keeps its numbers in `float32`. How many gigabytes (10⁹ bytes)
    does the one matrix of EASE need, which weighs items against items, and how many do the trained vectors of LightGCN
    with 64 dimensions? Put two numbers in place of the dots: `(EASE, LightGCN)`.
    """
    # begin solution
    million, bytes_each = 1_000_000, 4
    return million * million * bytes_each / 1e9, (million + million) * 64 * bytes_each / 1e9
    # end solution


def one_byte_for_a_number() -> tuple[float, float]:
    """You counted numbers right. How many bits has a `float32`, and how many a byte?"""
    return gigabytes()[0] / 4, gigabytes()[1] / 4


def vectors_of_one_side_only() -> tuple[float, float]:
    """EASE is right. In LightGCN, who has a free vector in layer 0?"""
    return gigabytes()[0], gigabytes()[1] / 2


def vectors_of_every_layer() -> tuple[float, float]:
    """EASE is right. Layers 1, 2, ... are computed from layer 0. Which numbers were trained?"""
    return gigabytes()[0], gigabytes()[1] * 3


def vectors_of_all_four_layers() -> tuple[float, float]:
    """EASE is right. You counted layers 0 to 3, but three of these four are made from the first. What is trained?"""
    return gigabytes()[0], gigabytes()[1] * 4


EXERCISES = [
    Exercise(
        number="03.1",
        title="Normalise by both degrees",
        kind=Kind.WRITE,
        objective=1,
        minutes=10,
        reference=propagation.normalised_adjacency,
        inputs=propagation.a_graph,
        hints=(
            "$D^{-1/2}$ is diagonal. Multiplying by it from the left scales rows. What does it do from the right?",
            "`scale[:, None] * A * scale` scales rows, then columns. Look at what $0^{-1/2}$ is before you use it.",
        ),
        mistakes=(propagation.not_normalised, propagation.divided_by_one_degree_only, propagation.divided_by_zero),
        why="Rows and columns are scaled by the same numbers, so the matrix stays symmetric, and silence stays 0.",
    ),
    Exercise(
        number="03.2",
        title="The update that was meant",
        kind=Kind.REPAIR,
        objective=2,
        minutes=8,
        reference=propagation.what_was_meant,
        inputs=propagation.a_graph_with_vectors,
        hints=(
            "Print the shape of what is added to `H_new[v]`. Two lines are wrong: the start, and what is added.",
            "Start from zeros. Add `H[w]`, a vector, divided by a number made of `degree[v]` and `degree[w]`.",
        ),
        mistakes=(
            propagation.the_node_itself_stayed,
            propagation.the_start_and_the_lengths_stayed,
            propagation.a_number_still_added,
            propagation.weights_from_the_lengths_of_vectors,
            propagation.the_speaker_only,
            propagation.the_mean_of_the_neighbours,
        ),
        why="This is row v of A_hat @ H. The printed rule kept one number of each neighbour and lost what it said.",
    ),
    Exercise(
        number="03.3",
        title="A loop is an edge",
        kind=Kind.REPAIR,
        objective=1,
        minutes=8,
        reference=propagation.gcn_layer,
        inputs=propagation.a_graph_with_weights,
        hints=(
            r"Read the formula of $\hat A_{+I}$ from the inside out. What comes first, the loops or the division?",
            "Add the loops to `A`, count the degrees of that, and normalise it as a whole.",
        ),
        mistakes=(
            propagation.degrees_counted_before_the_loops,
            propagation.the_node_does_not_hear_itself,
            propagation.half_and_half,
        ),
        why="The loop is normalised like any edge, so no eigenvalue exceeds 1, and stacked layers do not explode.",
    ),
    Exercise(
        number="03.4",
        title="Who moves?",
        kind=Kind.PREDICT,
        objective=3,
        minutes=6,
        reference=moved,
        hints=(
            "A free vector gets a gradient if it is part of a final vector in the loss. Whose final vectors are those?",
            "With $L$ layers, a final vector holds all nodes up to $L$ edges away. Mark them for all three nodes.",
        ),
        mistakes=(three_whatever_the_layers, the_negative_spreads_nothing, a_softmax_moves_two),
        why="Layers spread a thin signal to more vectors. The softmax reaches all films of the table without a layer.",
        groups=True,
    ),
    Exercise(
        number="03.5",
        title="What fifty steps leave of noise",
        kind=Kind.EXPLAIN,
        objective=3,
        minutes=8,
        reference=left_over,
        hints=(
            "The start vectors know nothing, and only the graph is the same in every step. What can be left?",
            r"On the toy graph, multiply $\hat A$ by the vector of the roots of the degrees. What comes out?",
        ),
        mistakes=(division_makes_loud, popular_films_learned_more),
        why="The roots of the degrees come through Â unchanged, nearly all else shrinks. What is left is popularity.",
        groups=True,
    ),
    Exercise(
        number="03.6",
        title="An ideal filter",
        kind=Kind.WRITE,
        objective=4,
        minutes=12,
        reference=filtering.ideal_filter,
        inputs=material.who_took_what,
        hints=(
            "Three steps: normalise `R` by both roots, decompose, filter. Keep the roots of the items' degrees.",
            r"The third result of `np.linalg.svd` is $V^\top$, largest singular value first: keep rows, and transpose.",
        ),
        mistakes=(
            filtering.columns_of_the_third_factor,
            filtering.a_high_pass_filter,
            filtering.the_raw_matrix_decomposed,
            filtering.the_roots_changed_places,
            filtering.the_roots_left_out,
        ),
        why="Only smooth parts of a history pass. A wrong axis or end raises no error, and recommends noise.",
    ),
    Exercise(
        number="03.7",
        title="A million items",
        kind=Kind.PREDICT,
        objective=5,
        minutes=4,
        reference=gigabytes,
        tolerance=0.01,
        hints=("How many numbers does each of the two hold? A `float32` takes 32 bits.", "One grows with the square."),
        mistakes=(
            one_byte_for_a_number,
            vectors_of_one_side_only,
            vectors_of_every_layer,
            vectors_of_all_four_layers,
        ),
        why="4,000 against 0.512 GB. What wins on 1,682 films may not exist at scale: quality has a size as well.",
    ),
]
