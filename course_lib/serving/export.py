"""From data to a bundle: train, choose the weight of the words, measure what will be served, write.

What is measured is the very code that serves, history by history. Taught in 07_deployment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from course_lib import fingerprint, splits
from course_lib.data import Interactions, load, load_item_profiles
from course_lib.evaluation import Evaluation, evaluate
from course_lib.evaluation.intervals import compare
from course_lib.models import EASE, LateFusion, LightGCN, Popularity, Recommender, TextProfile
from course_lib.serving.bundle import Bundle, Item, write
from course_lib.serving.onnx_encoder import export_encoder
from course_lib.serving.scoring import Catalogue, unit
from course_lib.serving.texts import title_text
from course_lib.splits import Split
from course_lib.text import FixedVectors, TextEncoder, film_profiles

ALPHAS = np.round(np.linspace(0, 1, 21), 2)
RIDGE = 10.0  # regularisation of the map from words to graph vectors
# Chosen on the validation part of new users known by 1, 5 and 20 films; long histories would like no prior better.
FOLD_IN = {"steps": 3, "prior_clicks": 30}


@dataclass(frozen=True, eq=False)
class Words:
    """Items and what the encoder makes of their words.

    Attributes
    ----------
    items : list of Item, [num_items]
    vectors : ndarray of float32, [num_items, text_dim]
        $e_i$: title and description centred and scaled to length 1 each, then their mean scaled likewise.
    means : ndarray of float32, [2, text_dim]
    encoder : TextEncoder
    """

    items: list[Item]
    vectors: np.ndarray
    means: np.ndarray
    encoder: TextEncoder


def read_words(items: Sequence[Item], encoder: TextEncoder) -> Words:
    """Encode the titles and the descriptions of a catalogue."""
    texts = [[title_text(item) for item in items], [item.description for item in items]]
    means, total = [], np.zeros((len(items), encoder.dim), dtype=np.float32)
    for one in texts:
        encoded = encoder.encode(one, progress=False)
        written = np.array([bool(text.strip()) for text in one])
        means.append(encoded.sum(axis=0) / max(int(written.sum()), 1))
        total += unit(np.where(written[:, None], encoded - means[-1], 0))
    return Words(list(items), unit(total), np.array(means, dtype=np.float32), encoder)


def film_items() -> list[Item]:
    """The films of MovieLens-100K with what a language model wrote about them."""
    films, profiles = load("movielens-100k").items, load_item_profiles()
    columns = zip(films["item_id"], films["display_title"], films["year"], films["genres"], strict=True)
    described = film_profiles(films, profiles)
    return [
        Item(
            item_id=str(item_id),
            title=title,
            year=None if pd.isna(year) else int(year),
            genres=tuple(genre for genre in genres if genre != "unknown"),
            description=description,
        )
        for (item_id, title, year, genres), description in zip(columns, described, strict=True)
    ]


def make_bundle(
    model: LightGCN, split: Split, everything: Interactions, words: Words, alpha: float | None = None
) -> Bundle:
    """A bundle from a fitted model.

    Parameters
    ----------
    model : LightGCN
        Fitted on `split.train`, with `cosine` and the softmax loss: the fold-in takes steps of that loss.
    everything : Interactions
        All that is known: histories to go by, and items not to show again. Never trained on, nor measured with.
    alpha : float, optional
        Weight of the words; chosen by NDCG@10 on the validation part if left out.
    """
    if not model.cosine or model.loss != "softmax":
        raise ValueError("the service folds users in by the softmax loss over cosines; fit LightGCN with both")
    H, E = model.item_vectors.astype(np.float32), words.vectors
    text_map, text_offset = fit_text_map(H, E, np.unique(split.train.item))
    known, train = everything.matrix(), split.train.matrix()
    settings = {"alpha": 0.0, "temperature": model.temperature, **FOLD_IN, "model": model.hyperparameters()}
    bundle = Bundle(
        items=words.items,
        user_ids=[str(user_id) for user_id in everything.user_ids],
        item_vectors=H,
        text_vectors=E,
        text_means=words.means,
        text_map=text_map,
        text_offset=text_offset,
        popularity=np.asarray(train.sum(axis=0)).ravel().astype(np.int64),
        indptr=known.indptr.astype(np.int64),
        indices=known.indices.astype(np.int64),
        settings=settings,
        metrics={},
        data=_describe_data(split, everything, words),
    )
    chosen = choose_alpha(bundle, split) if alpha is None else alpha
    return replace(bundle, settings={**settings, "alpha": chosen})


def fit_text_map(H: np.ndarray, E: np.ndarray, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Ridge regression from words to graph vectors over the items that somebody took, as in `TextToFactors`.

    $$ W = (X^\top X + \lambda I)^{-1} X^\top (H - \bar h) $$
    """
    X, F = E[taken].astype(np.float64), H[taken].astype(np.float64)
    x_mean, f_mean = X.mean(axis=0), F.mean(axis=0)
    X = X - x_mean
    W = np.linalg.solve(X.T @ X + RIDGE * np.eye(X.shape[1]), X.T @ (F - f_mean))
    return W.astype(np.float32), (f_mean - x_mean @ W).astype(np.float32)


