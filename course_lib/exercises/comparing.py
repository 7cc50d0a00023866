"""Whether two answers are the same, and in what they differ."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

SHOWN = 160  # characters of a value in a message


def plain(value: Any) -> Any:
    """Tensors, sparse matrices and tables as NumPy arrays; numbers as they are; containers with plain contents."""
    # Told by their methods: this module is imported where nobody needs torch, pandas or SciPy.
    if hasattr(value, "detach"):
        return value.detach().cpu().to_dense().numpy()
    for to_array in ("toarray", "to_numpy"):
        if hasattr(value, to_array):
            return getattr(value, to_array)()
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(one) for one in value]
    return value


def difference(got: Any, expected: Any, tolerance: float) -> str | None:
    """In what `got` differs from `expected`, in words; None where they are the same.

    Numbers may differ by `tolerance`, relative to the expected one where that is above one. Arrays of different
    libraries with the same numbers are the same; so are tuples and lists, and texts in capitals and small letters.
    """
    return _difference(plain(got), plain(expected), tolerance)


def _difference(got: Any, expected: Any, tolerance: float) -> str | None:
    if isinstance(expected, dict | list) and type(got) is type(expected):
        return _contents(got, expected, tolerance)
    if isinstance(expected, str) and isinstance(got, str):
        return None if got.strip(" ()").lower() == expected.strip(" ()").lower() else f"it is {show(got)}"
    if isinstance(expected, str | Set) or expected is None or isinstance(got, str | Set | dict) or got is None:
        return None if type(got) is type(expected) and got == expected else f"it is {show(got)}"
    try:
        left, right = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    except (TypeError, ValueError):
        return None if np.array_equal(got, expected) else f"it is {show(got)}"
    if left.shape != right.shape:
        return f"its shape is {left.shape}, wanted is {right.shape}"
    wrong = ~np.isclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True)
    if not wrong.any():
        return None
    if right.ndim == 0:
        return f"it is {show(got)}"
    where = tuple(int(axis) for axis in np.argwhere(wrong)[0])
    return (
        f"{wrong.sum()} of {wrong.size} numbers are wrong; at {list(where)} it has {left[where]:.4g}, "
        f"wanted is {right[where]:.4g}"
    )


def _contents(got: Any, expected: Any, tolerance: float) -> str | None:
    if isinstance(expected, list) and not any(isinstance(one, str | list | dict) for one in [*expected, *got]):
        try:
            return _difference(np.asarray(got, dtype=float), np.asarray(expected, dtype=float), tolerance)
        except (TypeError, ValueError):
            pass  # parts of different shapes are compared one by one
    keys = list(expected) if isinstance(expected, dict) else list(range(len(expected)))
    if len(got) != len(expected) or (isinstance(expected, dict) and set(got) != set(expected)):
        return f"it has {len(got)} parts ({show(got)}), wanted are {len(expected)}"
    for key in keys:
        if said := _difference(got[key], expected[key], tolerance):
            return f"part {key!r}: {said}"
    return None


def show(value: Any) -> str:
    """A value in at most `SHOWN` characters."""
    with np.printoptions(precision=4, suppress=True, threshold=20):
        text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
