"""Finding the k nearest of many items: all inner products, or an index that looks at a few.

The index is Faiss's inverted file (Sivic and Zisserman 2003; Johnson et al. 2017): k-means cuts the items into cells, a
search looks into the cells nearest to the query. Taught in 07_deployment.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

BLOCK = 100_000  # items scored at a time: bounds the memory of an exact search
SAMPLE = 64  # items a cell that k-means learns from


@dataclass(frozen=True)
class Point:
    """One setting of a search, measured.

    Attributes
    ----------
    name : str
    probes : int
        Cells that the index looks into; 0 for the exact search.
    recall : float
        Share of the exact k best that were found, mean over queries.
    queries_per_second : float
        One query at a time, one thread.
    """

    name: str
    probes: int
    recall: float
    queries_per_second: float


@dataclass(frozen=True)
class Study:
    """An index against the exact search.

    Attributes
    ----------
    num_items, dim, k : int
    build_seconds : float
    megabytes : float
        Of the index as it would be saved, the vectors in it included.
    points : tuple of Point
        The exact search first.
    """

    num_items: int
    dim: int
    k: int
    build_seconds: float
    megabytes: float
    points: tuple[Point, ...]


def exact(items: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """Positions of the k largest inner products, best first.

    Parameters
    ----------
    items : ndarray of float32, [num_items, dim]
    queries : ndarray of float32, [num_queries, dim]
    k : int
        At most num_items.

    Returns
    -------
    ndarray of int64, [num_queries, k]
    """
    if not 1 <= k <= len(items):
        raise ValueError(f"k is {k}, but there are {len(items):,} items")
    scores = np.empty((len(queries), 0), dtype=np.float32)
    positions = np.empty((len(queries), 0), dtype=np.int64)
    for start in range(0, len(items), BLOCK):
        block = queries @ items[start : start + BLOCK].T  # [num_queries, block]
        size = min(k, block.shape[1])
        best = np.argpartition(-block, size - 1, axis=1)[:, :size]
        scores = np.hstack([scores, np.take_along_axis(block, best, axis=1)])
        positions = np.hstack([positions, best + start])
    order = np.lexsort((positions, -scores), axis=1)
    return np.take_along_axis(positions, order, axis=1)[:, :k]


def build_index(items: np.ndarray, num_cells: int | None = None, seed: int = 0) -> Any:
    """An inverted file over the items for inner products; built by all cores.

    Parameters
    ----------
    items : ndarray of float32, [num_items, dim]
    num_cells : int, optional
        About the square root of the number of items if left out.

    Returns
    -------
    faiss.IndexIVFFlat
    """
    import faiss

    num_items, dim = items.shape
    cells = num_cells or max(1, round(num_items**0.5))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = 10
    sample = np.random.default_rng(seed).choice(num_items, min(num_items, SAMPLE * cells), replace=False)
    index.train(np.ascontiguousarray(items[sample]))
    index.add(np.ascontiguousarray(items))
    return index


def search(index: Any, queries: np.ndarray, k: int, probes: int) -> np.ndarray:
    """Positions of about the k largest inner products, one query after the other; -1 where fewer were found."""
    index.nprobe = probes
    return np.vstack([index.search(query[None, :], k)[1] for query in queries])


def recall(found: np.ndarray, expected: np.ndarray) -> float:
    """Share of the expected positions that were found, mean over rows."""
    hits = [len(np.intersect1d(one, other)) for one, other in zip(found, expected, strict=True)]
    return float(np.mean(hits) / expected.shape[1])


def study(items: np.ndarray, queries: np.ndarray, k: int = 10, probes: Sequence[int] = (1, 2, 4, 8, 16, 32)) -> Study:
    """Build an index, then measure recall against speed, the exact search beside it; all searches on one thread."""
    import faiss

    began = time.perf_counter()
    index = build_index(items)
    build_seconds = time.perf_counter() - began
    with threadpool_limits(1):
        began = time.perf_counter()
        expected = np.vstack([exact(items, query[None, :], k) for query in queries])
        points = [Point("exact", 0, 1.0, len(queries) / (time.perf_counter() - began))]
        for number in probes:
            began = time.perf_counter()
            found = search(index, queries, k, number)
            speed = len(queries) / (time.perf_counter() - began)
            points.append(Point("inverted file", number, recall(found, expected), speed))
    megabytes = faiss.serialize_index(index).nbytes / 1e6
    return Study(len(items), items.shape[1], k, build_seconds, megabytes, tuple(points))


def synthetic_items(
    vectors: np.ndarray, num_items: int, noise: float = 0.3, seed: int = 0, block: int = BLOCK
) -> np.ndarray:
    """Many items that lie as real ones do: copies of real vectors, each with noise of its own.

    Independent random directions would be the hardest case and a useless one: in many dimensions all are equally far.

    Parameters
    ----------
    vectors : ndarray of float32, [num_real, dim]
    noise : float
        Length of the noise, relative to the vectors' mean length.

    Returns
    -------
    ndarray of float32, [num_items, dim]
    """
    rng = np.random.default_rng(seed)
    dim = vectors.shape[1]
    scale = np.float32(noise * np.linalg.norm(vectors, axis=1).mean() / np.sqrt(dim))
    items = np.empty((num_items, dim), dtype=np.float32)
    for start in range(0, num_items, block):
        size = min(block, num_items - start)
        chosen = rng.integers(0, len(vectors), size)
        items[start : start + size] = vectors[chosen] + scale * rng.standard_normal((size, dim), dtype=np.float32)
    return items
