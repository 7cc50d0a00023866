"""Exercises of lesson 04, BERT encoding."""

import functools

import numpy as np
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from course_lib.data import load, load_item_profiles
from course_lib.exercises import Exercise, Kind, encoding
from course_lib.text import film_profiles


def hidden_piece_loss(logits: torch.Tensor, pieces: torch.Tensor, is_hidden: torch.Tensor) -> torch.Tensor:
    r"""
    Write the loss $\mathcal L$ of this section for one text: `hidden_piece_loss(logits, pieces, is_hidden)`. `logits`,
    `[num_places, num_pieces]`, are what the head says at each place before the softmax; `pieces`, `[num_places]`, are
    the numbers of the pieces that truly stand there; `is_hidden`, `[num_places]`, is true where the model saw a mask.
    Return one number, in nats, as a tensor.
    """
    # begin solution
    log_p = logits.log_softmax(dim=1)
    right = log_p[torch.arange(len(pieces)), pieces]
    return -right[is_hidden].mean()
    # end solution


def pieces_in_plain_sight_count(logits: torch.Tensor, pieces: torch.Tensor, is_hidden: torch.Tensor) -> torch.Tensor:
    """You average over all places. At most of them the model can read the answer: what does repeating it teach?"""
    return torch.nn.functional.cross_entropy(logits, pieces)


def guessed_from_the_place_before(logits: torch.Tensor, pieces: torch.Tensor, is_hidden: torch.Tensor) -> torch.Tensor:
    """
    You shifted the labels by one: that is how a model is trained that writes the *next* word. BERT has the mask itself
    at the place of the hidden piece. Which place guesses it?
    """
    return torch.nn.functional.cross_entropy(logits[:-1][is_hidden[1:]], pieces[1:][is_hidden[1:]])


def a_sum_over_the_hidden(logits: torch.Tensor, pieces: torch.Tensor, is_hidden: torch.Tensor) -> torch.Tensor:
    """The right places, but a sum: a text with more hidden pieces looks worse. Look at the front of the formula."""
    return torch.nn.functional.cross_entropy(logits[is_hidden], pieces[is_hidden], reduction="sum")


def counted_in_bits(logits: torch.Tensor, pieces: torch.Tensor, is_hidden: torch.Tensor) -> torch.Tensor:
    """All is right but the unit. Nats belong to the natural logarithm; to which one do bits belong?"""
    return hidden_piece_loss(logits, pieces, is_hidden) / np.log(2)


