"""Models small enough to test and with weights large enough that an error shows.

Fresh models have weights of 0.02, biases of 0 and norms of 1: much can go wrong there without a trace.
"""

import torch

from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE, DigitTokenIds, ModelConfig
from smidgen.model.decoder import Decoder

# Token ids 0 to 9 are the digits, so that a list of ids can be read.
DIGIT_TOKEN_IDS = DigitTokenIds(
    digits=tuple(range(10)),
    operators=(10, 11, 12, 13),
    open_parenthesis=14,
    close_parenthesis=15,
    equals=16,
    spaces=(17, 18),
    line_starts=(19, 20),
)
PADDING = 20
DIGITS = {
    "place_vocab_size": PLACE_VOCAB_SIZE,
    "role_vocab_size": ROLE_VOCAB_SIZE,
    "digit_token_ids": DIGIT_TOKEN_IDS,
}
# Every option of the decoder that changes what a token may see.
OPTIONS = {
    "plain": {},
    "xsa": {"xsa": True},
    "qk-norm": {"qk_norm": True},
    "digits": DIGITS,
    "soft-cap": {"logit_softcap": 1.5},
    "xsa and digits": {"xsa": True, **DIGITS},
    "xsa, norms of heads, digits, biases, own head": {
        "xsa": True,
        "qk_norm": True,
        **DIGITS,
        "attention_bias": True,
        "mlp_bias": True,
        "tie_embeddings": False,
    },
}
SMALL = {
    "vocab_size": 29,
    "hidden_size": 30,
    "num_layers": 2,
    "num_heads": 6,
    "num_kv_heads": 3,
    "head_dim": 8,
    "intermediate_size": 22,
    "context_length": 13,
}


def small_config(**changes: object) -> ModelConfig:
    return ModelConfig(**{**SMALL, **changes})


def small_decoder(seed: int = 0, **changes: object) -> Decoder:
    """Random weights that keep the size of what passes through, random norms around 1, random biases."""
    decoder = Decoder(small_config(**changes))
    randomise(decoder, seed)
    return decoder


@torch.no_grad()
def randomise(module: torch.nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in module.named_parameters():
        drawn = torch.randn(parameter.shape, generator=generator)
        if "embed" in name:
            # A tied head then gives logits up to about 10, whose differences float32 shows to 1e-6.
            parameter.copy_(0.25 * drawn)
        elif parameter.ndim > 1:
            parameter.copy_(drawn / parameter.shape[-1] ** 0.5)
        else:
            parameter.copy_(0.3 * drawn + ("norm" in name))


def random_ids(rows: int, tokens: int, seed: int = 0, vocab_size: int = 29) -> torch.Tensor:
    return torch.randint(vocab_size, (rows, tokens), generator=torch.Generator().manual_seed(seed))


def random_tensor(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def farthest(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference between two tensors of the same shape."""
    assert a.shape == b.shape
    return (a - b).abs().max().item()
