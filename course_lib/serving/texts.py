"""Texts as the encoder and as the search read them. Taught in 07_deployment."""

import unicodedata

from course_lib.serving.bundle import Item


def title_text(item: Item) -> str:
    """What the encoder reads as title: "Toy Story (1995). Animation, Comedy.", as `film_titles` makes it."""
    sentences = [item.title if item.year is None else f"{item.title} ({item.year})", ", ".join(item.genres)]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def fold(text: str) -> str:
    """Lower case, without accents: what a search compares."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()
