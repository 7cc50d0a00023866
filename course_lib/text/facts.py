"""What a catalogue knows without any language model, as vectors, and how to put it beside the words.

Taught in 05_fusion.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from course_lib.text.features import Features, key_of, unit_rows

BIN = 5  # years


@dataclass(frozen=True, eq=False)
class Joined:
    """Several features side by side, each with the same say: $x_i = [x_i^{(1)}, \\dots, x_i^{(P)}] / \\sqrt{P}$.

    Attributes
    ----------
    parts : tuple of Features
        Each [num_items, its own dim].
    name : str
    """

    parts: tuple[Features, ...]
    name: str

    @cached_property
    def key(self) -> str:
        """Of the parts, in order."""
        return key_of("joined", *(part.key for part in self.parts))

    @cached_property
    def vectors(self) -> np.ndarray:
        """The parts' vectors side by side, [num_items, sum of dims]."""
        return np.hstack([part.vectors for part in self.parts]) / np.float32(np.sqrt(len(self.parts)))


@dataclass(frozen=True, eq=False)
class YearVectors:
    """Years as soft bins: one bell curve every five years, five years wide, centred, rows scaled to length 1.

    A model that is linear in these can draw any smooth curve over time; in the bare number it could draw a line.

    Attributes
    ----------
    years : Series of number, [num_items]
        Missing where unknown: such a row is zero.
    """

    years: pd.Series

    @property
    def name(self) -> str:
        """In tables."""
        return "year"

    @cached_property
    def key(self) -> str:
        """Of the years, not of the vectors, whose last digits differ between machines."""
        return key_of("years", str(self.years.tolist()))

    @cached_property
    def vectors(self) -> np.ndarray:
        """The curves at each item's year, [num_items, num_bins] float32."""
        year = self.years.astype("float64").to_numpy()
        known = np.isfinite(year)
        centres = np.arange(np.nanmin(year) // BIN * BIN, np.nanmax(year) + BIN, BIN)
        bins = np.exp(-0.5 * ((year[:, None] - centres) / BIN) ** 2)
        bins -= bins[known].mean(axis=0)
        return unit_rows(np.where(known[:, None], bins, 0).astype(np.float32))