def served_scores(catalogue: Catalogue, histories: sparse.csr_matrix, alpha: float) -> np.ndarray:
    """What the service would answer to these histories, [num_rows, num_items] float32."""
    popular = catalogue.popular()
    scores = np.empty((histories.shape[0], len(catalogue.items)), dtype=np.float32)
    for row in range(histories.shape[0]):
        history = histories.indices[histories.indptr[row] : histories.indptr[row + 1]]
        scores[row] = catalogue.scores(catalogue.user(history), alpha) if len(history) else popular
    return scores


def choose_alpha(bundle: Bundle, split: Split) -> float:
    """The weight of the words that validates best."""
    catalogue, history = Catalogue.of(bundle), split.task("valid").history
    graph, words = (served_scores(catalogue, history, end) for end in (0.0, 1.0))  # the score is linear in alpha
    found = {
        float(alpha): evaluate((1 - alpha) * graph + alpha * words, split, k=(10,), part="valid").mean()
        for alpha in ALPHAS
    }
    return max(found, key=lambda alpha: found[alpha])


def evaluate_served(bundle: Bundle, split: Split, part: str = "test", name: str = "served") -> Evaluation:
    """The bundle on one part of a split, from histories alone."""
    scores = served_scores(Catalogue.of(bundle), split.task(part).history, bundle.settings["alpha"])
    return replace(evaluate(scores, split, k=(10,), part=part), model=name)


def measure(bundle: Bundle, split: Split, others: Sequence[Recommender]) -> dict[str, Any]:
    """NDCG@10 on the test part with 95 % intervals: what is served, its halves, and other models."""
    graph_only = replace(bundle, settings={**bundle.settings, "alpha": 0.0})
    served = evaluate_served(bundle, split)
    found = [served, evaluate_served(graph_only, split, name="served, graph alone")]
    found += [replace(evaluate(model, split, k=(10,)), model=model.name) for model in others]
    rows = {}
    for one in found:
        low, high = one.interval()
        rows[one.model] = {"mean": one.mean(), "low": low, "high": high}
    paired = [str(compare(served, other)) for other in found[1:]]
    return {"num_users": len(served.users), "ndcg@10": rows, "paired": paired}


def export_films(folder: Path, with_encoder: bool = True, seed: int = 0) -> tuple[str, dict[str, Any]]:
    """Train on MovieLens-100K, measure, write; return the bundle's version and metrics."""
    dataset = load("movielens-100k")
    split = splits.make("benchmark", dataset)
    words = read_words(film_items(), TextEncoder())
    model = LightGCN(seed=seed).fit(split)
    bundle = make_bundle(model, split, dataset.interactions, words)
    profile = TextProfile(text=FixedVectors(words.vectors)).fit(split)
    ease = EASE().fit(split)
    late = LateFusion(graph=ease, words=profile).fit(split)
    model.name, late.name = "LightGCN, trained user vectors", "Late fusion: EASE, words"
    bundle = replace(bundle, metrics=measure(bundle, split, [model, ease, late, profile, Popularity().fit(split)]))
    return write_with_encoder(bundle, folder, words.encoder if with_encoder else None), bundle.metrics


def write_with_encoder(bundle: Bundle, folder: Path, encoder: TextEncoder | None) -> str:
    """Write a bundle, with its text encoder as ONNX where one is given; return its version."""
    if encoder is None:
        return write(bundle, folder)
    with TemporaryDirectory() as scratch:
        return write(bundle, folder, export_encoder(encoder, scratch))


def _describe_data(split: Split, everything: Interactions, words: Words) -> dict[str, Any]:
    return {
        "dataset": split.dataset,
        "protocol": split.protocol,
        "num_users": everything.num_users,
        "num_items": everything.num_items,
        "num_interactions": len(everything),
        "num_train": len(split.train),
        "fingerprint": fingerprint.of_arrays(everything.user, everything.item),
        "train_fingerprint": fingerprint.of_arrays(split.train.user, split.train.item),
        "encoder_key": words.encoder.key,
    }
