"""The one training loop: sample, step, validate now and then, keep the best.

Taught in 02_collaborative_filtering (losses) and 03_graph_convolution (the same loop around a graph).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from tqdm.auto import tqdm

LOSSES = ("softmax", "bpr")


@dataclass(frozen=True)
class Settings:
    """How to train; the same fields for every embedding model.

    Attributes
    ----------
    loss : {"softmax", "bpr"}
        One softmax over all items, or one sampled negative for each positive.
    cosine : bool
        Score by the cosine of two vectors (softmax) and not by their product.
    temperature : float
        Scores are divided by it in the loss. Cosines need one well below 1, plain products 1.
    learning_rate : float
        Step size of Adam.
    num_epochs : int
        Passes over the training data, at most.
    batch_size : int
        Users in a softmax step, interactions in a BPR step.
    weight_decay : float
        Weight of the squared norms of the vectors in a BPR batch.
    validate_every : int
        Epochs between two looks at the validation part.
    patience : int
        Looks without improvement before training stops.
    cold_items_compete : bool
        Whether items that nobody took in training stand among the wrong answers. Yes, where a model knows items by
        clicks alone: nothing else holds such an item down. No, where it knows them by their words: it would learn
        that what is new is bad.
    seed : int
        Fixes initial vectors, batches and negatives.
    """

    loss: str
    cosine: bool
    temperature: float
    learning_rate: float
    num_epochs: int
    batch_size: int
    weight_decay: float
    validate_every: int
    patience: int
    cold_items_compete: bool
    seed: int

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss is {self.loss!r}; choose one of {', '.join(LOSSES)}")


def pick_device(wish: str = "auto") -> torch.device:
    """`"auto"` is CUDA where there is a GPU and the CPU elsewhere; any other name is taken as it is."""
    if wish == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wish)


def softmax_loss(h_u: Tensor, h_i: Tensor, row: Tensor, item: Tensor, temperature: float) -> Tensor:
    r"""Full softmax over the catalogue: the mean of $-\log p(i \mid u)$ over the positives.

    $$ p(i \mid u) = \frac{\exp(h_u^\top h_i / \tau)}{\sum_{j} \exp(h_u^\top h_j / \tau)} $$

    Parameters
    ----------
    h_u : tensor, [batch, embedding_dim]
    h_i : tensor, [num_items, embedding_dim]
    row, item : tensors of int64, [num_positives]
        Each positive as a row of `h_u` and a row of `h_i`.
    """
    log_p = torch.log_softmax(h_u @ h_i.T / temperature, dim=1)  # [batch, num_items]
    return -log_p[row, item].mean()


def bpr_loss(positive_score: Tensor, negative_score: Tensor) -> Tensor:
    r"""Bayesian personalised ranking (Rendle et al. 2009): the mean of $-\ln \sigma(s_{ui} - s_{uj})$."""
    return -nn.functional.logsigmoid(positive_score - negative_score).mean()


def fit_encoder(
    encoder: nn.Module, train: sparse.csr_matrix, settings: Settings, validate: Callable[[], float] | None
) -> list[dict[str, float]]:
    """Train an encoder whose call returns `(H_u, H_i)`; leave it with the weights that validated best.

    Parameters
    ----------
    encoder : Module
        Called without arguments; `H_u` is [num_users, embedding_dim], `H_i` [num_items, embedding_dim].
    train : csr_matrix, [num_users, num_items]
    settings : Settings
    validate : callable or None
        Returns a score, higher is better. Without it all epochs run and the last weights stay.

    Returns
    -------
    list of dict
        One row a look: `epoch, seconds, loss`, and `valid` where there is a validation part.
    """
    optimizer = torch.optim.Adam(encoder.parameters(), lr=settings.learning_rate)
    taken = np.arange(train.shape[1]) if settings.cold_items_compete else np.unique(train.indices)
    train, catalogue = train[:, taken], torch.from_numpy(taken.astype(np.int64))
    generator = np.random.default_rng(settings.seed)
    history: list[dict[str, float]] = []
    best_score, best_weights, looks_since_best = -np.inf, None, 0
    start = time.perf_counter()
    for epoch in tqdm(range(1, settings.num_epochs + 1), desc=f"training ({settings.loss})", unit="epoch", leave=False):
        encoder.train()
        batches = _batches(train, settings, generator)
        losses = [_step(encoder, optimizer, batch, catalogue, settings) for batch in batches]
        if epoch % settings.validate_every and epoch != settings.num_epochs:
            continue
        encoder.eval()
        row = {"epoch": epoch, "seconds": time.perf_counter() - start, "loss": float(np.mean(losses))}
        history.append(row)
        if validate is None:
            continue
        row["valid"] = validate()
        if row["valid"] > best_score:
            best_score, looks_since_best = row["valid"], 0
            best_weights = {name: weight.detach().clone() for name, weight in encoder.state_dict().items()}
        else:
            looks_since_best += 1
            if looks_since_best >= settings.patience:
                break
    if best_weights is not None:
        encoder.load_state_dict(best_weights)
    encoder.eval()
    return history


def _step(
    encoder: nn.Module, optimizer: torch.optim.Optimizer, batch: "_Batch", catalogue: Tensor, settings: Settings
) -> float:
    H_u, H_i = encoder()
    catalogue = catalogue.to(H_i.device)
    side_loss = encoder.side_loss(H_u, H_i, catalogue) if hasattr(encoder, "side_loss") else 0.0  # type: ignore[operator]
    if settings.cosine:
        H_u, H_i = nn.functional.normalize(H_u, dim=1), nn.functional.normalize(H_i, dim=1)
    users, row, item, negative = (torch.from_numpy(part).to(H_u.device) for part in batch)
    if settings.loss == "softmax":
        loss = softmax_loss(H_u[users], H_i[catalogue], row, item, settings.temperature)
    else:
        item, negative = catalogue[item], catalogue[negative]
        h_u, h_i, h_j = H_u[users], H_i[item], H_i[negative]
        loss = bpr_loss((h_u * h_i).sum(dim=1) / settings.temperature, (h_u * h_j).sum(dim=1) / settings.temperature)
        loss = loss + settings.weight_decay * encoder.penalty(users, item, negative)  # type: ignore[operator]
    loss = loss + side_loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


_Batch = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # users, row, item, negative item


def _batches(train: sparse.csr_matrix, settings: Settings, generator: np.random.Generator) -> Iterator[_Batch]:
    """One epoch: batches of users with all their positives (softmax), or of single positives (BPR)."""
    if settings.loss == "softmax":
        active = np.flatnonzero(np.diff(train.indptr))
        active = generator.permutation(active)
        for start in range(0, len(active), settings.batch_size):
            users = active[start : start + settings.batch_size]
            positives = train[users].tocoo()
            yield users, positives.row.astype(np.int64), positives.col.astype(np.int64), positives.row[:0]
    else:
        positives = train.tocoo()
        order = generator.permutation(train.nnz)
        users, items = positives.row[order].astype(np.int64), positives.col[order].astype(np.int64)
        negatives = sample_negatives(train, users, generator)
        for start in range(0, train.nnz, settings.batch_size):
            part = slice(start, start + settings.batch_size)
            yield users[part], users[part], items[part], negatives[part]


def sample_negatives(train: sparse.csr_matrix, users: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One item for each user that the user did not take in training, uniformly, [len(users)] int64."""
    num_items = train.shape[1]
    if (np.diff(train.indptr)[users] >= num_items).any():
        raise ValueError("a user took every item: there is no negative to sample")
    rows, columns = train.nonzero()
    taken = np.sort(rows.astype(np.int64) * num_items + columns)  # one number for each pair
    negative = generator.integers(0, num_items, size=len(users))
    pending = np.arange(len(users))
    while len(pending):
        pair = users[pending] * num_items + negative[pending]
        nearest = np.minimum(np.searchsorted(taken, pair), len(taken) - 1)
        pending = pending[taken[nearest] == pair]
        negative[pending] = generator.integers(0, num_items, size=len(pending))
    return negative
