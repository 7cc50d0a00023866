"""Teaching a sentence encoder the words of a catalogue: hide some tokens, let the model guess them.

BERT's own self-supervision (Devlin et al. 2019, section 3.1): nobody labels anything, the text is its own answer.
Taught in 04_bert_encoding.
"""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from tqdm.auto import tqdm
from transformers import AutoTokenizer, BertModel, PreTrainedTokenizerBase, get_linear_schedule_with_warmup

from course_lib import sources
from course_lib.training import pick_device

MIN_TEXTS = 10


class Batch(NamedTuple):
    """Texts with some tokens hidden.

    Attributes
    ----------
    input_ids : tensor of int64, [num_texts, length]
        As the model sees them, filled up with the padding token.
    attention_mask : tensor of int64, [num_texts, length]
        1 at tokens, 0 at padding.
    picked : tensor of bool, [num_texts, length]
        The positions to guess.
    targets : tensor of int64, [num_picked]
        The tokens that stood there.
    """

    input_ids: Tensor
    attention_mask: Tensor
    picked: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(tensor.to(device) for tensor in self))


class MaskedLanguageModel(nn.Module):
    r"""An encoder and, on top, a head that guesses the token at a position.

    $$ \mathrm{logits} = \mathrm{LayerNorm}(\mathrm{gelu}(W h + c))\, E^\top + b $$

    E is the encoder's own table of word embeddings (tied weights), so the head adds W, c, the LayerNorm and b alone.
    W starts as the identity and b as the log share of each token: an untrained head knows which are frequent.

    Parameters
    ----------
    encoder : BertModel
    token_share : tensor of float32, [vocab_size]
        Share of each token, above zero.
    """

    def __init__(self, encoder: BertModel, token_share: Tensor) -> None:
        super().__init__()
        hidden_size = encoder.config.hidden_size
        self.encoder = encoder
        self.dense = nn.Linear(hidden_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size, eps=encoder.config.layer_norm_eps)
        self.bias = nn.Parameter(token_share.log())
        nn.init.eye_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, batch: Batch) -> Tensor:
        """Logits at the picked positions, [num_picked, vocab_size]; at the others they would cost and not be used."""
        hidden = self.encoder(batch.input_ids, batch.attention_mask).last_hidden_state  # [num_texts, length, hidden]
        guess = self.norm(nn.functional.gelu(self.dense(hidden[batch.picked])))  # [num_picked, hidden]
        return guess @ self.encoder.embeddings.word_embeddings.weight.T + self.bias

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy summed over the picked positions, in nats."""
        return nn.functional.cross_entropy(self(batch), batch.targets, reduction="sum")

    def train_top(self, num_layers: int) -> None:
        """Freeze the encoder but for its top layers; all layers means the embeddings too."""
        layers = self.encoder.encoder.layer
        if not 0 <= num_layers <= len(layers):
            raise ValueError(f"trainable_layers is {num_layers}; this encoder has {len(layers)} layers")
        self.encoder.requires_grad_(num_layers == len(layers))
        layers[len(layers) - num_layers :].requires_grad_(True)


@dataclass(frozen=True, eq=False)
class Adaptation:
    """An adapted encoder, and how well tokens of held-out texts were guessed: losses in nats a hidden token.

    Attributes
    ----------
    encoder : BertModel
    tokenizer : PreTrainedTokenizerBase
    losses : list of float, [num_steps]
        On the training batch of each step.
    chance, unigram : float
        Held-out loss of two guesses that read nothing: all tokens alike (ln V), each by its share in training texts.
    before, after : float
        Held-out loss of the untrained head on the original encoder, and of the trained model; same hidden tokens.
    num_hidden : int
        Hidden tokens behind each held-out loss.
    seconds : float
        Training alone.
    """

    encoder: BertModel
    tokenizer: PreTrainedTokenizerBase
    losses: list[float]
    chance: float
    unigram: float
    before: float
    after: float
    num_hidden: int
    seconds: float

    def save(self, folder: str | Path) -> Path:
        """Write encoder (safetensors) and tokenizer into a folder that `TextEncoder` loads; the head is dropped."""
        self.encoder.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        return Path(folder)


def mask_tokens(
    input_ids: Tensor, special: Tensor, vocab_size: int, mask_id: int, generator: torch.Generator, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Hide tokens by BERT's rule: of those picked, 80 % become [MASK], 10 % a random token, 10 % stay as they are.

    Parameters
    ----------
    input_ids : tensor of int64, any shape
        Left as it is.
    special : tensor of bool, same shape
        Positions that are never picked: [CLS], [SEP], padding.
    share : float
        Chance of any other position to be picked.

    Returns
    -------
    masked_ids : tensor of int64, same shape
    picked : tensor of bool, same shape
    """
    picked = (torch.rand(input_ids.shape, generator=generator) < share) & ~special
    fate = torch.rand(input_ids.shape, generator=generator)
    random_ids = torch.randint(vocab_size, input_ids.shape, generator=generator)
    masked_ids = torch.where(picked & (fate < 0.8), mask_id, input_ids)
    masked_ids = torch.where(picked & (fate >= 0.9), random_ids, masked_ids)
    return masked_ids, picked


