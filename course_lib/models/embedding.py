"""Models that give every user and every item a vector: matrix factorisation, LightGCN and GCN.

Taught in 02_collaborative_filtering (factorisation) and 03_graph_convolution (the graph models).
"""

from abc import abstractmethod
from dataclasses import dataclass, field, fields
from typing import ClassVar, Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from course_lib.evaluation.ranking import evaluate
from course_lib.graph import bipartite_adjacency, propagate, symmetric_normalize, to_torch
from course_lib.models.base import Recommender
from course_lib.splits import Split
from course_lib.training import Settings, fit_encoder, pick_device


class Tables(nn.Module):
    """A free vector for each user and each item: the encoder of matrix factorisation, layer 0 of the graph models."""

    def __init__(self, num_users: int, num_items: int, embedding_dim: int) -> None:
        super().__init__()
        self.user = nn.Parameter(torch.randn(num_users, embedding_dim) * 0.1)
        self.item = nn.Parameter(torch.randn(num_items, embedding_dim) * 0.1)

    def forward(self) -> tuple[Tensor, Tensor]:
        """`(H_u, H_i)`: [num_users, embedding_dim], [num_items, embedding_dim]."""
        return self.user, self.item

    def penalty(self, users: Tensor, items: Tensor, negatives: Tensor) -> Tensor:
        """Half the squared norms of the batch's free vectors, per positive."""
        parts = (self.user[users], self.item[items], self.item[negatives])
        return sum((part.square().sum() for part in parts), torch.zeros(())) / (2 * len(users))


class LightGCNEncoder(Tables):
    r"""$H^{(l+1)} = \hat A H^{(l)}$, and the mean over layers 0 to L (He et al. 2020, equations 3, 4 and 8)."""

    def __init__(self, num_users: int, num_items: int, embedding_dim: int, A_hat: Tensor, num_layers: int) -> None:
        super().__init__(num_users, num_items, embedding_dim)
        self.A_hat, self.num_layers = A_hat, num_layers

    def layer_0(self) -> Tensor:
        """The vectors before any propagation, users first, [num_users + num_items, embedding_dim]."""
        return torch.cat([self.user, self.item])

    def layers(self) -> list[Tensor]:
        """$H^{(0)}, \\dots, H^{(L)}$, each [num_users + num_items, embedding_dim]."""
        layers = [self.layer_0()]
        for _ in range(self.num_layers):
            layers.append(propagate(self.A_hat, layers[-1]))
        return layers

    def forward(self) -> tuple[Tensor, Tensor]:
        """Mean over the layers, as `(H_u, H_i)`."""
        H = torch.stack(self.layers()).mean(dim=0)
        return H[: len(self.user)], H[len(self.user) :]


class GCNEncoder(Tables):
    r"""$H^{(l+1)} = \mathrm{ReLU}(\hat A_{+I} H^{(l)} W^{(l)})$, no ReLU after the last (Kipf & Welling 2017).

    $\hat A_{+I}$ is the normalised adjacency with self-loops, $\tilde D^{-1/2} (A + I) \tilde D^{-1/2}$.
    """

    def __init__(self, num_users: int, num_items: int, embedding_dim: int, A_hat: Tensor, num_layers: int) -> None:
        super().__init__(num_users, num_items, embedding_dim)
        self.A_hat = A_hat
        self.weights = nn.ParameterList(
            nn.init.xavier_uniform_(torch.empty(embedding_dim, embedding_dim)) for _ in range(num_layers)
        )

    def forward(self) -> tuple[Tensor, Tensor]:
        """Output of the last layer, as `(H_u, H_i)`."""
        H = torch.cat([self.user, self.item])
        for layer, W in enumerate(self.weights):
            H = propagate(self.A_hat, H @ W)
            if layer < len(self.weights) - 1:
                H = torch.relu(H)
        return H[: len(self.user)], H[len(self.user) :]


