"""Every model keeps the protocol; each is held against its definition or against the ecosystem's version."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from course_lib import models, splits
from course_lib.data import Interactions
from course_lib.evaluation import evaluate
from course_lib.graph import bipartite_adjacency
from course_lib.models import (
    EASE,
    GCN,
    GraphFilter,
    ItemKNN,
    LightGCN,
    MatrixFactorization,
    NotFittedError,
    Popularity,
    Random,
)
from course_lib.models.embedding import GCNEncoder
from course_lib.training import bpr_loss, sample_negatives, softmax_loss

SHORT = {"num_epochs": 4, "validate_every": 2, "embedding_dim": 8, "device": "cpu"}
ALL = [
    Random(),
    Popularity(),
    ItemKNN(num_neighbours=10, shrinkage=1.0),
    EASE(regularization=5.0),
    GraphFilter(num_factors=5),
    MatrixFactorization(**SHORT),
    MatrixFactorization(loss="bpr", cosine=False, **SHORT),
    LightGCN(num_layers=2, **SHORT),
    GCN(num_layers=2, **SHORT),
]
LABELS = [f"{model.name}-{getattr(model, 'loss', '')}" for model in ALL]


@pytest.fixture(scope="module")
def small() -> splits.Split:
    """Forty users in two camps who take items of their own camp: structure that a model can find."""
    rng = np.random.default_rng(3)
    camp_user, camp_item = np.arange(40) % 2, np.arange(30) % 2
    taken = rng.random((40, 30)) < np.where(camp_user[:, None] == camp_item[None, :], 0.6, 0.05)
    user, item = np.nonzero(taken)
    return splits.benchmark(Interactions.from_frame(pd.DataFrame({"user_id": user, "item_id": item})))


@pytest.mark.parametrize("model", ALL, ids=LABELS)
def test_the_protocol(model, small, tmp_path):
    assert model.fit(small) is model
    users = np.array([3, 0, 17])
    scores = model.score(users)
    assert scores.shape == (3, small.num_items) and np.isfinite(scores).all()
    assert model.score_histories(small.train.matrix()[users]).shape == scores.shape
    history = small.train.item[small.train.user == 0]
    items, best = model.recommend(history, k=5)
    assert len(set(items)) == 5 and not set(items) & set(history)
    assert (np.diff(best) <= 0).all()
    loaded = models.load(model.save(tmp_path / "saved"))
    assert type(loaded) is type(model) and loaded.name == model.name
    np.testing.assert_array_equal(loaded.score(users), scores)
    np.testing.assert_array_equal(loaded.recommend(history, k=5)[0], items)
    assert model.num_parameters >= 0


@pytest.mark.parametrize("model", ALL[2:], ids=LABELS[2:])
def test_each_model_beats_popularity_where_there_is_structure(model, small):
    if hasattr(model, "num_epochs"):
        model = type(model)(**{**model.hyperparameters(), "num_epochs": 60})
    assert evaluate(model.fit(small), small, k=(3,)).mean("ndcg@3") > evaluate(
        Popularity().fit(small), small, k=(3,)
    ).mean("ndcg@3")


@pytest.mark.parametrize("model", ALL, ids=LABELS)
def test_bad_requests(model, small, tmp_path):
    with pytest.raises(NotFittedError, match=r"call fit\(split\) first"):
        type(model)(**model.hyperparameters()).recommend(np.array([1]))
    with pytest.raises(NotFittedError):
        type(model)(**model.hyperparameters()).save(tmp_path)
    model.fit(small)
    with pytest.raises(ValueError, match="numbered 0 to 29"):
        model.recommend(np.array([30]))
    with pytest.raises(ValueError, match="numbered 0 to 29"):
        model.recommend(np.array([-1]))
    assert len(model.recommend(np.array([], dtype=int), k=4)[0]) == 4, "an empty history still gets a list"
    assert len(model.recommend(np.arange(28), k=10)[0]) == 2, "no more than there are new items"


def test_loading_says_what_is_wrong(tmp_path, small):
    with pytest.raises(ValueError, match=r"no saved model: model.json is missing"):
        models.load(tmp_path)
    folder = Popularity().fit(small).save(tmp_path / "one")
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"format": 1', '"format": 99'))
    with pytest.raises(ValueError, match="format 99; this library reads format 1"):
        models.load(folder)
    (folder / "model.json").write_text(text.replace("Popularity", "Oracle"))
    with pytest.raises(ValueError, match="Oracle"):
        models.load(folder)


def test_item_knn_is_the_shrunk_cosine(small):
    model = ItemKNN(num_neighbours=30, shrinkage=2.0).fit(small)
    R = small.train.matrix().toarray()
    common = R.T @ R
    expected = common / (np.sqrt(np.outer(R.sum(axis=0), R.sum(axis=0))) + 2.0)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.similarity.toarray(), expected, rtol=1e-5)
    few = ItemKNN(num_neighbours=3, shrinkage=2.0).fit(small)
    assert np.diff(few.similarity.tocsc().indptr).max() <= 3, "each item j listens to its three nearest"


def test_ease_solves_its_problem(small):
    """At the minimum no column can be improved: the gradient vanishes off the diagonal, where B is free."""
    model = EASE(regularization=5.0).fit(small)
    R, B = small.train.matrix().toarray().astype(np.float64), model.weights.astype(np.float64)
    gradient = -R.T @ (R - R @ B) + 5.0 * B
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-3
    assert (np.diag(B) == 0).all()


def test_graph_filter_equals_the_dense_formula(small):
    model = GraphFilter(num_factors=25, alpha=0.3).fit(small)
    R = small.train.matrix().toarray().astype(np.float64)
    of_users, of_items = R.sum(axis=1), R.sum(axis=0)
    R_tilde = R / np.sqrt(np.outer(of_users, of_items))
    V = np.linalg.svd(R_tilde)[2][:25].T
    D = np.diag(np.sqrt(of_items))
    expected = R @ (R_tilde.T @ R_tilde + 0.3 * np.linalg.inv(D) @ V @ V.T @ D)
    np.testing.assert_allclose(model.score(np.arange(40)), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("num_layers", [0, 1, 2, 3])
def test_lightgcn_equals_pytorch_geometric_on_shared_weights(num_layers, small):
    from torch_geometric.nn.models import LightGCN as TheirLightGCN

    model = LightGCN(num_layers=num_layers, **SHORT)
    model.train = small.train.matrix()
    ours = model.build_encoder()
    theirs = TheirLightGCN(70, 8, num_layers)
    theirs.embedding.weight.data = torch.cat([ours.user, ours.item]).detach().clone()
    edges = torch.from_numpy(np.stack(bipartite_adjacency(model.train).nonzero()).astype(np.int64))
    torch.testing.assert_close(torch.cat(ours()), theirs.get_embedding(edges), rtol=1e-5, atol=1e-6)


def test_gcn_equals_pytorch_geometric_on_shared_weights(small):
    from torch_geometric.nn import GCNConv

    model = GCN(num_layers=2, **SHORT)
    model.train = small.train.matrix()
    ours = model.build_encoder()
    assert isinstance(ours, GCNEncoder)
    edges = torch.from_numpy(np.stack(bipartite_adjacency(model.train).nonzero()).astype(np.int64))
    convolutions = [GCNConv(8, 8, bias=False) for _ in range(2)]
    for convolution, W in zip(convolutions, ours.weights, strict=True):
        convolution.lin.weight.data = W.detach().T.clone()
    H = torch.cat([ours.user, ours.item])
    H = convolutions[1](torch.relu(convolutions[0](H, edges)), edges)
    torch.testing.assert_close(torch.cat(ours()), H, rtol=1e-5, atol=1e-6)


def test_folding_in_a_known_user_is_one_propagation_step(small):
    """With a user's own vector taken out, LightGCN's user vector and the folded-in one point the same way."""
    model = LightGCN(num_layers=2, **SHORT)
    model.train = small.train.matrix()
    encoder = model.build_encoder()
    layers = encoder.layers()
    H_u = torch.stack(layers[1:]).mean(dim=0)[:40]  # without h_u^(0)
    folded = torch.from_numpy(model.train @ model.fold_in(encoder).detach().numpy())
    cosine = torch.nn.functional.cosine_similarity(H_u, folded)
    torch.testing.assert_close(cosine, torch.ones(40))


def test_losses_equal_their_formulas():
    h_u, h_i = torch.randn(3, 4), torch.randn(5, 4)
    row, item = torch.tensor([0, 0, 2]), torch.tensor([1, 4, 0])
    logits = h_u @ h_i.T / 0.5
    expected = -torch.stack(
        [logits[r, i] - torch.logsumexp(logits[r], 0) for r, i in zip(row, item, strict=True)]
    ).mean()
    torch.testing.assert_close(softmax_loss(h_u, h_i, row, item, 0.5), expected)
    positive, negative = torch.tensor([2.0, -1.0]), torch.tensor([1.0, 1.0])
    torch.testing.assert_close(bpr_loss(positive, negative), -torch.log(torch.sigmoid(positive - negative)).mean())


def test_negatives_are_never_positives_and_cover_the_rest(small):
    train = small.train.matrix()
    users = np.repeat(np.arange(40), 200)
    negative = sample_negatives(train, users, np.random.default_rng(0))
    assert not np.asarray(train[users, negative]).any()
    assert set(negative[users == 0]) == set(range(30)) - set(train[0].indices)
    full = sparse.csr_matrix(np.ones((2, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="took every item"):
        sample_negatives(full, np.array([0]), np.random.default_rng(0))


def test_training_is_seeded_and_keeps_the_best_weights(movielens):
    split = splits.make("benchmark", movielens)
    settings = {"num_epochs": 60, "validate_every": 20, "device": "cpu"}
    first, second = (MatrixFactorization(seed=1, **settings).fit(split) for _ in range(2))
    np.testing.assert_allclose(first.item_vectors, second.item_vectors, atol=1e-4)
    assert not np.allclose(
        first.item_vectors, MatrixFactorization(seed=2, **settings).fit(split).item_vectors, atol=1e-2
    )
    best = max(row["valid"] for row in first.history)
    assert evaluate(first, split, part="valid").mean() == pytest.approx(best, abs=1e-6)


def test_the_loss_must_exist(small):
    with pytest.raises(ValueError, match="'hinge'; choose one of softmax, bpr"):
        MatrixFactorization(loss="hinge").fit(small)


def test_a_softmax_model_beats_a_bpr_one_and_both_beat_popularity(movielens):
    split = splits.make("benchmark", movielens)
    softmax = evaluate(MatrixFactorization(num_epochs=100).fit(split), split).mean()
    popularity = evaluate(Popularity().fit(split), split).mean()
    assert 0.31 < softmax < 0.35
    assert 0.13 < popularity < 0.15