def adapt(
    texts: Sequence[str],
    folder: str | Path | None = None,
    trainable_layers: int | None = None,
    num_steps: int = 40,
    batch_size: int = 16,
    learning_rate: float = 3e-4,
    head_learning_rate: float = 1e-3,
    max_length: int = 96,
    seed: int = 0,
    device: str = "auto",
) -> Adaptation:
    """Train encoder and head to guess hidden tokens of `texts`; measure on a tenth of the texts that is held out.

    Two calls with one seed measure on the same hidden tokens, whatever else differs.

    Parameters
    ----------
    texts : sequence of str
    folder : path, optional
        A BERT in the format of `transformers`; the course's MiniLM when not given.
    trainable_layers : int, optional
        How many of the top layers learn, and the head with them; 0 trains the head alone. All of them, as when not
        given, takes the embeddings along.
    learning_rate, head_learning_rate : float
        Highest step size of AdamW for encoder and head: up over the first tenth of the steps, then down to zero.
    max_length : int
        Tokens kept of each text.

    Raises
    ------
    ValueError
        Where texts hold no token, are fewer than 10 or too short, or for layers that the encoder does not have.
    FileNotFoundError
        Where the folder holds no model.
    """
    folder = Path(folder) if folder is not None else sources.fetch("all-minilm-l6-v2")
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder} holds no model of transformers: config.json is missing")
    torch.manual_seed(seed)  # dropout
    generator = torch.Generator().manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = BertModel.from_pretrained(folder, use_safetensors=True)
    train, held_out = _hold_out(_tokenize(texts, tokenizer, max_length), generator)
    exam = [_hide(held_out[i : i + 32], tokenizer, generator) for i in range(0, len(held_out), 32)]
    targets = torch.cat([batch.targets for batch in exam])
    if not len(targets):
        raise ValueError("the held-out texts are too short: none of their tokens was hidden; give more or longer texts")

    token_share = _token_share(train, encoder.config.vocab_size, tokenizer)
    model = MaskedLanguageModel(encoder, token_share).to(pick_device(device))
    model.train_top(encoder.config.num_hidden_layers if trainable_layers is None else trainable_layers)
    before = held_out_loss(model, exam)
    start = time.perf_counter()
    batches = (_hide(some, tokenizer, generator) for some in _draw(train, batch_size, num_steps, generator))
    losses = _fit(model, batches, num_steps, learning_rate, head_learning_rate)
    seconds = time.perf_counter() - start
    after = held_out_loss(model, exam)
    chance, unigram = math.log(len(token_share)), float(-token_share.log()[targets].mean())
    return Adaptation(
        encoder.cpu(), tokenizer, losses, chance, unigram, before, after, num_hidden=len(targets), seconds=seconds
    )