@dataclass(kw_only=True)
class EmbeddingRecommender(Recommender):
    """Vectors trained by `training.fit_encoder`; the fields are those of `training.Settings` and the size.

    Attributes
    ----------
    embedding_dim : int
        Length of the vectors.
    device : str
        `"auto"`, `"cpu"`, `"cuda"`.
    user_vectors, item_vectors : ndarray of float32, [num_users or num_items, embedding_dim]
        Learned; of unit length where `cosine`.
    fold_in_vectors : ndarray of float32, [num_items, embedding_dim]
        A new user's vector is the sum of these over the history.
    history : list of dict
        Loss and validation score as training went on.
    """

    learned: ClassVar[tuple[str, ...]] = ("train", "user_vectors", "item_vectors", "fold_in_vectors")
    embedding_dim: int = 64
    loss: str = "softmax"
    cosine: bool = True
    temperature: float = 0.2
    learning_rate: float = 0.02
    num_epochs: int = 400
    batch_size: int = 2048
    weight_decay: float = 1e-4
    validate_every: int = 20
    patience: int = 3
    cold_items_compete: bool = True
    seed: int = 0
    device: str = "auto"
    history: list[dict[str, float]] = field(init=False, default_factory=list, repr=False)

    @abstractmethod
    def build_encoder(self) -> Tables:
        """The module to train; `self.train` is there."""

    @abstractmethod
    def fold_in(self, encoder: Tables) -> Tensor:
        """What each item adds to the vector of a new user, [num_items, embedding_dim]."""

    def training_settings(self) -> Settings:
        """The training fields of this model."""
        return Settings(**{one.name: getattr(self, one.name) for one in fields(Settings)})

    def fit(self, split: Split) -> Self:
        """Train on `split.train`, stop by NDCG@10 on `split.valid`."""
        self.train = split.train.matrix()
        torch.manual_seed(self.seed)
        encoder = self.build_encoder().to(pick_device(self.device))

        def validate() -> float:
            self._store(encoder)
            return evaluate(self, split, k=(10,), part="valid").mean("ndcg@10")

        self.history = fit_encoder(
            encoder, self.train, self.training_settings(), validate if len(split.valid) else None
        )
        self._store(encoder)
        return self

    @torch.no_grad()
    def _store(self, encoder: Tables) -> None:
        H_u, H_i = encoder()
        if self.cosine:
            H_u, H_i = nn.functional.normalize(H_u, dim=1), nn.functional.normalize(H_i, dim=1)
        self.user_vectors, self.item_vectors = H_u.cpu().numpy(), H_i.cpu().numpy()
        self.fold_in_vectors = self.fold_in(encoder).cpu().numpy()

    def score(self, users: np.ndarray) -> np.ndarray:
        """$h_u^\\top h_i$ for all items, [len(users), num_items]."""
        self.check_fitted()
        return self.user_vectors[users] @ self.item_vectors.T

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """The same with vectors folded in from the histories, [num_rows, num_items]."""
        self.check_fitted()
        return (histories @ self.fold_in_vectors) @ self.item_vectors.T


@dataclass(kw_only=True)
class MatrixFactorization(EmbeddingRecommender):
    """Free vectors for users and items, no graph (Koren et al. 2009; Rendle et al. 2009 for the BPR loss)."""

    def build_encoder(self) -> Tables:
        """Two tables."""
        return Tables(self.train.shape[0], self.train.shape[1], self.embedding_dim)

    def fold_in(self, encoder: Tables) -> Tensor:
        """A new user is the sum of their items."""
        H_i = encoder.item
        return nn.functional.normalize(H_i, dim=1) if self.cosine else H_i


@dataclass(kw_only=True)
class LightGCN(EmbeddingRecommender):
    """Graph convolution without weights and non-linearity (He et al. 2020).

    Attributes
    ----------
    num_layers : int
        Steps of propagation. With 0 this is matrix factorisation.
    """

    num_layers: int = 2

    def build_encoder(self) -> Tables:
        """Two tables, propagated over the user-item graph."""
        A_hat = to_torch(symmetric_normalize(bipartite_adjacency(self.train)), pick_device(self.device))
        num_users, num_items = self.train.shape
        return LightGCNEncoder(num_users, num_items, self.embedding_dim, A_hat, self.num_layers)

    def fold_in(self, encoder: Tables) -> Tensor:
        r"""One propagation step: a new user receives $\sum_i d_i^{-1/2} h_i$, up to a factor that ranks nothing.

        A user without vector of their own has $h_u^{(0)} = 0$, and $h_u^{(l+1)} \propto \sum_i d_i^{-1/2} h_i^{(l)}$:
        the items' layers 0 to L-1 are what arrives.
        """
        assert isinstance(encoder, LightGCNEncoder)
        layers = encoder.layers()[: max(self.num_layers, 1)]
        H_i = torch.stack(layers).mean(dim=0)[len(encoder.user) :]
        degree = np.maximum(np.asarray(self.train.sum(axis=0)).ravel(), 1)
        return H_i / torch.from_numpy(np.sqrt(degree)).to(H_i)[:, None]


@dataclass(kw_only=True)
class GCN(EmbeddingRecommender):
    """Graph convolution with weights and non-linearity on free vectors (Kipf & Welling 2017).

    Attributes
    ----------
    num_layers : int
        Graph convolutions, at least 1.
    """

    num_layers: int = 2

    def build_encoder(self) -> Tables:
        """Two tables, convolved over the user-item graph with self-loops."""
        A = bipartite_adjacency(self.train)
        A_hat = symmetric_normalize(sparse.csr_matrix(A + sparse.eye_array(A.shape[0], dtype=np.float32)))
        A_hat_torch = to_torch(A_hat, pick_device(self.device))
        num_users, num_items = self.train.shape
        return GCNEncoder(num_users, num_items, self.embedding_dim, A_hat_torch, self.num_layers)

    def fold_in(self, encoder: Tables) -> Tensor:
        """A new user is the sum of their items' final vectors; no weight was trained for a user without a vector."""
        H_i = encoder()[1]
        return nn.functional.normalize(H_i, dim=1) if self.cosine else H_i
