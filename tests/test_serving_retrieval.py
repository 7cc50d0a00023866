"""Exact and approximate search, and the encoder as ONNX: each against what it stands for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.serving import onnx_encoder, retrieval
from course_lib.serving.onnx_encoder import OnnxEncoder
from course_lib.serving.scoring import top

pytest_plugins = ["serving_room", "text_room"]
TEXTS = [
    "A quiet film.",
    "Space battles over a distant moon, told by the robots who lost them.",
    "",
    "word " * 400,
    "Été",
]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_the_exact_search_is_a_full_sort(num_items, k, seed):
    rng = np.random.default_rng(seed)
    items = rng.integers(-2, 3, (num_items, 3)).astype(np.float32)  # many ties
    queries = rng.integers(-2, 3, (4, 3)).astype(np.float32)
    if k > num_items:
        with pytest.raises(ValueError, match=f"there are {num_items} items"):
            retrieval.exact(items, queries, k)
        return
    scores = queries @ items.T
    found = retrieval.exact(items, queries, k)
    np.testing.assert_array_equal(np.take_along_axis(scores, found, 1), -np.sort(-scores, axis=1)[:, :k])
    assert all(len(set(row)) == k for row in found)


def test_the_exact_search_does_not_depend_on_its_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    items, queries = rng.standard_normal((1000, 8), dtype=np.float32), rng.standard_normal((5, 8), dtype=np.float32)
    whole = retrieval.exact(items, queries, 10)
    monkeypatch.setattr(retrieval, "BLOCK", 7)
    np.testing.assert_array_equal(retrieval.exact(items, queries, 10), whole)


def test_the_index_finds_nearly_all_and_more_with_more_work():
    rng = np.random.default_rng(0)
    items, queries = (rng.standard_normal((size, 48), dtype=np.float32) for size in (5000, 50))  # the hardest case
    found = retrieval.study(items, queries, probes=(1, 8, 71))
    recalls = [point.recall for point in found.points]
    assert found.points[0].name == "exact" and recalls[0] == 1
    assert recalls[1] < recalls[2] < recalls[3] and recalls[3] == 1, "71 cells are all cells"
    assert found.megabytes > items.nbytes / 1e6 and found.build_seconds > 0
    shuffled = retrieval.search(retrieval.build_index(items[::-1]), queries, 10, 71)
    assert retrieval.recall(shuffled, retrieval.exact(items, queries, 10)) < 0.2


def test_synthetic_items_lie_around_the_real_ones():
    real = np.eye(30, 40, dtype=np.float32)
    items = retrieval.synthetic_items(real, 1000, noise=0.3, block=128)
    near = (items @ real.T).max(axis=1)
    assert abs(near.mean() - 1) < 0.1 and np.linalg.norm(items, axis=1).std() > 0
    assert len(np.unique((items @ real.T).argmax(axis=1))) == 30
    np.testing.assert_array_equal(items, retrieval.synthetic_items(real, 1000, noise=0.3, block=128))


def test_top_leaves_out_what_was_seen_and_breaks_ties_by_position():
    scores = np.array([1, 3, 3, 2, 3], dtype=np.float32)
    assert top(scores, 3, np.array([1])).tolist() == [2, 4, 3]
    assert top(scores, 10, np.array([0, 1, 2, 3])).tolist() == [4]
    assert top(scores, 2, np.arange(5)).tolist() == []


def test_onnx_equals_pytorch_on_any_batch_and_length(tiny, onnx_folder):
    encoder = OnnxEncoder.of_folder(onnx_folder)
    assert (encoder.key, encoder.dim) == (tiny.key, tiny.dim)
    together = encoder.encode(TEXTS)
    np.testing.assert_allclose(together, np.vstack([encoder.encode([text]) for text in TEXTS]), atol=1e-5)
    written = [0, 1, 3, 4]
    expected = onnx_encoder._float32_vectors(tiny, TEXTS)
    np.testing.assert_allclose(together, expected, atol=1e-5)
    with pytest.warns(UserWarning, match="longer than max_length"):
        rounded = tiny.encode(TEXTS)
    np.testing.assert_allclose(together[written], rounded[written], atol=2e-3)


def test_the_encoders_are_compared_side_by_side(tiny, onnx_folder):
    found = onnx_encoder.compare(tiny, onnx_folder, TEXTS)
    assert found["float32"]["max_difference"] < 1e-5 and found["float32"]["min_cosine"] > 0.99999
    assert 0.9 < found["int8"]["min_cosine"] < 1 and found["int8"]["megabytes"] < found["float32"]["megabytes"]
    assert all(found[name]["texts_per_second"] > 0 for name in ("pytorch", "float32", "int8"))


def test_the_real_encoder_keeps_its_vectors_as_onnx(minilm, tmp_path):
    """The bounds that the course states: float32 the same to five digits, int8 close, and four times smaller."""
    folder = onnx_encoder.export_encoder(minilm, tmp_path / "encoder")
    found = onnx_encoder.compare(minilm, folder, [text for text in TEXTS if text] * 4)
    assert found["float32"]["max_difference"] < 1e-5
    assert found["int8"]["mean_cosine"] > 0.97 and found["int8"]["min_cosine"] > 0.93
    assert found["int8"]["megabytes"] < 0.3 * found["float32"]["megabytes"]