def held_out_loss(model: MaskedLanguageModel, exam: Sequence[Batch]) -> float:
    """Mean loss over all hidden tokens of some batches, in nats; without dropout."""
    model.eval()
    with torch.inference_mode():
        total = sum(float(model.loss(batch.to(model.bias.device))) for batch in exam)
    return total / sum(len(batch.targets) for batch in exam)


def _fit(
    model: MaskedLanguageModel, batches: Iterable[Batch], num_steps: int, encoder_rate: float, head_rate: float
) -> list[float]:
    """One step of AdamW a batch; the loss of each step."""
    head = [model.bias, *model.dense.parameters(), *model.norm.parameters()]
    encoder = [weight for weight in model.encoder.parameters() if weight.requires_grad]
    groups = [{"params": head, "lr": head_rate}, {"params": encoder, "lr": encoder_rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(num_steps / 10), num_steps + 1)
    model.train()
    losses = []
    for batch in tqdm(batches, total=num_steps, desc="masked language model", unit="step", leave=False):
        loss = model.loss(batch.to(model.bias.device)) / max(1, len(batch.targets))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def _tokenize(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_length: int) -> list[Tensor]:
    """Token ids of each text with [CLS] and [SEP], int64."""
    encoded = tokenizer(list(texts), truncation=True, max_length=max_length, padding=False)["input_ids"]
    empty = [position for position, tokens in enumerate(encoded) if len(tokens) <= 2]
    if empty:
        raise ValueError(f"{len(empty)} of {len(encoded)} texts hold no token, the first at position {empty[0]}")
    if len(encoded) < MIN_TEXTS:
        raise ValueError(f"{len(encoded)} texts are too few to hold a tenth out; give {MIN_TEXTS} or more")
    return [torch.tensor(tokens) for tokens in encoded]


def _hold_out(documents: list[Tensor], generator: torch.Generator) -> tuple[list[Tensor], list[Tensor]]:
    """Nine tenths to train on, one tenth to measure on."""
    order = torch.randperm(len(documents), generator=generator).tolist()
    num_held_out = len(documents) // 10
    return [documents[i] for i in order[num_held_out:]], [documents[i] for i in order[:num_held_out]]


def _token_share(documents: list[Tensor], vocab_size: int, tokenizer: PreTrainedTokenizerBase) -> Tensor:
    """Share of each token among the tokens that can be hidden, [vocab_size]; each counted once more than seen."""
    counts = torch.bincount(torch.cat(documents), minlength=vocab_size).float()
    counts[_never_hidden(tokenizer)] = 0
    return (counts + 1) / (counts + 1).sum()


def _draw(
    documents: list[Tensor], batch_size: int, num_steps: int, generator: torch.Generator
) -> Iterator[list[Tensor]]:
    """`num_steps` batches of documents, in a new order each epoch."""
    order: list[int] = []
    for _ in range(num_steps):
        if not order:
            order = torch.randperm(len(documents), generator=generator).tolist()
        chosen, order = order[:batch_size], order[batch_size:]
        yield [documents[i] for i in chosen]


def _never_hidden(tokenizer: PreTrainedTokenizerBase) -> Tensor:
    """Ids of [CLS], [SEP] and padding."""
    return torch.tensor([tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id])


def _hide(documents: list[Tensor], tokenizer: PreTrainedTokenizerBase, generator: torch.Generator) -> Batch:
    """Pad documents to one length and hide some of their tokens."""
    input_ids = pad_sequence(documents, batch_first=True, padding_value=tokenizer.pad_token_id)
    special = torch.isin(input_ids, _never_hidden(tokenizer))
    masked_ids, picked = mask_tokens(input_ids, special, len(tokenizer), tokenizer.mask_token_id, generator)
    attention_mask = (input_ids != tokenizer.pad_token_id).long()
    return Batch(masked_ids, attention_mask, picked, input_ids[picked])
