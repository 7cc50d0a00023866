"""Graph algebra: symmetric, degrees right, eigenvalues within -1 and 1, gradients equal to autograd's own."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from course_lib.graph import bipartite_adjacency, normalize_interactions, propagate, symmetric_normalize, to_torch


@st.composite
def matrices(draw) -> sparse.csr_matrix:
    shape = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return sparse.csr_matrix((rng.random(shape) < draw(st.floats(0.0, 1.0))).astype(np.float32))


@given(R=matrices())
@settings(max_examples=60, deadline=None)
def test_adjacency_and_its_normalisation(R):
    num_users, num_items = R.shape
    A = bipartite_adjacency(R).toarray()
    assert A.shape == (num_users + num_items,) * 2
    np.testing.assert_array_equal(A, A.T)
    np.testing.assert_array_equal(A[:num_users, num_users:], R.toarray())
    assert not A[:num_users, :num_users].any() and not A[num_users:, num_users:].any()

    A_hat = symmetric_normalize(bipartite_adjacency(R)).toarray()
    degree = A.sum(axis=1)
    expected = A / np.sqrt(np.outer(np.maximum(degree, 1), np.maximum(degree, 1)))
    np.testing.assert_allclose(A_hat, expected, rtol=1e-6)
    assert np.abs(np.linalg.eigvalsh(A_hat.astype(np.float64))).max() <= 1 + 1e-6
    np.testing.assert_allclose(normalize_interactions(R).toarray(), A_hat[:num_users, num_users:], rtol=1e-6)


@given(R=matrices(), dim=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_propagation_and_its_gradient_equal_the_dense_ones(R, dim):
    A_hat = symmetric_normalize(bipartite_adjacency(R))
    H = torch.randn(A_hat.shape[0], dim, requires_grad=True)
    target = torch.randn(A_hat.shape[0], dim)
    dense = torch.from_numpy(A_hat.toarray())
    ours, theirs = propagate(to_torch(A_hat), H), dense @ H
    torch.testing.assert_close(ours, theirs)
    (gradient,) = torch.autograd.grad((ours * target).sum(), H)
    torch.testing.assert_close(gradient, dense.T @ target)
