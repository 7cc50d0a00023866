"""Have the clicks of today become others than those the vectors were trained on?

Taught in 07_deployment.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import jensenshannon

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
        Jensen-Shannon divergence (Lin 1991) between the items of the events and of training, in bits: 0 the same, 1
        apart.
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
        divergence = jensenshannon(np.bincount(known, minlength=num_items) / len(known), training, base=2) ** 2
        draws = np.random.default_rng(SEED).multinomial(len(known), training, size=NUM_DRAWS) / len(known)
        by_chance = float(np.quantile(jensenshannon(draws, training[None, :], base=2, axis=1) ** 2, 0.95))
    return Drift(
        num_events=len(events),
        divergence=divergence,
        by_chance=by_chance,
        new_users=sum(user_id not in users for user_id, *_ in events) / len(events),
        new_items=1 - len(known) / len(events),
    )
