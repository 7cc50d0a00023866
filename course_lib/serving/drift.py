"""Have the clicks of today become others than those the vectors were trained on?

Taught in 07_deployment.
"""

from dataclasses import dataclass

import numpy as np

from course_lib.serving.bundle import Bundle
from course_lib.serving.store import EventStore

NUM_DRAWS, SEED = 200, 0


@dataclass(frozen=True)
class Drift:
    """Events against the training data.

    Attributes
    ----------
    num_events : int
    divergence : float
        Jensen-Shannon divergence between the items of the events and of training, in bits: 0 the same, 1 apart.
    by_chance : float
        What 95 of 100 samples of as many events, drawn from the training data, stay below.
    new_users, new_items : float
        Share of the events by users, and of items, that the bundle does not know.
    """

    num_events: int
    divergence: float
    by_chance: float
    new_users: float
    new_items: float

    def text(self) -> str:
        """One line."""
        if not self.num_events:
            return "Drift: no events yet"
        verdict = "more than chance" if self.divergence > self.by_chance else "no more than chance"
        return (
            f"Drift over {self.num_events:,} events: popularity moved by {self.divergence:.3f} bits, {verdict} "
            f"(95 % below {self.by_chance:.3f}); {self.new_users:.0%} by new users, {self.new_items:.0%} on new items"
        )


def drift_of(bundle: Bundle, store: EventStore) -> Drift:
    """Compare a store's events with the data that a bundle was made from."""
    events = store.events()
    if not events:
        return Drift(0, 0.0, 0.0, 0.0, 0.0)
    position = {item.item_id: number for number, item in enumerate(bundle.items)}
    users = set(bundle.user_ids)
    known = np.array([position[item_id] for _, item_id, *_ in events if item_id in position], dtype=np.int64)
    num_items = len(bundle.items)
    training = bundle.popularity / max(bundle.popularity.sum(), 1)
    divergence, by_chance = 0.0, 0.0
    if len(known):
        divergence = jensen_shannon(np.bincount(known, minlength=num_items) / len(known), training)
        draws = np.random.default_rng(SEED).multinomial(len(known), training, size=NUM_DRAWS) / len(known)
        by_chance = float(np.quantile([jensen_shannon(draw, training) for draw in draws], 0.95))
    return Drift(
        num_events=len(events),
        divergence=divergence,
        by_chance=by_chance,
        new_users=sum(user_id not in users for user_id, *_ in events) / len(events),
        new_items=1 - len(known) / len(events),
    )


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> float:
    r"""$\frac12 KL(p \,\|\, m) + \frac12 KL(q \,\|\, m)$ with $m = (p + q) / 2$, in bits (Lin 1991)."""
    middle = (p + q) / 2

    def divergence(one: np.ndarray) -> float:
        some = one > 0
        return float((one[some] * np.log2(one[some] / middle[some])).sum())

    return (divergence(p) + divergence(q)) / 2
