"""Masked language modelling: what is hidden, what is learned, what stays as it was."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertForMaskedLM, BertModel, BertTokenizer

from course_lib.text.masked_lm import Batch, MaskedLanguageModel, adapt, mask_tokens

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
COLOURS = {"apple": "red", "banana": "yellow", "plum": "blue", "leaf": "green"}
VOCABULARY = [*SPECIAL, "the", "is", "fruit", *COLOURS, *COLOURS.values()]
TEXTS = [f"the {fruit} is {colour}" for fruit, colour in COLOURS.items()] * 15  # one word tells the other


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny matrices are slower on two threads, and much slower where both cores are busy."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two layers and its tokenizer."""
    folder = tmp_path_factory.mktemp("bert")
    BertTokenizer(vocab={token: number for number, token in enumerate(VOCABULARY)}).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_tokens_are_hidden_by_the_80_10_10_rule() -> None:
    input_ids = torch.full((400, 500), 7)
    special = torch.rand(input_ids.shape) < 0.2
    masked_ids, picked = mask_tokens(input_ids, special, 30_000, 103, torch.Generator().manual_seed(0))
    assert (input_ids == 7).all() and not picked[special].any()
    assert (masked_ids[~picked] == 7).all()
    seen = masked_ids[picked]
    shares = [picked[~special].float().mean(), *((seen == number).float().mean() for number in (103, 7))]
    np.testing.assert_allclose(shares, [0.15, 0.8, 0.1], atol=0.01)  # six standard errors or more
    random_ids = seen[(seen != 103) & (seen != 7)]
    assert random_ids.min() < 300 and random_ids.max() > 29_700  # from all over the vocabulary


def test_masking_follows_its_generator() -> None:
    input_ids, special = torch.arange(1000).reshape(10, 100), torch.zeros(10, 100, dtype=torch.bool)
    first, second, other = (
        mask_tokens(input_ids, special, 1000, 4, torch.Generator().manual_seed(seed), share=0.5) for seed in (1, 1, 2)
    )
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    assert not torch.equal(first[1], other[1])


def test_the_head_equals_the_one_of_transformers(tiny_bert: Path) -> None:
    theirs = BertForMaskedLM.from_pretrained(tiny_bert).eval()
    share = torch.rand(len(VOCABULARY)) + 0.1
    ours = MaskedLanguageModel(BertModel.from_pretrained(tiny_bert), share / share.sum()).eval()
    torch.nn.init.normal_(ours.dense.weight)
    head = theirs.cls.predictions
    head.transform.dense.load_state_dict(ours.dense.state_dict())
    head.transform.LayerNorm.load_state_dict(ours.norm.state_dict())
    head.decoder.bias.data.copy_(ours.bias.data)
    input_ids, attention_mask = torch.randint(5, len(VOCABULARY), (6, 9)), torch.ones(6, 9, dtype=torch.long)
    attention_mask[3:, 6:] = 0
    picked = (torch.rand(6, 9) < 0.4) & attention_mask.bool()
    with torch.inference_mode():
        expected = theirs(input_ids=input_ids, attention_mask=attention_mask).logits[picked]
        logits = ours(Batch(input_ids, attention_mask, picked, input_ids[picked]))
    torch.testing.assert_close(logits, expected)


def test_the_encoder_learns_what_the_frequencies_cannot_tell(tiny_bert: Path) -> None:
    result = adapt(TEXTS, tiny_bert, 2, num_steps=200, learning_rate=5e-3, head_learning_rate=5e-3)
    assert result.chance == pytest.approx(math.log(len(VOCABULARY)))
    assert result.after < 0.6 * min(result.before, result.unigram) and result.unigram < result.chance
    assert len(result.losses) == 200 and np.mean(result.losses[-20:]) < np.mean(result.losses[:20])


def test_the_unigram_loss_is_that_of_the_token_shares(tiny_bert: Path) -> None:
    same = ["the the is"] * 40
    result = adapt(same, tiny_bert, 0, num_steps=1)
    the, is_ = (-math.log((count + 1) / (36 * 3 + len(VOCABULARY))) for count in (72, 36))
    num_is = (result.unigram - the) * result.num_hidden / (is_ - the)
    assert num_is == pytest.approx(round(num_is), abs=1e-3) and 0 <= round(num_is) <= result.num_hidden


def test_frozen_layers_stay_and_the_exam_is_the_same(tiny_bert: Path) -> None:
    original = dict(BertModel.from_pretrained(tiny_bert).named_parameters())
    results = {layers: adapt(TEXTS, tiny_bert, layers, num_steps=5) for layers in (0, 1, 2)}
    assert len({(result.before, result.unigram, result.num_hidden) for result in results.values()}) == 1
    assert len({result.after for result in results.values()}) == 3
    moved = {
        layers: {name for name, weight in result.encoder.named_parameters() if not torch.equal(weight, original[name])}
        for layers, result in results.items()
    }
    assert moved[0] == set()
    assert moved[1] and all(name.startswith("encoder.layer.1.") for name in moved[1])
    assert "embeddings.word_embeddings.weight" in moved[2]


def test_the_seed_decides(tiny_bert: Path) -> None:
    first, second, other = (adapt(TEXTS, tiny_bert, 2, num_steps=5, seed=seed) for seed in (0, 0, 1))
    assert first.losses == second.losses != other.losses and first.after == second.after


def test_saved_and_loaded_it_gives_the_same_vectors(tiny_bert: Path, tmp_path: Path) -> None:
    result = adapt(TEXTS, tiny_bert, 2, num_steps=5)
    folder = result.save(tmp_path / "adapted")
    assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors"}
    tokenizer, encoder = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    tokens = tokenizer(TEXTS[:4], return_tensors="pt")
    assert torch.equal(tokens["input_ids"], result.tokenizer(TEXTS[:4], return_tensors="pt")["input_ids"])
    with torch.inference_mode():
        vectors = [model.eval()(**tokens).last_hidden_state for model in (encoder, result.encoder)]
    assert torch.equal(*vectors)


@pytest.mark.parametrize(
    ("texts", "trainable_layers", "message"),
    [
        ([*TEXTS[:10], "", " \n"], 2, "2 of 12 texts hold no token, the first at position 10"),
        (TEXTS[:9], 2, "9 texts are too few"),
        (TEXTS, 3, "trainable_layers is 3; this encoder has 2 layers"),
        (TEXTS, -1, "trainable_layers is -1"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(
    tiny_bert: Path, texts: list[str], trainable_layers: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        adapt(texts, tiny_bert, trainable_layers)


def test_texts_too_short_and_folders_without_a_model_are_named(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too short"):
        for seed in range(5):  # nine in ten single words are not hidden
            adapt(["is"] * 10, tiny_bert, num_steps=1, seed=seed)
    with pytest.raises(FileNotFoundError, match="holds no model"):
        adapt(TEXTS, tmp_path)


def test_long_foreign_and_odd_texts_are_taken(tiny_bert: Path) -> None:
    odd = ["the plum " * 5000, "香港电影", "🎬🎬", "is"]
    result = adapt([*TEXTS[:40], *odd * 5], tiny_bert, 2, num_steps=8, max_length=32)
    assert math.isfinite(result.after) and all(map(math.isfinite, result.losses))
