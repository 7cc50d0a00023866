"""LightGCN trained on sampled neighbours, so that a step costs the same however large the graph is."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from course_lib.graph import to_torch
from course_lib.models import LightGCN
from course_lib.splits import Split
from course_lib.training import bpr_loss, sample_negatives


@dataclass(frozen=True)
class SampledLightGCN:
    """LightGCN with the pairwise loss, each step on the neighbourhood of its batch alone.

    Each node hears at most `fan_out` of its neighbours, drawn anew in every step, as in GraphSAGE (Hamilton et al.
    2017). Gradients are sparse: `torch.optim.SparseAdam` moves the vectors that the step has touched. After the last
    step all vectors are computed over the whole graph, once.

    Attributes
    ----------
    fan_out : int
        Neighbours a node hears in one layer.
    num_epochs, batch_size : int
        Passes over the interactions; interactions in a step.
    learning_rate : float
        Of SparseAdam.
    num_layers : int
        As in `LightGCN`.
    seed : int
        Of vectors, batches, negatives and neighbours.
    """

    fan_out: int = 5
    num_epochs: int = 1
    batch_size: int = 8192
    learning_rate: float = 0.02
    num_layers: int = 2
    seed: int = 0

    def fit(self, split: Split) -> LightGCN:
        """A fitted `LightGCN`."""
        model = LightGCN(loss="bpr", cosine=False, temperature=1.0, num_layers=self.num_layers, device="cpu")
        model.train = split.train.matrix()
        torch.manual_seed(self.seed)
        encoder = model.build_encoder()
        table = nn.Embedding.from_pretrained(encoder.layer_0().detach(), freeze=False, sparse=True)
        self._train(table, as_scipy(encoder.A_hat), model.train, model.weight_decay)
        with torch.no_grad():
            encoder.user.copy_(table.weight[: len(encoder.user)])
            encoder.item.copy_(table.weight[len(encoder.user) :])
        model._store(encoder)
        return model

    def _train(self, table: nn.Embedding, A_hat: sparse.csr_matrix, train: sparse.csr_matrix, decay: float) -> None:
        optimizer = torch.optim.SparseAdam(table.parameters(), lr=self.learning_rate)
        generator = np.random.default_rng(self.seed)
        positives = train.tocoo()
        for _ in range(self.num_epochs):
            order = generator.permutation(train.nnz)
            users, items = positives.row[order].astype(np.int64), positives.col[order].astype(np.int64)
            negatives = sample_negatives(train, users, generator)
            for start in range(0, train.nnz, self.batch_size):
                part = slice(start, start + self.batch_size)
                triples = np.stack([users[part], train.shape[0] + items[part], train.shape[0] + negatives[part]])
                nodes, place = np.unique(triples, return_inverse=True)
                H, H_0 = propagate_sampled(table, A_hat, nodes, self.fan_out, self.num_layers, generator)
                h_u, h_i, h_j = H[torch.from_numpy(place.reshape(triples.shape))]
                loss = bpr_loss((h_u * h_i).sum(dim=1), (h_u * h_j).sum(dim=1))
                often = torch.from_numpy(np.bincount(place.ravel())).to(H)[:, None]
                loss = loss + decay * (often * H_0.square()).sum() / (2 * len(h_u))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()


def propagate_sampled(
    table: nn.Embedding,
    A_hat: sparse.csr_matrix,
    nodes: np.ndarray,
    fan_out: int,
    num_layers: int,
    generator: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    r"""An unbiased estimate of LightGCN's vectors of some nodes, and their own free vectors.

    With $B_l$ an estimate of the rows of $\hat A$ that layer l needs, $h + \hat A h + \hat A^2 h$ becomes
    $h_0 + B_1 (h_1 + B_2 h_2)$, where $h_l$ are the free vectors of the nodes that are reached after l steps.

    Parameters
    ----------
    nodes : ndarray of int64, [num]

    Returns
    -------
    tuple of tensor
        Both [num, embedding_dim].
    """
    reached, blocks = [nodes], []
    for _ in range(num_layers):
        block, further = sample_rows(A_hat, reached[-1], fan_out, generator)
        blocks.append(block)
        reached.append(further)
    free = [table(torch.from_numpy(one)) for one in reached]
    H = free[-1]
    for block, own in zip(reversed(blocks), reversed(free[:-1]), strict=True):
        H = own + _Product.apply(block, H)
    return H / (num_layers + 1), free[0]


def sample_rows(
    A_hat: sparse.csr_matrix, nodes: np.ndarray, fan_out: int, generator: np.random.Generator
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """An unbiased estimate of some rows of a matrix, with at most `fan_out` numbers a row.

    A row with more is drawn from with replacement, and each drawn number is weighted by length of the row / `fan_out`.

    Returns
    -------
    tuple
        A csr_matrix, [len(nodes), len(columns)], and the columns of `A_hat` that it has, sorted.
    """
    start = A_hat.indptr[nodes].astype(np.int64)
    degree = A_hat.indptr[nodes + 1] - start
    count = np.minimum(degree, fan_out)
    indptr = np.concatenate([[0], np.cumsum(count)])
    row = np.repeat(np.arange(len(nodes)), count)
    in_order = np.arange(indptr[-1]) - indptr[row]
    drawn = (generator.random(len(row)) * degree[row]).astype(np.int64)
    taken = start[row] + np.where(degree[row] > fan_out, drawn, in_order)
    columns, place = np.unique(A_hat.indices[taken], return_inverse=True)
    weight = A_hat.data[taken] * (degree / np.maximum(count, 1)).astype(np.float32)[row]
    return sparse.csr_matrix((weight, place, indptr), shape=(len(nodes), len(columns))), columns.astype(np.int64)


class _Product(torch.autograd.Function):
    """B @ H for a scipy matrix B; the gradient is B.T @ gradient."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, B: sparse.csr_matrix, H: Tensor) -> Tensor:
        ctx.B = B  # type: ignore[attr-defined]
        return to_torch(B) @ H

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[None, Tensor]:  # type: ignore[override]
        return None, to_torch(ctx.B.T.tocsr()) @ gradient  # type: ignore[attr-defined]


def as_scipy(A: Tensor) -> sparse.csr_matrix:
    """A CSR tensor as a scipy matrix that shares its memory."""
    parts = (A.values(), A.col_indices(), A.crow_indices())
    return sparse.csr_matrix(tuple(part.numpy() for part in parts), shape=A.shape)
