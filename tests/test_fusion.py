"""Graph and words: each way of joining them against its definition, and what it does with new users and new items."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from course_lib import models, splits
from course_lib.data import Interactions
from course_lib.evaluation import evaluate
from course_lib.models import (
    EASE,
    AdditiveFusion,
    AlignedFusion,
    EarlyFusion,
    GatedFusion,
    LateFusion,
    Popularity,
    TextProfile,
    TextToFactors,
)
from course_lib.models.fusion import AdditiveEncoder, AlignedEncoder, FusionEncoder, GatedEncoder
from course_lib.models.late_fusion import WEIGHTS, rescale
from course_lib.text.features import FixedVectors, Shuffled

NUM_USERS, NUM_ITEMS = 60, 120
SHORT = {"num_epochs": 40, "validate_every": 10, "embedding_dim": 8, "device": "cpu"}


def camps() -> tuple[Interactions, FixedVectors]:
    """Users of two camps who take items of their own camp, and words that tell the camp of an item, with noise."""
    rng = np.random.default_rng(7)
    camp_user, camp_item = np.arange(NUM_USERS) % 2, np.arange(NUM_ITEMS) % 2
    taken = rng.random((NUM_USERS, NUM_ITEMS)) < np.where(camp_user[:, None] == camp_item[None, :], 0.25, 0.02)
    user, item = np.nonzero(taken)
    words = np.eye(6, dtype=np.float32)[camp_item] + 0.1 * rng.standard_normal((NUM_ITEMS, 6), dtype=np.float32)
    return Interactions.from_frame(pd.DataFrame({"user_id": user, "item_id": item})), FixedVectors(words, "camp")


DATA, WORDS = camps()
WARM = splits.benchmark(DATA)
COLD = splits.cold_item(DATA, np.arange(NUM_ITEMS))
TRAINED = [(EarlyFusion, {}), (GatedFusion, {}), (AdditiveFusion, {}), (AlignedFusion, {"alignment": 0.3})]


def make_all() -> list[models.Recommender]:
    trained = [kind(text=WORDS, **SHORT, **more) for kind, more in TRAINED]
    closed = [TextProfile(text=WORDS), TextToFactors(text=WORDS, num_factors=3, regularization=0.1)]
    return [*trained, *closed, LateFusion(graph=EASE(regularization=5.0), words=TextProfile(text=WORDS))]


NAMES = [model.name for model in make_all()]
cases = pytest.mark.parametrize("position", range(len(NAMES)), ids=NAMES)


@cases
def test_the_protocol_and_a_saved_copy(position, tmp_path):
    model = make_all()[position].fit(WARM)
    users = np.array([5, 0])
    history = WARM.train.item[WARM.train.user == 0]
    items, _ = model.recommend(history, k=5)
    assert len(set(items)) == 5 and not set(items) & set(history)
    loaded = models.load(model.save(tmp_path))
    np.testing.assert_allclose(loaded.score(users), model.score(users), rtol=1e-6)
    np.testing.assert_array_equal(loaded.recommend(history, k=5)[0], items)


@cases
def test_words_place_items_that_nobody_took(position):
    """Against chance and against the same model with each item's words at another item."""
    model = make_all()[position].fit(COLD)
    good = evaluate(model, COLD, k=(3,)).mean("ndcg@3")
    blind = make_all()[position]
    (blind if hasattr(blind, "text") else blind.words).text = Shuffled(WORDS, seed=1)
    assert good > 1.4 * evaluate(Popularity().fit(COLD), COLD, k=(3,)).mean("ndcg@3")
    assert good > 1.2 * evaluate(blind.fit(COLD), COLD, k=(3,)).mean("ndcg@3")


@pytest.mark.parametrize("position", range(len(NAMES) - 1), ids=NAMES[:-1])
def test_new_items_are_recommended_at_once_and_count_in_a_history(position):
    model = make_all()[position].fit(WARM)
    new = np.eye(6, dtype=np.float32)[[0, 1]]  # one for each camp
    grown = model.with_new_items(new)
    assert (grown.num_items, model.num_items) == (NUM_ITEMS + 2, NUM_ITEMS)
    users = np.arange(NUM_USERS)
    np.testing.assert_allclose(grown.score(users)[:, :NUM_ITEMS], model.score(users), rtol=1e-5, atol=1e-5)
    own, other = NUM_ITEMS + users % 2, NUM_ITEMS + 1 - users % 2
    scores = grown.score(users)
    assert (scores[users, own] > scores[users, other]).mean() > 0.9
    items, _ = grown.recommend(np.array([NUM_ITEMS]), k=8)  # took the new item of camp 0 and nothing else
    assert (items % 2 == 0).mean() > 0.7


