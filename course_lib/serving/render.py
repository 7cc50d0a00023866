"""From positions and scores to the plain values that become JSON. Taught in 07_deployment."""

from typing import Any

import numpy as np

from course_lib.serving.bundle import Item
from course_lib.serving.engine import Ranking, Serving
from course_lib.serving.scoring import UserVector

SHOWN = 5  # reasons named in an explanation; the others are summed


def ref(item: Item) -> dict[str, Any]:
    """An item by name."""
    return {"item_id": item.item_id, "title": item.title}


def out(item: Item) -> dict[str, Any]:
    """An item."""
    return {"item_id": item.item_id, "title": item.title, "year": item.year, "genres": item.genres}


def recommendations(ranking: Ranking, user_id: str | None) -> dict[str, Any]:
    """See `schemas.Recommendations`."""
    items = ranking.serving.catalogue.items
    because: list[Any] = [None] * len(ranking.items)
    if ranking.user is not None and len(ranking.items):
        because = reasons(ranking.serving, ranking.user, ranking.items)
    return {
        "user_id": user_id,
        "bundle": ranking.serving.bundle.version,
        "basis": "popularity" if ranking.user is None else "history",
        "num_history": 0 if ranking.user is None else len(ranking.user.history),
        "alpha": ranking.alpha,
        "items": [
            {**out(items[position]), "score": round(score, 4), "because": why}
            for position, score, why in zip(ranking.items.tolist(), ranking.scores.tolist(), because, strict=True)
        ],
    }


def reasons(serving: Serving, user: UserVector, positions: np.ndarray) -> list[dict[str, Any]]:
    """See `schemas.Because`, one an item."""
    items = serving.catalogue.items
    by_graph, by_words = serving.catalogue.reasons(user, positions)
    return [
        {"graph": ref(items[graph]), "words": ref(items[words])}
        for graph, words in zip(by_graph.tolist(), by_words.tolist(), strict=True)
    ]


def explanation(serving: Serving, user: UserVector, user_id: str, position: int, alpha: float) -> dict[str, Any]:
    """See `schemas.Explanation`."""
    catalogue = serving.catalogue
    items = catalogue.items
    parts = catalogue.explain(user, position, alpha)
    best_graph, best_words = (np.argsort(-parts[name], kind="stable")[:SHOWN] for name in ("graph", "words"))
    cosine = catalogue.E[user.history] @ catalogue.E[position]
    totals = {name: float(parts[name].sum()) for name in ("graph", "words")}
    return {
        "user_id": user_id,
        "item": ref(items[position]),
        "alpha": alpha,
        "score": parts["score"],
        "background": parts["background"],
        **totals,
        "by_graph": [
            {
                **ref(items[user.history[one]]),
                "contribution": float(parts["graph"][one]),
                "paths": serving.num_paths(int(user.history[one]), position),
            }
            for one in best_graph
        ],
        "by_words": [
            {
                **ref(items[user.history[one]]),
                "contribution": float(parts["words"][one]),
                "cosine": float(cosine[one]),
            }
            for one in best_words
        ],
        "other_graph": totals["graph"] - float(parts["graph"][best_graph].sum()),
        "other_words": totals["words"] - float(parts["words"][best_words].sum()),
    }
