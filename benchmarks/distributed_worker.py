"""One of the processes that torchrun starts for `distributed.py`: trains LightGCN, or encodes titles, with the others.

torchrun --nproc-per-node N distributed_worker.py train|train-float64|encode INPUT OUTPUT.npz
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from scipy import sparse
from torch import Tensor
from torch.nn.functional import normalize

from course_lib import sources
from course_lib.graph import bipartite_adjacency, symmetric_normalize, to_torch
from course_lib.models.embedding import LightGCNEncoder
from course_lib.text.encoder import TextEncoder, pool

DIM, LAYERS, TEMPERATURE, LEARNING_RATE, SEED = 64, 2, 0.2, 0.02, 0
BATCH, EPOCHS = 2048, 5
MODEL = "all-minilm-l6-v2"
TEXTS_AT_ONCE = 32


def shares(order: np.ndarray) -> np.ndarray:
    """The part of a list that this process does: every N-th."""
    return order[dist.get_rank() :: dist.get_world_size()]


def my_loss(encoder: LightGCNEncoder, train: sparse.csr_matrix, users: np.ndarray) -> Tensor:
    """My users' part of the batch's loss: the parts of all processes add up to the mean over the batch's positives."""
    H_u, H_i = (normalize(H, dim=1) for H in encoder())
    mine = shares(users)
    positives = train[mine].tocoo()
    log_p = torch.log_softmax(H_u[mine] @ H_i.T / TEMPERATURE, dim=1)
    return -log_p[positives.row.astype(np.int64), positives.col.astype(np.int64)].sum() / train[users].nnz


def add_up(encoder: LightGCNEncoder) -> None:
    """Make every process hold the sum of all gradients."""
    for parameter in encoder.parameters():
        dist.all_reduce(parameter.grad)


def train(path: str, dtype: torch.dtype = torch.float32) -> dict[str, np.ndarray]:
    """Vectors after a few epochs; every process holds all of them, each differentiates the loss of its own users."""
    R = sparse.load_npz(path).tocsr()
    torch.manual_seed(SEED)
    A_hat = to_torch(symmetric_normalize(bipartite_adjacency(R)))
    encoder = LightGCNEncoder(*R.shape, DIM, A_hat.to(dtype), LAYERS).to(dtype)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=LEARNING_RATE)
    generator = np.random.default_rng(SEED)  # the same in all processes: they agree on every batch
    active = np.flatnonzero(np.diff(R.indptr))
    dist.barrier()
    began = time.perf_counter()
    for _ in range(EPOCHS):
        order = generator.permutation(active)
        for start in range(0, len(order), BATCH):
            optimizer.zero_grad()
            my_loss(encoder, R, order[start : start + BATCH]).backward()
            add_up(encoder)
            optimizer.step()
    seconds = time.perf_counter() - began
    with torch.no_grad():
        H_u, H_i = (normalize(H, dim=1).numpy() for H in encoder())
    return {"user_vectors": H_u, "item_vectors": H_i, "seconds": np.array(seconds)}


def encode(path: str) -> dict[str, np.ndarray]:
    """Vectors of the titles in their order; each process encodes its share and all gather the rest."""
    titles = np.array(json.loads(Path(path).read_text(encoding="utf-8")))
    encoder = TextEncoder(str(sources.fetch(MODEL)), device="cpu")
    tokens = encoder.tokenizer(list(titles), truncation=True, max_length=encoder.max_length)["input_ids"]
    longest_first = np.argsort([-len(one) for one in tokens], kind="stable")
    mine = shares(longest_first)
    encoder.bert  # noqa: B018  (loads the model, before the clock starts)
    dist.barrier()
    began = time.perf_counter()
    blocks = []
    with torch.inference_mode():
        for start in range(0, len(mine), TEXTS_AT_ONCE):
            ids = [tokens[row] for row in mine[start : start + TEXTS_AT_ONCE]]
            batch = encoder.tokenizer.pad({"input_ids": ids}, return_tensors="pt")
            blocks.append(pool(encoder.bert(**batch).last_hidden_state, batch["attention_mask"]).numpy())
    parts: list[tuple[np.ndarray, np.ndarray]] = [None] * dist.get_world_size()  # type: ignore[list-item]
    dist.all_gather_object(parts, (mine, np.concatenate(blocks)))
    vectors = np.empty((len(titles), parts[0][1].shape[1]), dtype=np.float32)
    for rows, block in parts:
        vectors[rows] = block
    return {"vectors": vectors, "seconds": np.array(time.perf_counter() - began)}


def main(what: str, path: str, answer: str) -> None:
    """Join the group, work, and let the first process write."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    double = partial(train, dtype=torch.float64)
    result = {"train": train, "train-float64": double, "encode": encode}[what](path)
    if dist.get_rank() == 0:
        np.savez(answer, **result)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
