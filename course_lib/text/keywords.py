"""Keywords of a text: by what BERT says of its phrases, and by counting.

Taught in 04_bert_encoding.
"""

import re
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer, TfidfVectorizer

from course_lib.text.encoder import TextEncoder, check_texts
from course_lib.text.features import unit_rows

CLAUSE_END = re.compile(r"[.,;:!?()\"]")
ANALYSE = CountVectorizer(ngram_range=(1, 2)).build_analyzer()


def candidates(text: str) -> list[str]:
    """Single words and pairs of neighbours that could be keywords: no stop word in them, no comma between them.

    Lower case, each as often as it occurs.
    """
    phrases = [phrase for clause in CLAUSE_END.split(text) for phrase in ANALYSE(clause)]
    return [phrase for phrase in phrases if ENGLISH_STOP_WORDS.isdisjoint(phrase.split())]


def extract_keywords(
    texts: Sequence[str], encoder: TextEncoder, num_keywords: int = 5, diversity: float = 0.5
) -> list[list[str]]:
    """The phrases of each text whose vectors are most like the vector of the whole text, and not like each other.

    Parameters
    ----------
    texts : sequence of str, [num_texts]
    encoder : TextEncoder
        All phrases of all texts go through it in one call.
    num_keywords : int
        Fewer come back where a text has fewer phrases.
    diversity : float
        From 0 (the most similar phrases, near-copies among them) to 1, see `marginal_relevance`.

    Returns
    -------
    list of list of str, [num_texts]
        The most relevant phrase first.
    """
    check_texts(texts)
    phrases = [sorted(set(candidates(text))) for text in texts]
    everything = sorted({phrase for of_text in phrases for phrase in of_text})
    row = {phrase: number for number, phrase in enumerate(everything)}
    phrase_vectors = unit_rows(encoder.encode(everything)) if everything else np.empty((0, 0))
    text_vectors = unit_rows(encoder.encode(texts, progress=False))

    chosen = []
    for of_text, text_vector in zip(phrases, text_vectors, strict=True):
        vectors = phrase_vectors[[row[phrase] for phrase in of_text]]  # [num_phrases, dim]
        order = (
            marginal_relevance(vectors @ text_vector, vectors @ vectors.T, num_keywords, diversity) if of_text else []
        )
        chosen.append([of_text[number] for number in order])
    return chosen


def marginal_relevance(
    relevance: np.ndarray, similarity: np.ndarray, num_chosen: int, diversity: float = 0.5
) -> list[int]:
    r"""Maximal marginal relevance (Carbonell and Goldstein 1998): take the best, then what adds most to it.

    $$ \arg\max_{i \notin S} \; (1 - d) \, r_i - d \max_{j \in S} s_{ij} $$

    Parameters
    ----------
    relevance : ndarray, [num_candidates]
        $r$, likeness of each candidate to what is asked for.
    similarity : ndarray, [num_candidates, num_candidates]
        $s$, likeness of the candidates to each other.
    num_chosen : int
    diversity : float
        $d$, from 0 to 1.

    Returns
    -------
    list of int
        Candidates in the order in which they were taken.
    """
    if not 0 <= diversity <= 1:
        raise ValueError(f"diversity is {diversity}; it goes from 0 to 1")
    chosen: list[int] = [int(np.argmax(relevance))]
    while len(chosen) < min(num_chosen, len(relevance)):
        gain = (1 - diversity) * relevance - diversity * similarity[:, chosen].max(axis=1)
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
    return chosen


def tfidf_keywords(texts: Sequence[str], num_keywords: int = 5, min_df: int = 2) -> list[list[str]]:
    """The phrases of each text that are frequent in it and rare in the others: the rival without a language model.

    Parameters
    ----------
    texts : sequence of str, [num_texts]
        The whole collection: rarity is measured in it.
    num_keywords : int
    min_df : int
        Texts in which a phrase must occur. With 1, the phrases that occur once in the whole collection tie for the top
        of nearly every short text.

    Returns
    -------
    list of list of str, [num_texts]
        Highest weight first; equal weights in alphabetical order.
    """
    check_texts(texts)
    vectorizer = TfidfVectorizer(analyzer=candidates, min_df=min_df)
    weights = vectorizer.fit_transform(texts)
    phrases = vectorizer.get_feature_names_out()  # sorted
    chosen = []
    for number in range(len(texts)):
        row = weights[number]
        best = np.lexsort((row.indices, -row.data))[:num_keywords]
        chosen.append(phrases[row.indices[best]].tolist())
    return chosen


def keyword_agreement(
    found: Sequence[Sequence[str]], reference: Sequence[Sequence[str]], encoder: TextEncoder
) -> dict[str, float]:
    """How well keywords cover those that someone else chose for the same texts.

    Parameters
    ----------
    found, reference : sequence of sequence of str, [num_texts]
        A text without reference keywords does not count.

    Returns
    -------
    dict
        `recall`: share of a text's reference keywords that were found word for word. `similarity`: cosine of a
        reference keyword to the found one that is most like it. Both are means over a text's keywords, then over texts.
    """
    words = sorted({word for keywords in (*found, *reference) for word in keywords})
    vectors = unit_rows(encoder.encode(words))
    row = {word: number for number, word in enumerate(words)}
    recall, similarity = [], []
    for chosen, wanted in zip(found, reference, strict=True):
        if not wanted:
            continue
        recall.append(np.mean([word in chosen for word in wanted]))
        cosine = vectors[[row[word] for word in wanted]] @ vectors[[row[word] for word in chosen]].T
        similarity.append(cosine.max(axis=1).mean() if len(chosen) else 0.0)
    return {"recall": float(np.mean(recall)), "similarity": float(np.mean(similarity))}
