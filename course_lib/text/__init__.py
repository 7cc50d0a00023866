"""The words about users and items: documents, BERT vectors, keywords. Taught in 04_bert_encoding."""

from course_lib.text.documents import (
    film_keywords,
    film_names,
    film_profiles,
    film_titles,
    product_texts,
    user_documents,
)
from course_lib.text.encoder import TextEncoder
from course_lib.text.facts import Joined, YearVectors
from course_lib.text.features import Features, FixedVectors, ItemText, RandomVectors, Shuffled, genre_vectors

__all__ = [
    "Features",
    "FixedVectors",
    "ItemText",
    "Joined",
    "RandomVectors",
    "Shuffled",
    "TextEncoder",
    "YearVectors",
    "film_keywords",
    "film_names",
    "film_profiles",
    "film_titles",
    "genre_vectors",
    "product_texts",
    "user_documents",
]
