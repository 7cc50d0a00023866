"""Graph and words in one model: four ways to join them, all trained by the loop of the graph models.

Taught in 05_fusion.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from course_lib.graph import bipartite_adjacency, symmetric_normalize, to_torch
from course_lib.models.embedding import LightGCN, LightGCNEncoder, Tables
from course_lib.models.words import TextRecommender
from course_lib.splits import Split
from course_lib.training import pick_device


class FusionEncoder(LightGCNEncoder):
    r"""Early fusion: an item enters the graph as its own free vector plus its projected words.

    $$ h_i^{(0)} = \mathrm{id}_i + W^\top e_i $$

    The free vectors start at zero, so that an item nobody took is its words and nothing else.
    """

    def __init__(self, R: sparse.csr_matrix, E: Tensor, embedding_dim: int, num_layers: int) -> None:
        A_hat = to_torch(symmetric_normalize(bipartite_adjacency(R)), E.device)
        super().__init__(R.shape[0], R.shape[1], embedding_dim, A_hat, num_layers)
        nn.init.zeros_(self.item)
        self.E = E  # [num_items, text_dim]
        self.W = nn.Parameter(torch.randn(E.shape[1], embedding_dim) * 0.1)

    def layer_0(self) -> Tensor:
        """Users' free vectors, then items' free vectors plus words."""
        return torch.cat([self.user, self.item + self.E @ self.W])

    def text_map(self) -> Tensor:
        """What turns the words of a new item into its vector, up to length, [text_dim, embedding_dim]."""
        return self.W


class GatedEncoder(FusionEncoder):
    r"""A gate decides, dimension by dimension, how far to trust the clicks and how far the words.

    $$ h_i^{(0)} = g_i \odot \mathrm{id}_i + (1 - g_i) \odot W^\top e_i, \qquad g_i = \sigma(a + b \log(1 + d_i)) $$

    The gate sees how many users took the item, $d_i$, because that is what decides whom to believe.
    """

    def __init__(self, R: sparse.csr_matrix, E: Tensor, embedding_dim: int, num_layers: int) -> None:
        super().__init__(R, E, embedding_dim, num_layers)
        degree = torch.from_numpy(np.asarray(R.sum(axis=0)).ravel().astype(np.float32))
        self.log_degree = torch.log1p(degree).to(E.device)[:, None]
        self.a = nn.Parameter(torch.zeros(embedding_dim))
        self.b = nn.Parameter(torch.zeros(embedding_dim))

    def gate(self) -> Tensor:
        """Trust in the clicks, between 0 and 1, [num_items, embedding_dim]."""
        return torch.sigmoid(self.a + self.b * self.log_degree)

    def layer_0(self) -> Tensor:
        """Users' free vectors, then the gated mixture."""
        gate = self.gate()
        return torch.cat([self.user, gate * self.item + (1 - gate) * (self.E @ self.W)])

    def text_map(self) -> Tensor:
        """For an item that nobody took: log(1 + 0) = 0 leaves the gate at sigma(a)."""
        return self.W * (1 - torch.sigmoid(self.a))


class AdditiveEncoder(FusionEncoder):
    r"""The two scores side by side, trained together: $s_{ui} = \cos(h_u, h_i) + w \cos(W^\top e_u, W^\top e_i)$.

    $e_u$ is the mean of the words of what the user took. Both halves have one length, and $w$ is learned.
    """

    def __init__(self, R: sparse.csr_matrix, E: Tensor, embedding_dim: int, num_layers: int) -> None:
        super().__init__(R, E, embedding_dim, num_layers)
        self.E_u = mean_of_history(R, E)
        self.log_weight = nn.Parameter(torch.zeros(()))

    def layer_0(self) -> Tensor:
        """Free vectors alone: the words do not enter the graph."""
        return torch.cat([self.user, self.item])

    def forward(self) -> tuple[Tensor, Tensor]:
        """Both halves of users and of items, each [num, 2 * embedding_dim]."""
        h_u, h_i = super().forward()
        root = torch.exp(self.log_weight / 2)
        H_u = torch.cat([normalize(h_u, dim=1), root * normalize(self.E_u @ self.W, dim=1)], dim=1)
        H_i = torch.cat([normalize(h_i, dim=1), root * normalize(self.E @ self.W, dim=1)], dim=1)
        return H_u, H_i

    def text_map(self) -> Tensor:
        """The words' half; the graph's half of a new item is zero."""
        return torch.cat([torch.zeros_like(self.W), self.W], dim=1)


