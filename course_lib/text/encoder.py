"""From a text to a vector: tokenizer, BERT, pooling (Devlin et al. 2019; Reimers and Gurevych 2019).

Taught in 04_bert_encoding.
"""

import hashlib
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from course_lib.text import vector_cache
from course_lib.text.checkpoints import model_folder, model_key
from course_lib.training import pick_device

POOLINGS = ("mean", "cls", "max")


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """A BERT that turns texts into vectors and remembers them on disk.

    Tokenizer and weights are loaded when they are first needed: for texts that were encoded before, never.

    Attributes
    ----------
    model : str
        Name of a model in `datasets/manifest.toml`, or a folder, or a name on the model hub ("bert-base-uncased").
    pooling : {"mean", "cls", "max"}
        How the token vectors become one, see `pool`.
    max_length : int
        Tokens read of each text, [CLS] and [SEP] included; the rest is cut off.
    device : str
        "auto", "cpu", "cuda", ...
    batch_size : int
        Texts that go through the model together.
    """

    model: str = "all-minilm-l6-v2"
    pooling: str = "mean"
    max_length: int = 256
    device: str = "auto"
    batch_size: int = 32

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling is {self.pooling!r}; choose one of {', '.join(POOLINGS)}")
        if self.max_length < 3 or self.batch_size < 1:
            raise ValueError(
                f"max_length is {self.max_length} and batch_size {self.batch_size}; a text needs 3 tokens or more "
                "([CLS], a word, [SEP]), a batch one text"
            )

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits of weights, vocabulary, pooling and max_length: what decides the vectors."""
        facts = f"{model_key(self.model)} {self.pooling} {self.max_length}"
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    @cached_property
    def tokenizer(self) -> Any:
        """The model's tokenizer, of transformers."""
        _silence()
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(model_folder(self.model))

    @cached_property
    def bert(self) -> Any:
        """The model itself, of transformers (a `BertModel` for a BERT), ready to encode: float32, no dropout."""
        _silence()
        from transformers import AutoModel

        with torch.random.fork_rng(devices=[]):  # layers that the file lacks are drawn at random; we use none of them
            bert = AutoModel.from_pretrained(model_folder(self.model), dtype=torch.float32)
        limit = bert.config.max_position_embeddings
        if self.max_length > limit:
            raise ValueError(f"max_length is {self.max_length}, but {self.model} reads {limit} tokens at most")
        return bert.to(pick_device(self.device)).eval()

    @cached_property
    def dim(self) -> int:
        """Length of a vector."""
        _silence()
        from transformers import AutoConfig

        return AutoConfig.from_pretrained(model_folder(self.model)).hidden_size

    def tokens(self, text: str) -> list[str]:
        """The pieces a text is read as, [CLS] and [SEP] included, cut at `max_length`."""
        ids = self.tokenizer(text, truncation=True, max_length=self.max_length)["input_ids"]
        return self.tokenizer.convert_ids_to_tokens(ids)

    def encode(self, texts: Sequence[str], progress: bool = True) -> np.ndarray:
        """One vector a text, in the order given, not normalised.

        Each different text goes through the model once: together with texts of about its length, so that little is
        spent on padding. Its vector is rounded to float16 and kept in the cache folder, so the second call returns
        exactly what the first one did.

        Parameters
        ----------
        texts : sequence of str, [num_texts]
            An empty text (or white space alone) has no words to encode: its vector is zero.
        progress : bool
            Show a bar.

        Returns
        -------
        ndarray of float32, [num_texts, dim]

        Raises
        ------
        ValueError
            Naming the first text that is None, NaN or anything else but text.
        SourceError
            Where the model is needed and cannot be obtained.
        """
        check_texts(texts)
        texts = list(texts)
        written = [position for position, text in enumerate(texts) if text.strip()]
        if not written:
            return np.zeros((len(texts), self.dim), dtype=np.float32)
        digests = {text: vector_cache.digest_of(text) for text in {texts[position]: None for position in written}}
        path = vector_cache.path_of(self.key)
        cached = vector_cache.load(path)
        missing = [text for text, digest in digests.items() if digest not in cached.row]
        if missing:
            cached = vector_cache.add(path, [digests[text] for text in missing], *self._run(missing, progress))

        rows = [cached.row[digests[texts[position]]] for position in written]
        if cached.cut[rows].any():
            warnings.warn(
                f"{cached.cut[rows].sum():,} of {len(texts):,} texts are longer than max_length, {self.max_length} "
                "tokens: only their beginning was encoded",
                stacklevel=2,
            )
        vectors = np.zeros((len(texts), cached.vectors.shape[1]), dtype=np.float32)
        vectors[written] = cached.vectors[rows]
        return vectors

    def _run(self, texts: list[str], progress: bool) -> tuple[np.ndarray, np.ndarray]:
        """Vectors, [num_texts, dim] float16, and whether each text was cut, [num_texts] bool."""
        ids = self.tokenizer(texts, truncation=True, max_length=self.max_length)["input_ids"]
        lengths = np.array([len(one) for one in ids])
        cut = lengths == self.max_length
        for position in np.flatnonzero(cut):  # which of those would have gone on?
            cut[position] = len(self.tokenizer(texts[position], verbose=False)["input_ids"]) > self.max_length
        vectors = np.empty((len(texts), self.dim), dtype=np.float16)
        longest_first = np.argsort(-lengths, kind="stable")
        bar = tqdm(total=len(texts), desc="encoding", unit="text", leave=False, disable=not progress)
        with torch.inference_mode(), bar:
            for start in range(0, len(texts), self.batch_size):
                rows = longest_first[start : start + self.batch_size]
                batch = self.tokenizer.pad({"input_ids": [ids[row] for row in rows]}, return_tensors="pt")
                batch = batch.to(self.bert.device)
                hidden = self.bert(**batch).last_hidden_state
                vectors[rows] = pool(hidden, batch["attention_mask"], self.pooling).half().cpu().numpy()
                bar.update(len(rows))
        return vectors, cut


