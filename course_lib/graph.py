"""The graph: users and items as nodes, interactions as edges, and the normalised adjacency that spreads signals.

Taught in 03_graph_convolution.
"""

import warnings
from typing import Any

import numpy as np
import torch
from scipy import sparse


def bipartite_adjacency(R: sparse.csr_matrix) -> sparse.csr_matrix:
    r"""Adjacency of the user-item graph: users first, then items.

    $$ A = \begin{pmatrix} 0 & R \\ R^\top & 0 \end{pmatrix} $$

    Parameters
    ----------
    R : csr_matrix, [num_users, num_items]

    Returns
    -------
    csr_matrix, [num_users + num_items, num_users + num_items]
    """
    return sparse.csr_matrix(sparse.bmat([[None, R], [R.T, None]], format="csr", dtype=np.float32))


def symmetric_normalize(A: sparse.csr_matrix) -> sparse.csr_matrix:
    r"""$\hat A = D^{-1/2} A D^{-1/2}$: each edge is divided by the root of both its ends' degrees.

    Rows and columns of nodes without edges stay zero.
    """
    inverse_root = _inverse_root(np.asarray(A.sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags_array(inverse_root) @ A @ sparse.diags_array(inverse_root), dtype=np.float32)


def normalize_interactions(R: sparse.csr_matrix) -> sparse.csr_matrix:
    r"""$\tilde R = D_U^{-1/2} R D_I^{-1/2}$, the upper right block of $\hat A$, [num_users, num_items]."""
    of_users = _inverse_root(np.asarray(R.sum(axis=1)).ravel())
    of_items = _inverse_root(np.asarray(R.sum(axis=0)).ravel())
    return sparse.csr_matrix(sparse.diags_array(of_users) @ R @ sparse.diags_array(of_items), dtype=np.float32)


def to_torch(matrix: sparse.csr_matrix, device: torch.device | str = "cpu") -> torch.Tensor:
    """A scipy matrix as a sparse CSR tensor of float32."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse (CSR tensor support is in beta|invariant checks)")
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int64)),
            torch.from_numpy(matrix.indices.astype(np.int64)),
            torch.from_numpy(matrix.data.astype(np.float32)),
            size=matrix.shape,
            device=device,
        )


class _SymmetricProduct(torch.autograd.Function):
    """A_hat @ H for a symmetric A_hat: its gradient is A_hat @ gradient, so no transpose is ever formed."""

    @staticmethod
    def forward(ctx: Any, A_hat: torch.Tensor, H: torch.Tensor) -> torch.Tensor:
        ctx.A_hat = A_hat
        return A_hat @ H

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[None, torch.Tensor]:
        return None, ctx.A_hat @ gradient


def propagate(A_hat: torch.Tensor, H: torch.Tensor) -> torch.Tensor:
    """One step of message passing, $\\hat A H$: every node receives the weighted sum of its neighbours.

    Parameters
    ----------
    A_hat : sparse CSR tensor, [num_nodes, num_nodes]
        Must be symmetric.
    H : tensor, [num_nodes, embedding_dim]

    Returns
    -------
    tensor, [num_nodes, embedding_dim]
    """
    return _SymmetricProduct.apply(A_hat, H)


def _inverse_root(degree: np.ndarray) -> np.ndarray:
    """1 / sqrt(degree), and 0 where the degree is 0."""
    return np.divide(1.0, np.sqrt(degree), out=np.zeros(len(degree)), where=degree > 0)
