"""Keywords: candidates, maximal marginal relevance, TF-IDF, and agreement with others' keywords."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_lib.text.encoder import TextEncoder
from course_lib.text.keywords import (
    candidates,
    extract_keywords,
    keyword_agreement,
    marginal_relevance,
    tfidf_keywords,
)

pytest_plugins = ["text_room"]

SPY = (
    "A suave British secret agent hunts a stolen satellite weapon in Russia. Glossy spy adventure full of elaborate "
    "stunts, tank chases and gadgets."
)


def test_candidates_hold_no_stop_word_and_cross_no_comma() -> None:
    assert candidates("The secret agent hunts, and the Tank explodes") == [
        "secret", "agent", "hunts", "secret agent", "agent hunts", "tank", "explodes", "tank explodes",
    ]  # fmt: skip
    assert candidates("to be, or not to be") == candidates("") == []


def test_marginal_relevance_by_hand() -> None:
    relevance = np.array([0.9, 0.8, 0.5])
    similarity = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.1], [0.0, 0.1, 1.0]])  # 0 and 1 are near-copies
    assert marginal_relevance(relevance, similarity, 3, diversity=0.0) == [0, 1, 2]
    assert marginal_relevance(relevance, similarity, 3, diversity=0.5) == [0, 2, 1]  # .5 * .5 - 0 > .5 * .8 - .5 * .9
    assert marginal_relevance(relevance, similarity, 3, diversity=0.2) == [0, 1, 2]  # .64 - .18 > .40 - 0
    assert marginal_relevance(relevance, similarity, 9) == [0, 2, 1]
    with pytest.raises(ValueError, match=r"diversity is 1.5; it goes from 0 to 1"):
        marginal_relevance(relevance, similarity, 3, diversity=1.5)


@given(vectors=arrays(np.float64, (6, 3), elements=st.floats(-1, 1)), diversity=st.floats(0, 1), num=st.integers(1, 8))
def test_marginal_relevance_chooses_different_ones_and_the_best_first(
    vectors: np.ndarray, diversity: float, num: int
) -> None:
    chosen = marginal_relevance(vectors[:, 0], vectors @ vectors.T, num, diversity)
    assert len(chosen) == len(set(chosen)) == min(num, 6)
    assert vectors[chosen[0], 0] == vectors[:, 0].max()


def test_keywords_of_a_real_text(minilm: TextEncoder, empty_cache: Path) -> None:
    plain, diverse = (extract_keywords([SPY], minilm, diversity=diversity)[0] for diversity in (0.0, 0.6))
    assert set(plain) | set(diverse) <= set(candidates(SPY))
    assert plain[0] == diverse[0] and "spy" in " ".join(plain)
    different = [len({word for phrase in phrases for word in phrase.split()}) for phrases in (plain, diverse)]
    assert different[1] > different[0]  # near-copies such as "secret agent" and "agent" make room


def test_texts_without_keywords(minilm: TextEncoder, empty_cache: Path) -> None:
    assert extract_keywords(["", "spy", "to be"], minilm) == [[], ["spy"], []]
    assert extract_keywords([], minilm) == []
    with pytest.raises(ValueError, match="give a list of texts"):
        extract_keywords("spy", minilm)


def test_tfidf_prefers_what_the_other_texts_do_not_say() -> None:
    texts = ["war drama", "war comedy", "war comedy", "war, tank war", "drama"]
    assert tfidf_keywords(texts, num_keywords=2, min_df=2) == [
        ["drama", "war"], ["comedy", "war comedy"], ["comedy", "war comedy"], ["war"], ["drama"],
    ]  # fmt: skip
    assert tfidf_keywords(texts, num_keywords=3, min_df=1)[3] == ["war", "tank", "tank war"]


def test_agreement_with_others_keywords(minilm: TextEncoder, empty_cache: Path) -> None:
    reference = [("spy", "cold war"), ("family",), ()]
    same = keyword_agreement(reference, reference, minilm)
    assert same["recall"] == 1 and np.isclose(same["similarity"], 1, atol=1e-5)
    near = keyword_agreement([["spy", "secret agent"], ["parents"], ["cheese"]], reference, minilm)
    far = keyword_agreement([["cheese"], ["satellite"], ["cheese"]], reference, minilm)
    assert (near["recall"], far["recall"]) == (0.25, 0.0)
    assert near["similarity"] > far["similarity"] + 0.2
    assert keyword_agreement([[], []], reference[:2], minilm) == {"recall": 0.0, "similarity": 0.0}
