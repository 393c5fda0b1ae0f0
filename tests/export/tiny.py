"""Opened models small enough to export many times, with tokenizers of their own."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from smidgen.checkpoints.open_model import OpenModel
from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE, ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.recipes.tokenizer import SpecialTokens, TokenizerSettings
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.tokenization.training import train_tokenizer

SENTENCES = [
    "The cats sat on the mat and the dogs ran over the hill.\n",
    "12 + 34 = 46 and (7 - 10) * 3 = -9, as NASA and McDonald know.\n",
    "In the year 2024 the other cats sat there, 1234567 of them.\n",
]
ARITHMETIC = TokenizerSettings(
    digits="reversed",
    isolate_operators=True,
    isolate_whitespace=True,
    special_tokens=SpecialTokens(pad="<pad>", bos="<bos>", eos="<eos>"),
)
RULES = TokenizerSettings(digits="reversed", isolate_operators=True, isolate_whitespace=True, case_mapping=True)
CLOSING = replace(ARITHMETIC, close_numbers=True)
PLAIN = TokenizerSettings()
DIGITS = {"place_vocab_size": PLACE_VOCAB_SIZE, "role_vocab_size": ROLE_VOCAB_SIZE}
VOCAB_SIZE = 290
CONTEXT = 24


@cache
def tokenizer(settings: TokenizerSettings = PLAIN) -> Tokenizer:
    return train_tokenizer(3 * SENTENCES, settings, VOCAB_SIZE)


def tiny_model(settings: TokenizerSettings = PLAIN, **changes: object) -> OpenModel:
    """Weights that keep the size of what passes through, so that an error anywhere shows in the logits."""
    shape = {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": 30,
        "num_layers": 2,
        "num_heads": 6,
        "num_kv_heads": 3,
        "head_dim": 8,
        "intermediate_size": 22,
        "context_length": CONTEXT,
        "rope_theta": 2_500.0,
    }
    if "place_vocab_size" in changes:
        changes["digit_token_ids"] = tokenizer(settings).digit_token_ids()
    decoder = Decoder(ModelConfig(**{**shape, **changes}))
    randomise(decoder)
    return OpenModel("tiny", Path("tiny"), decoder.eval(), tokenizer(settings), "0" * 64)


@torch.no_grad()
def randomise(decoder: Decoder) -> None:
    generator = torch.Generator().manual_seed(0)
    for name, parameter in decoder.named_parameters():
        drawn = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim > 1:
            # Small embeddings: a tied model would otherwise just repeat its newest token.
            parameter.copy_(drawn * (0.3 if "embed" in name else parameter.shape[-1] ** -0.5))
        else:
            parameter.copy_(0.3 * drawn + ("norm" in name))


def random_ids(rows: int, tokens: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(VOCAB_SIZE, (rows, tokens), generator=torch.Generator().manual_seed(seed))


def farthest(a: torch.Tensor, b: torch.Tensor) -> float:
    assert a.shape == b.shape
    return (a - b).abs().max().item()


@torch.inference_mode()
def logits_of(decoder: Decoder, ids_BT: torch.Tensor) -> torch.Tensor:
    return decoder(ids_BT)