class AlignedEncoder(FusionEncoder):
    r"""Graph vectors that are pulled towards the words while they learn from clicks (after RLMRec, Ren et al. 2024).

    A contrastive loss is added: of all items of a sample, an item's graph vector should be nearest its own words, and
    a user's nearest the words of what that user took,

    $$ L = L_{\text{clicks}} + \beta \sum_{v} -\log \frac{\exp(\cos(h_v, W^\top e_v) / \tau)}
       {\sum_{v'} \exp(\cos(h_v, W^\top e_{v'}) / \tau)} $$

    The map is linear here, RLMRec's is a small network. The words themselves do not enter the graph; an item that
    nobody took is placed at $W^\top e_i$.
    """

    SAMPLE, TEMPERATURE = 512, 0.2

    def __init__(self, R: sparse.csr_matrix, E: Tensor, embedding_dim: int, num_layers: int, strength: float) -> None:
        super().__init__(R, E, embedding_dim, num_layers)
        nn.init.normal_(self.item, std=0.1)
        self.E_u, self.strength = mean_of_history(R, E), strength
        degree = torch.from_numpy(np.asarray(R.sum(axis=0)).ravel())
        self.is_new = (degree == 0).to(E.device)[:, None]

    def layer_0(self) -> Tensor:
        """Free vectors alone."""
        return torch.cat([self.user, self.item])

    def forward(self) -> tuple[Tensor, Tensor]:
        """Graph vectors; words where there is no graph."""
        H_u, H_i = super().forward()
        return H_u, torch.where(self.is_new, self.E @ self.W, H_i)

    def side_loss(self, H_u: Tensor, H_i: Tensor, catalogue: Tensor) -> Tensor:
        """The contrastive term over a sample of users and of items that somebody took."""
        users = torch.randperm(len(H_u))[: self.SAMPLE].to(H_u.device)
        items = catalogue[torch.randperm(len(catalogue))[: self.SAMPLE].to(catalogue.device)]
        pairs = ((H_u[users], self.E_u[users]), (H_i[items], self.E[items]))
        total = torch.zeros((), device=H_u.device)
        for H, E in pairs:
            cosine = normalize(H, dim=1) @ normalize(E @ self.W, dim=1).T
            total = total + cross_entropy(cosine / self.TEMPERATURE, torch.arange(len(H), device=H.device))
        return self.strength * total


def mean_of_history(R: sparse.csr_matrix, E: Tensor) -> Tensor:
    """$e_u$: mean of the text vectors of what each user took, [num_users, text_dim]; zero without a history."""
    count = np.maximum(np.asarray(R.sum(axis=1)), 1)
    return to_torch(sparse.csr_matrix(R.multiply(1 / count)), E.device) @ E


