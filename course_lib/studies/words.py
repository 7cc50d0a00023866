"""What the models of the fusion studies are told about the items, and those models."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from course_lib.data import Dataset, load, load_item_profiles, sample_baskets
from course_lib.models import (
    EASE,
    AdditiveFusion,
    AlignedFusion,
    EarlyFusion,
    GatedFusion,
    LateFusion,
    LightGCN,
    Popularity,
    Recommender,
    TextProfile,
    TextToFactors,
)
from course_lib.models.late_fusion import SCALES
from course_lib.text import (
    ItemText,
    Joined,
    RandomVectors,
    Shuffled,
    YearVectors,
    film_keywords,
    film_profiles,
    film_titles,
    genre_vectors,
    product_texts,
)

Factory = Callable[[int], Recommender]


@cache
def film_words(*fields: str) -> ItemText:
    """Words about the films of MovieLens-100K: any of `title` (with year and genres), `profile`, `keywords`."""
    items, profiles = load("movielens-100k").items, load_item_profiles()
    readers = {
        "title": lambda: film_titles(items),
        "profile": lambda: film_profiles(items, profiles),
        "keywords": lambda: film_keywords(items, profiles),
    }
    return ItemText({field: readers[field]() for field in fields})


@cache
def film_facts() -> Joined:
    """Genres and year of the films as numbers, no language model involved."""
    items = load("movielens-100k").items
    return Joined((genre_vectors(items["genres"]), YearVectors(items["year"])), name="genres + year")


@cache
def film_everything() -> Joined:
    """Title, profile and keywords as words, genres and year as facts."""
    words = [film_words(field) for field in ("title", "profile", "keywords")]
    return Joined((*words, *film_facts().parts), name="words + facts")


@cache
def baskets() -> Dataset:
    """The 6,000 shopping baskets of the studies."""
    return replace(sample_baskets(load("complete-journey"), num_baskets=6000), name="6,000 baskets")


@cache
def basket_words() -> ItemText:
    """Words about the products of `baskets`."""
    return ItemText({"product": product_texts(baskets().items)})


@cache
def noise(seed: int) -> RandomVectors:
    """As many numbers a film as title and profile have, and none of them says anything."""
    return RandomVectors(len(load("movielens-100k").items), 768, seed)


def _late(scale: str) -> Factory:
    return lambda seed: LateFusion(graph=EASE(), words=TextProfile(text=film_words("title", "profile")), scale=scale)


FILM_MODELS: dict[str, Factory] = {
    "Popularity": lambda seed: Popularity(),
    "EASE": lambda seed: EASE(),
    "LightGCN": lambda seed: LightGCN(seed=seed),
    "Words, mean: title": lambda seed: TextProfile(text=film_words("title")),
    "Words, mean: profile": lambda seed: TextProfile(text=film_words("profile")),
    "Words, mean: title + profile": lambda seed: TextProfile(text=film_words("title", "profile")),
    "Factors: title": lambda seed: TextToFactors(text=film_words("title"), seed=seed),
    "Factors: profile": lambda seed: TextToFactors(text=film_words("profile"), seed=seed),
    "Factors: title + profile": lambda seed: TextToFactors(text=film_words("title", "profile"), seed=seed),
    "Factors: words + facts": lambda seed: TextToFactors(text=film_everything(), seed=seed),
    "Early: title": lambda seed: EarlyFusion(text=film_words("title"), seed=seed),
    "Early: title + profile": lambda seed: EarlyFusion(text=film_words("title", "profile"), seed=seed),
    "Early: words + facts": lambda seed: EarlyFusion(text=film_everything(), seed=seed),
    "Gated: words + facts": lambda seed: GatedFusion(text=film_everything(), seed=seed),
    "Additive: words + facts": lambda seed: AdditiveFusion(text=film_everything(), seed=seed),
    "Aligned: words + facts": lambda seed: AlignedFusion(text=film_everything(), seed=seed),
    **{f"Late: EASE, words, {scale}": _late(scale) for scale in SCALES},
    "Late: EASE, early": lambda seed: LateFusion(graph=EASE(), words=EarlyFusion(text=film_everything(), seed=seed)),
    "Late: EASE, LightGCN": lambda seed: LateFusion(graph=EASE(), words=LightGCN(seed=seed)),
}

# The same models, told something else than the words: what still helps is not what the words say.
FILM_CONTROLS: dict[str, Factory] = {
    "Factors: shuffled": lambda seed: TextToFactors(text=Shuffled(film_everything(), seed), seed=seed),
    "Factors: random": lambda seed: TextToFactors(text=noise(seed), seed=seed),
    "Factors: genres": lambda seed: TextToFactors(text=film_facts().parts[0], seed=seed),
    "Factors: genres + year": lambda seed: TextToFactors(text=film_facts(), seed=seed),
    "Early: shuffled": lambda seed: EarlyFusion(text=Shuffled(film_everything(), seed), seed=seed),
    "Early: random": lambda seed: EarlyFusion(text=noise(seed), seed=seed),
    "Early: genres + year": lambda seed: EarlyFusion(text=film_facts(), seed=seed),
}

FILM_PAIRS = (
    ("Factors: title", "Factors: genres"),
    ("Factors: title + profile", "Factors: title"),
    ("Factors: words + facts", "Factors: title + profile"),
    ("Factors: words + facts", "Factors: genres + year"),
    ("Early: words + facts", "Factors: words + facts"),
    ("Early: words + facts", "LightGCN"),
    ("Early: words + facts", "Early: shuffled"),
    ("Additive: words + facts", "LightGCN"),
    ("Aligned: words + facts", "LightGCN"),
    ("Late: EASE, words, z-score", "EASE"),
    ("Late: EASE, words, z-score", "Late: EASE, words, raw"),
    ("Late: EASE, early", "EASE"),
    ("Late: EASE, early", "Late: EASE, LightGCN"),
)

USER_BATCHES: dict[str, Any] = {"batch_size": 1024, "num_epochs": 40, "validate_every": 5}
BASKET_MODELS: dict[str, Factory] = {
    "Popularity": lambda seed: Popularity(),
    "EASE": lambda seed: EASE(regularization=100.0),
    "Words, mean": lambda seed: TextProfile(text=basket_words()),
    "Factors": lambda seed: TextToFactors(text=basket_words(), seed=seed),
    "LightGCN, 0 layers": lambda seed: LightGCN(num_layers=0, seed=seed, **USER_BATCHES),
    "LightGCN, 2 layers": lambda seed: LightGCN(num_layers=2, seed=seed, **USER_BATCHES),
    "Early, 0 layers": lambda seed: EarlyFusion(text=basket_words(), num_layers=0, seed=seed, **USER_BATCHES),
    "Early, 2 layers": lambda seed: EarlyFusion(text=basket_words(), num_layers=2, seed=seed, **USER_BATCHES),
    "Early, 2 layers, shuffled": lambda seed: EarlyFusion(
        text=Shuffled(basket_words(), seed), num_layers=2, seed=seed, **USER_BATCHES
    ),
    "Late: EASE, words": lambda seed: LateFusion(
        graph=EASE(regularization=100.0), words=TextProfile(text=basket_words())
    ),
    "Late: EASE, early": lambda seed: LateFusion(
        graph=EASE(regularization=100.0),
        words=EarlyFusion(text=basket_words(), num_layers=2, seed=seed, **USER_BATCHES),
    ),
    "Late: EASE, LightGCN": lambda seed: LateFusion(
        graph=EASE(regularization=100.0), words=LightGCN(num_layers=2, seed=seed, **USER_BATCHES)
    ),
}
BASKET_PAIRS = (
    ("Early, 0 layers", "LightGCN, 0 layers"),
    ("Early, 2 layers", "LightGCN, 2 layers"),
    ("Early, 2 layers", "Early, 2 layers, shuffled"),
    ("Late: EASE, words", "EASE"),
    ("Late: EASE, early", "EASE"),
    ("Late: EASE, early", "Late: EASE, LightGCN"),
)
