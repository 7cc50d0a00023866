"""The text encoder without torch: exported to ONNX, run by ONNX Runtime, as float32 and as int8.

Exporting needs torch, encoding does not. Taught in 07_deployment.
"""

import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_lib.serving.bundle import Bundle, read_encoder_file

if TYPE_CHECKING:
    from course_lib.text.encoder import TextEncoder

FLOAT32, INT8 = "model.onnx", "model.int8.onnx"
TOKENIZER, FACTS = "tokenizer.json", "encoder.json"
OPSET = 18


class OnnxEncoder:
    """Texts to vectors as `TextEncoder` makes them, without its cache.

    Parameters
    ----------
    model, tokenizer, facts : bytes
        Content of `model.onnx` or `model.int8.onnx`, `tokenizer.json` and `encoder.json`.
    num_threads : int
        Threads of ONNX Runtime. One leaves the other cores to the requests.
    batch_size : int
        Texts that go through the model together.
    """

    def __init__(
        self, model: bytes, tokenizer: bytes, facts: bytes, num_threads: int = 1, batch_size: int = 32
    ) -> None:
        import onnxruntime  # type: ignore[import-untyped]
        from tokenizers import Tokenizer

        described = json.loads(facts)
        self.key: str = described["key"]
        self.dim: int = described["dim"]
        self.batch_size = batch_size
        self._tokenizer = Tokenizer.from_str(tokenizer.decode())
        self._tokenizer.enable_truncation(described["max_length"])
        self._tokenizer.enable_padding(pad_id=described["pad_id"], pad_token=described["pad_token"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.log_severity_level = 3  # errors only
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    @classmethod
    def of_bundle(cls, bundle: Bundle, model: str = FLOAT32, num_threads: int = 1) -> "OnnxEncoder":
        """The encoder that lies in a bundle.

        Raises
        ------
        BundleError
            Where the bundle has none, or it was changed.
        """
        content = [read_encoder_file(bundle, name) for name in (model, TOKENIZER, FACTS)]
        return cls(content[0], content[1], content[2], num_threads)

    @classmethod
    def of_folder(cls, folder: str | Path, model: str = FLOAT32, num_threads: int = 1) -> "OnnxEncoder":
        """The encoder that `export_encoder` wrote."""
        content = [(Path(folder) / name).read_bytes() for name in (model, TOKENIZER, FACTS)]
        return cls(content[0], content[1], content[2], num_threads)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """One vector a text, not normalised, [len(texts), dim] float32.

        Texts of about one length go through the model together; nothing depends on what else is in the batch but the
        last digits.
        """
        encoded = self._tokenizer.encode_batch(list(texts))
        lengths = np.array([sum(one.attention_mask) for one in encoded])
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        longest_first = np.argsort(-lengths, kind="stable")
        for start in range(0, len(texts), self.batch_size):
            rows = longest_first[start : start + self.batch_size]
            length = lengths[rows].max()
            ids, mask = (
                np.array([getattr(encoded[row], name)[:length] for row in rows], dtype=np.int64)
                for name in ("ids", "attention_mask")
            )
            vectors[rows] = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors


def export_encoder(encoder: "TextEncoder", folder: str | Path) -> Path:
    """Write a text encoder as ONNX, float32 and int8, with its tokenizer.

    The pooling is inside: from token numbers and mask, [batch, length] each, to vectors, [batch, dim]; batch and length
    are free. int8 rounds the weights of the matrix products, and their inputs while it runs.

    Returns
    -------
    Path
        The folder, with `model.onnx`, `model.int8.onnx`, `tokenizer.json`, `encoder.json`.
    """
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped]

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    ids = torch.ones(2, 7, dtype=torch.int64, device=encoder.bert.device)
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with _quiet():
        torch.onnx.export(
            _with_pooling(encoder),
            (ids, torch.ones_like(ids)),
            folder / FLOAT32,
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_shapes={"input_ids": free, "attention_mask": free},
            opset_version=OPSET,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        quantize_dynamic(folder / FLOAT32, folder / INT8, weight_type=QuantType.QInt8, per_channel=True)
    (folder / TOKENIZER).write_text(encoder.tokenizer.backend_tokenizer.to_str(), encoding="utf-8")
    facts = {
        "key": encoder.key,
        "dim": encoder.dim,
        "max_length": encoder.max_length,
        "pooling": encoder.pooling,
        "pad_id": encoder.tokenizer.pad_token_id,
        "pad_token": encoder.tokenizer.pad_token,
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return folder


def _with_pooling(encoder: "TextEncoder") -> Any:
    """BERT and the pooling as one module."""
    from torch import Tensor, nn

    from course_lib.text.encoder import pool

    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = encoder.bert

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
            hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            return pool(hidden, attention_mask, encoder.pooling)

    return Pooled().eval()


def compare(encoder: "TextEncoder", folder: str | Path, texts: Sequence[str], num_threads: int = 1) -> dict[str, Any]:
    """PyTorch, ONNX float32 and ONNX int8 side by side on the same texts and threads.

    Returns
    -------
    dict
        For `float32` and `int8`: `max_difference` of a component, `min_cosine`, `mean_cosine` to PyTorch's vectors,
        `megabytes` on disk; for these and `pytorch`: `texts_per_second`.
    """
    import torch

    texts = list(texts)
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        reference, seconds = _timed(lambda: _float32_vectors(encoder, texts))
    finally:
        torch.set_num_threads(before)
    found: dict[str, Any] = {"pytorch": {"texts_per_second": len(texts) / seconds}}
    for name, model in (("float32", FLOAT32), ("int8", INT8)):
        session = OnnxEncoder.of_folder(folder, model, num_threads)
        vectors, seconds = _timed(lambda session=session: session.encode(texts))  # type: ignore[misc]
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(reference, axis=1)
        cosine = (vectors * reference).sum(axis=1) / lengths
        found[name] = {
            "max_difference": float(np.abs(vectors - reference).max()),
            "min_cosine": float(cosine.min()),
            "mean_cosine": float(cosine.mean()),
            "megabytes": (Path(folder) / model).stat().st_size / 1e6,
            "texts_per_second": len(texts) / seconds,
        }
    return found


def _float32_vectors(encoder: "TextEncoder", texts: list[str]) -> np.ndarray:
    """What PyTorch gives before `TextEncoder` rounds it to float16 for its cache."""
    import torch

    from course_lib.text.encoder import pool

    lengths = np.array(
        [len(ids) for ids in encoder.tokenizer(texts, truncation=True, max_length=encoder.max_length)["input_ids"]]
    )
    longest_first = np.argsort(-lengths, kind="stable")
    vectors = np.empty((len(texts), encoder.dim), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(texts), encoder.batch_size):
            rows = longest_first[start : start + encoder.batch_size]
            batch = encoder.tokenizer(
                [texts[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=encoder.max_length,
                return_tensors="pt",
            ).to(encoder.bert.device)
            hidden = encoder.bert(**batch).last_hidden_state
            vectors[rows] = pool(hidden, batch["attention_mask"], encoder.pooling).cpu().numpy()
    return vectors


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' remarks about their own plumbing."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    work()  # warm up
    began = time.perf_counter()
    return work(), time.perf_counter() - began