@cases
def test_a_new_user_is_served_from_history(position):
    model = make_all()[position].fit(WARM)
    for camp in (0, 1):
        items, _ = model.recommend(np.array([camp, camp + 2, camp + 4]), k=6)
        assert (items % 2 == camp).mean() > 0.8


def encoder_parts(kind, **more):
    torch.manual_seed(0)
    R, E = WARM.train.matrix(), torch.from_numpy(WORDS.vectors)
    return kind(R, E, 4, 2, **more), R, E


def test_early_fusion_is_lightgcn_on_words_plus_ids():
    encoder, R, E = encoder_parts(FusionEncoder)
    assert not encoder.item.any(), "before training an item is its words"
    nn_item = torch.randn_like(encoder.item)
    encoder.item.data.copy_(nn_item)
    degree_u, degree_i = (np.asarray(R.sum(axis=axis)).ravel() for axis in (1, 0))
    A = R.toarray() / np.sqrt(np.maximum(degree_u[:, None] * degree_i[None, :], 1e-9))
    U, V = encoder.user.detach().numpy(), (nn_item + E @ encoder.W).detach().numpy()
    U1, V1 = A @ V, A.T @ U
    H_u, H_i = encoder()
    np.testing.assert_allclose(H_u.detach(), (U + U1 + A @ V1) / 3, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(H_i.detach(), (V + V1 + A.T @ U1) / 3, rtol=1e-4, atol=1e-5)


def test_the_gate_mixes_clicks_and_words():
    encoder, R, E = encoder_parts(GatedEncoder)
    encoder.item.data.normal_()
    encoder.a.data.fill_(-1.0)
    encoder.b.data.fill_(2.0)
    degree = torch.from_numpy(np.asarray(R.sum(axis=0)).ravel())
    gate = 1 / (1 + torch.exp(1.0 - 2.0 * torch.log1p(degree)))
    expected = gate[:, None] * encoder.item + (1 - gate[:, None]) * (E @ encoder.W)
    torch.testing.assert_close(encoder.layer_0()[NUM_USERS:], expected)
    torch.testing.assert_close(encoder.text_map(), encoder.W * (1 - 1 / (1 + np.exp(1.0))))


def test_the_additive_score_is_a_sum_of_two_cosines():
    encoder, R, E = encoder_parts(AdditiveEncoder)
    encoder.log_weight.data.fill_(np.log(0.5))
    H_u, H_i = (H.detach() for H in encoder())
    h_u, h_i = (H.detach() for H in super(AdditiveEncoder, encoder).forward())
    e_u = torch.from_numpy(R.toarray() / np.maximum(R.toarray().sum(axis=1), 1)[:, None]) @ E @ encoder.W.detach()
    e_i = E @ encoder.W.detach()
    cosine = torch.nn.functional.cosine_similarity
    user, item = 3, 8
    expected = cosine(h_u[user], h_i[item], dim=0) + 0.5 * cosine(e_u[user], e_i[item], dim=0)
    torch.testing.assert_close(H_u[user] @ H_i[item], expected, rtol=1e-4, atol=1e-5)


def test_the_alignment_loss_is_smallest_where_graph_and_words_agree():
    encoder, _, E = encoder_parts(AlignedEncoder, strength=1.0)
    H_u, H_i = encoder()
    everything = torch.arange(NUM_ITEMS)
    with torch.no_grad():
        aligned = encoder.side_loss(encoder.E_u @ encoder.W, E @ encoder.W, everything)
        random = encoder.side_loss(torch.randn_like(H_u), torch.randn_like(H_i), everything)
    assert aligned < random
    cold = AlignedEncoder(COLD.train.matrix(), E, 4, 2, strength=1.0)
    new = np.flatnonzero(np.asarray(COLD.train.matrix().sum(axis=0)).ravel() == 0)
    torch.testing.assert_close(cold()[1][new], (E @ cold.W)[new])


def test_cold_items_get_no_gradient_when_they_do_not_compete():
    """Otherwise training would teach the words that what is new is bad."""
    model = EarlyFusion(text=WORDS, **SHORT)
    model.fit(COLD)
    new = np.flatnonzero(np.asarray(COLD.train.matrix().sum(axis=0)).ravel() == 0)
    expected = torch.nn.functional.normalize(torch.from_numpy(WORDS.vectors[new] @ model.text_map), dim=1)
    np.testing.assert_allclose(model.item_vectors[new], expected, rtol=1e-4, atol=1e-5)
    for loss, cosine in (("bpr", False), ("softmax", True)):
        competes = EarlyFusion(text=WORDS, loss=loss, cosine=cosine, num_layers=0, cold_items_compete=False, **SHORT)
        competes.fit(COLD)
        assert np.isfinite(competes.item_vectors).all()


def test_text_to_factors_is_ridge_regression():
    from sklearn.linear_model import Ridge

    model = TextToFactors(text=WORDS, num_factors=2, regularization=0.7).fit(COLD)
    R = COLD.train.matrix()
    taken = np.unique(R.indices)
    U, S, Vt = np.linalg.svd(R[:, taken].toarray(), full_matrices=False)
    reference = Ridge(alpha=0.7).fit(WORDS.vectors[taken], Vt[:2].T * S[:2])
    new = np.setdiff1d(np.arange(NUM_ITEMS), taken)
    signs = np.sign((U[:, :2] * model.user_vectors).sum(axis=0))  # a singular vector is known up to its sign
    np.testing.assert_allclose(model.item_vectors[new], reference.predict(WORDS.vectors[new]) * signs, atol=2e-3)
    users = np.array([0, 4])
    np.testing.assert_allclose(model.score_histories(R[users]), model.score(users), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("scale", ["raw", "max-norm", "softmax", "z-score"])
def test_scales_are_what_they_say_and_keep_each_users_order(scale):
    scores = np.array([[3.0, 1.0, -5.0], [0.1, 0.2, 0.3]])
    found = rescale(scores, scale)
    np.testing.assert_array_equal(np.argsort(found), np.argsort(scores))
    by_hand = {
        "raw": 3.0,
        "max-norm": 3 / 5,
        "softmax": np.exp(3) / (np.exp(3) + np.exp(1) + np.exp(-5)),
        "z-score": (3 + 1 / 3) / np.std([3, 1, -5]),
    }
    assert found[0, 0] == pytest.approx(by_hand[scale])
    assert np.isfinite(rescale(np.zeros((2, 3)), scale)).all(), "a user whom a model cannot tell items apart for"


def test_late_fusion_at_its_ends_is_one_of_the_two_and_never_validates_worse():
    graph, words = EASE(regularization=5.0).fit(WARM), TextProfile(text=WORDS).fit(WARM)
    ends = [evaluate(part, WARM, k=(10,), part="valid").mean() for part in (graph, words)]
    fused = LateFusion(graph=graph, words=words)
    weight, found = fused.choose_weight(WARM)
    assert found[0.0] == pytest.approx(ends[0]) and found[1.0] == pytest.approx(ends[1])
    assert list(found) == WEIGHTS.tolist() and found[weight] >= max(ends)
    assert fused.fit(WARM).chosen_weight[0] == pytest.approx(weight)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="needs words"):
        EarlyFusion(**SHORT).fit(WARM)
    with pytest.raises(ValueError, match="3 text vectors for 120 items"):
        TextProfile(text=FixedVectors(np.ones((3, 2)))).fit(WARM)
    with pytest.raises(ValueError, match="choose one of raw, max-norm, softmax, z-score"):
        LateFusion(graph=EASE(), words=TextProfile(text=WORDS), scale="rank").fit(WARM)
    with pytest.raises(ValueError, match="give LateFusion weight="):
        LateFusion(graph=EASE(), words=TextProfile(text=WORDS)).fit(WARM.merge_valid())
    assert sparse.issparse(LateFusion(graph=EASE(), words=TextProfile(text=WORDS), weight=0.5).fit(WARM).train)