@dataclass(kw_only=True)
class EarlyFusion(TextRecommender, LightGCN):
    """Words added to an item's vector before propagation (see `FusionEncoder`); the fields are those of `LightGCN`."""

    learned: ClassVar[tuple[str, ...]] = (*LightGCN.learned, "text_map")
    encoder_class: ClassVar[type[FusionEncoder]] = FusionEncoder
    learning_rate: float = 0.01
    validate_every: int = 10
    cold_items_compete: bool = False

    def fit(self, split: Split) -> "EarlyFusion":
        """Train on `split.train`, stop by NDCG@10 on `split.valid`."""
        self._E = torch.from_numpy(self.text_vectors(split)).float().to(pick_device(self.device))
        return LightGCN.fit(self, split)

    def build_encoder(self) -> Tables:
        """Tables, graph and words."""
        return self.encoder_class(self.train, self._E, self.embedding_dim, self.num_layers, **self.encoder_settings())

    def encoder_settings(self) -> dict[str, Any]:
        """What this way of joining needs besides."""
        return {}

    @torch.no_grad()
    def _store(self, encoder: Tables) -> None:
        super()._store(encoder)
        assert isinstance(encoder, FusionEncoder)
        self.text_map = encoder.text_map().cpu().numpy()

    def new_item_vectors(self, text_vectors: np.ndarray) -> np.ndarray:
        """Projected words, of unit length where `cosine`, [num_new, embedding_dim]."""
        vectors = torch.from_numpy(text_vectors @ self.text_map)
        return (normalize(vectors, dim=1) if self.cosine else vectors / (self.num_layers + 1)).numpy()


@dataclass(kw_only=True)
class GatedFusion(EarlyFusion):
    """A gate between clicks and words (see `GatedEncoder`).

    Attributes
    ----------
    gate_terms : ndarray of float32, [2, embedding_dim]
        Learned $a$ and $b$.
    """

    encoder_class: ClassVar[type[FusionEncoder]] = GatedEncoder
    learned: ClassVar[tuple[str, ...]] = (*EarlyFusion.learned, "gate_terms")

    def _store(self, encoder: Tables) -> None:
        super()._store(encoder)
        assert isinstance(encoder, GatedEncoder)
        self.gate_terms = torch.stack([encoder.a, encoder.b]).detach().cpu().numpy()

    def gate(self, num_clicks: np.ndarray) -> np.ndarray:
        """Trust in the clicks of items with so many of them, [len(num_clicks), embedding_dim]."""
        a, b = self.gate_terms
        return 1 / (1 + np.exp(-(a + b * np.log1p(num_clicks)[:, None])))


@dataclass(kw_only=True)
class AdditiveFusion(EarlyFusion):
    """Two scores, one sum (see `AdditiveEncoder`)."""

    encoder_class: ClassVar[type[FusionEncoder]] = AdditiveEncoder
    learned: ClassVar[tuple[str, ...]] = (*EarlyFusion.learned, "text_weight")

    def _store(self, encoder: Tables) -> None:
        super()._store(encoder)
        assert isinstance(encoder, AdditiveEncoder)
        self.text_weight = np.exp(encoder.log_weight.detach().cpu().numpy())[None]

    def fold_in(self, encoder: Tables) -> Tensor:
        """Both halves of what an item adds to a new user."""
        assert isinstance(encoder, AdditiveEncoder)
        return torch.cat([super().fold_in(encoder), encoder.E @ encoder.W], dim=1)

    def score_histories(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Sum over the history, each half brought to the length it was trained at."""
        self.check_fitted()
        folded = torch.from_numpy(histories @ self.fold_in_vectors)
        h_u, e_u = (normalize(half, dim=1).numpy() for half in folded.chunk(2, dim=1))
        return np.hstack([h_u, np.sqrt(self.text_weight) * e_u]) @ self.item_vectors.T


@dataclass(kw_only=True)
class AlignedFusion(EarlyFusion):
    r"""Graph vectors pulled towards the words (see `AlignedEncoder`).

    Attributes
    ----------
    alignment : float
        $\beta$, the weight of the contrastive loss.
    """

    encoder_class: ClassVar[type[FusionEncoder]] = AlignedEncoder
    learning_rate: float = 0.02
    alignment: float = 0.03

    def encoder_settings(self) -> dict[str, Any]:
        """The weight of the contrastive loss."""
        return {"strength": self.alignment}