def a_guess_at_each_place(generator: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits of six places for five pieces, the pieces, and two or three hidden places; the ends are never hidden."""
    logits = torch.from_numpy(generator.normal(0.0, 2.0, (6, 5)).round(1))
    places = 1 + generator.permutation(4)[: generator.integers(2, 4)]
    return logits, torch.from_numpy(generator.integers(0, 5, 6)), torch.from_numpy(np.isin(np.arange(6), places))


def twins_by_counting() -> tuple[int, int, str]:
    """
    BERT found the second profile for 19 of 19 films. Does the test need BERT? The cell gives it to a reader who
    understands nothing: TF-IDF, which counts words.

    Run the cell, and note for how many of the 19 the second profile is the nearest of all. Set `max_features` to 100,
    which leaves only the hundred words that are most frequent in all profiles, and run it again. Then fill in the last
    line: the number with all words, the number with 100, and the letter of the explanation that fits both.

    - `"a"`: The language model copied its first text when it wrote the second.
    - `"b"`: Two texts about one film share rare words, so that most of the test needs no understanding.
    - `"c"`: Both texts are in the style of the same writer, and style shows in the frequent words.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    items = load("movielens-100k").items
    written = film_profiles(items, load_item_profiles())
    places_of = items.groupby("title_group").indices.values()
    first, second = np.array([places for places in places_of if len(places) == 2]).T
    # begin solution
    hits = []
    for max_features in (None, 100):
        counts = TfidfVectorizer(max_features=max_features).fit_transform(written)
        likeness = (counts[first] @ counts.T).toarray()
        likeness[np.arange(19), first] = -1  # not itself
        hits.append(int((likeness.argmax(axis=1) == second).sum()))
    return hits[0], hits[1], "b"
    # given
    # max_features = None
    # counts = TfidfVectorizer(max_features=max_features).fit_transform(written)
    # likeness = (counts[first] @ counts.T).toarray()
    # likeness[np.arange(19), first] = -1  # not itself
    # print("found:", (likeness.argmax(axis=1) == second).sum())
    # return ..., ..., "?"
    # end solution


counted = functools.cache(twins_by_counting)


def the_texts_are_copies() -> tuple[int, int, str]:
    """Your two numbers are right. How many of the pairs are word for word the same? The cell above says it."""
    return *counted()[:2], "a"


def style_in_frequent_words() -> tuple[int, int, str]:
    """Your two numbers are right. If style did it, which of the two runs should find more? And who wrote the others?"""
    return *counted()[:2], "c"


def a_right_letter_after_one_run() -> tuple[int, int, str]:
    """The letter is right, but both numbers are from the first run. Did you run the cell again after the change?"""
    return counted()[0], counted()[0], "b"


def popularity_leak(vectors: np.ndarray, num_ratings: np.ndarray, is_old: np.ndarray) -> float:
    r"""
    `popularity_leak(vectors, num_ratings, is_old)` should say how much the vectors tell about the popularity of *new*
    films: a ridge regression learns $\log$ popularity, and $R^2$ judges it. `vectors` is `[num_films, d]`, the other
    two are `[num_films]`; `is_old` is true for films that have been in the shop, false for those that open today. As it
    stands, it never reports less than zero, not even for vectors of pure noise. Repair it.
    """
    log_popularity = np.log(num_ratings)
    # begin solution
    model = Ridge().fit(vectors[is_old], log_popularity[is_old])
    return float(r2_score(log_popularity[~is_old], model.predict(vectors[~is_old])))
    # given
    # model = Ridge().fit(vectors, log_popularity)
    # return float(r2_score(log_popularity, model.predict(vectors)))
    # end solution


def new_films_helped_to_learn(vectors: np.ndarray, num_ratings: np.ndarray, is_old: np.ndarray) -> float:
    """You judge on the new films alone. But the regression has seen their popularity: who told it on opening day?"""
    log_popularity = np.log(num_ratings)
    model = Ridge().fit(vectors, log_popularity)
    return float(r2_score(log_popularity[~is_old], model.predict(vectors[~is_old])))


def judged_by_the_old_films(vectors: np.ndarray, num_ratings: np.ndarray, is_old: np.ndarray) -> float:
    """The regression learns from the old films, as it should. And then you ask it about the films it has learned."""
    old, log_old = vectors[is_old], np.log(num_ratings[is_old])
    return float(r2_score(log_old, Ridge().fit(old, log_old).predict(old)))


def judged_by_all_films(vectors: np.ndarray, num_ratings: np.ndarray, is_old: np.ndarray) -> float:
    """It learns from the old films. But most of those that judge it are old as well, and flatter it."""
    log_popularity = np.log(num_ratings)
    return float(r2_score(log_popularity, Ridge().fit(vectors[is_old], log_popularity[is_old]).predict(vectors)))


def a_squared_correlation(vectors: np.ndarray, num_ratings: np.ndarray, is_old: np.ndarray) -> float:
    """The right films on both sides. A squared correlation, though, forgives a guess that is upside down."""
    guess = Ridge().fit(vectors[is_old], np.log(num_ratings[is_old])).predict(vectors[~is_old])
    return float(np.corrcoef(guess, np.log(num_ratings[~is_old]))[0, 1] ** 2)


def noise_and_popularity(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of twelve films in three dimensions, which tell nothing, their numbers of ratings, and which are old."""
    is_old = generator.permutation(12) < 8
    return generator.normal(size=(12, 3)).round(1), generator.integers(1, 500, 12), is_old


EXERCISES = [
    Exercise(
        number="04.1",
        title="A head that ignores padding",
        kind=Kind.WRITE,
        objective=1,
        minutes=10,
        reference=encoding.masked_attention,
        inputs=encoding.one_head_with_padding,
        hints=(
            "First the scores, then silence padding, then the softmax, then the values. Along which axis is the sum 1?",
            "Which score becomes exactly 0 in a softmax? `score.masked_fill(~mask, ...)` puts it where mask is false.",
        ),
        mistakes=(
            encoding.the_root_forgotten,
            encoding.shares_of_the_speaker,
            encoding.masked_shares_of_the_speaker,
            encoding.masked_after_the_softmax,
            encoding.padding_scored_zero,
            encoding.no_mask_at_all,
        ),
        why="exp(-inf) is 0, so padding takes no share. Otherwise a text's vector depends on who is in its batch.",
    ),
    Exercise(
        number="04.2",
        title="A bug that a cosine cannot see",
        kind=Kind.REPAIR,
        objective=1,
        minutes=6,
        reference=encoding.mean_pool,
        inputs=encoding.a_batch_of_texts,
        hints=(
            "The direction is right. What else does a vector have, and what does subtracting a mean make of that?",
            "`mean(dim=1)` divides by the number of places. By what should the sum of a text be divided?",
        ),
        mistakes=(
            encoding.padding_in_the_mean,
            encoding.pieces_of_the_whole_batch,
            encoding.a_sum_and_no_mean,
        ),
        why="Divided by all places, a padded text got a short vector: its direction was right until a mean came off.",
        groups=True,
    ),
    Exercise(
        number="04.3",
        title="Centre a newcomer",
        kind=Kind.WRITE,
        objective=2,
        minutes=8,
        reference=encoding.centred_newcomers,
        inputs=encoding.a_cone_and_newcomers,
        hints=(
            "What must a new film and an old one have in common before you may compare them?",
            "Subtract the mean row of `catalogue`, then divide each row by its length.",
        ),
        mistakes=(
            encoding.centred_by_their_own_mean,
            encoding.not_centred,
            encoding.length_before_centre,
            encoding.the_mean_of_each_film,
        ),
        why="One centre for all. It belongs to the model: save it, and take it for every item that comes later.",
    ),
    Exercise(
        number="04.4",
        title="Only what was hidden counts",
        kind=Kind.WRITE,
        objective=3,
        minutes=8,
        reference=hidden_piece_loss,
        inputs=a_guess_at_each_place,
        hints=(
            "From logits to log-probabilities; at each place, that of the true piece; then only the hidden places.",
            "`logits.log_softmax(dim=1)[torch.arange(len(pieces)), pieces]` has one number for each place.",
        ),
        mistakes=(
            pieces_in_plain_sight_count,
            guessed_from_the_place_before,
            a_sum_over_the_hidden,
            counted_in_bits,
        ),
        why="A mean over all places falls fast and teaches copying. The text is its own label only where it is hidden.",
    ),
    Exercise(
        number="04.5",
        title="The audit, audited",
        kind=Kind.EXPLAIN,
        objective=4,
        minutes=10,
        reference=twins_by_counting,
        hints=(
            "Print both profiles of *Hugo Pool*. Which words do they share that hardly any other profile has?",
            "The rare words are gone in the second run. How far does the reader get without them?",
        ),
        mistakes=(the_texts_are_copies, style_in_frequent_words, a_right_letter_after_one_run),
        why="The test shows stable profiles. It does not show that BERT understands them: counting nearly passes it. "
        "Only in the two films that counting misses can you see what BERT adds.",
        groups=True,
    ),
    Exercise(
        number="04.6",
        title="A leak that noise has as well",
        kind=Kind.REPAIR,
        objective=5,
        minutes=8,
        reference=popularity_leak,
        inputs=noise_and_popularity,
        hints=(
            "On opening day, whose popularity is known? The others are only there to judge.",
            "Fit on `vectors[is_old]`; score on `vectors[~is_old]`.",
        ),
        mistakes=(new_films_helped_to_learn, judged_by_the_old_films, judged_by_all_films, a_squared_correlation),
        why="On the films it learned from, a regression never falls below zero. A leak must be shown on new films.",
    ),
]