def pool(hidden: Tensor, attention_mask: Tensor, pooling: str = "mean") -> Tensor:
    r"""One vector a text from its token vectors; padding never counts.

    $$ e = \frac{1}{|T|} \sum_{t \in T} h_t \;\text{(mean)}, \quad e = h_{[CLS]} \;\text{(cls)}, \quad
       e_d = \max_{t \in T} h_{t,d} \;\text{(max)} $$

    Parameters
    ----------
    hidden : tensor, [num_texts, num_tokens, dim]
        The model's last layer.
    attention_mask : tensor, [num_texts, num_tokens]
        1 at a token, 0 at padding (at the end of a row). $T$ are the positions of the ones.
    pooling : {"mean", "cls", "max"}

    Returns
    -------
    tensor, [num_texts, dim]
    """
    if pooling == "cls":
        return hidden[:, 0]
    padding = attention_mask.unsqueeze(-1) == 0  # [num_texts, num_tokens, 1]
    if pooling == "max":
        return hidden.masked_fill(padding, -torch.inf).amax(dim=1)
    return hidden.masked_fill(padding, 0.0).sum(dim=1) / attention_mask.sum(dim=1, keepdim=True)


def check_texts(texts: Sequence[str], name: str = "texts") -> None:
    """Raise a ValueError that names the first entry that is not a text."""
    if isinstance(texts, str):
        raise ValueError(f"{name} is one string; give a list of texts")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"{name}[{position}] is {text!r}, not a text; use '' where there is none")
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError(f"{name}[{position}] holds half a character (a lone surrogate); read it again as UTF-8")


def _silence() -> None:
    """Keep the bars and reports of transformers out of the learner's output; before its import, and after."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    from transformers.utils import logging

    logging.disable_progress_bar()
