import pytest
import torch

from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE, DigitTokenIds, ModelConfig
from smidgen.model.decoder import Decoder

DIGITS = {
    "place_vocab_size": PLACE_VOCAB_SIZE,
    "role_vocab_size": ROLE_VOCAB_SIZE,
    "digit_token_ids": DigitTokenIds(
        digits=tuple(range(10)),
        operators=(10, 11, 12, 13),
        open_parenthesis=14,
        close_parenthesis=15,
        equals=16,
        spaces=(17, 18),
        line_starts=(19, 20),
    ),
}
# Sizes that are no multiples of a vector or tile, heads narrower and wider than a panel, every option of the design.
DESIGNS = {
    "plain": {},
    "xsa": {"xsa": True},
    "digits and xsa": {"xsa": True, **DIGITS},
    "biases, own head": {"attention_bias": True, "mlp_bias": True, "tie_embeddings": False},
    "norms of heads": {"qk_norm": True},
    "norms of wide heads": {"qk_norm": True, "num_heads": 2, "num_kv_heads": 1, "head_dim": 70, "xsa": True},
    "capped logits": {"logit_softcap": 2.0},
    "one wide head": {"num_heads": 1, "num_kv_heads": 1, "head_dim": 70},
    "as in gpt-s-5m": {"hidden_size": 66, "num_heads": 6, "num_kv_heads": 2, "head_dim": 32, "xsa": True},
}
SHAPE = {
    "vocab_size": 149,
    "hidden_size": 30,
    "num_layers": 3,
    "num_heads": 6,
    "num_kv_heads": 3,
    "head_dim": 8,
    "intermediate_size": 86,
    "context_length": 64,
}


@pytest.fixture(params=DESIGNS, scope="module")
def design(request):
    return made(**DESIGNS[request.param])


def made(**options) -> Decoder:
    """Weights that keep the size of what passes through, so that an error anywhere shows in the logits."""
    decoder = Decoder(ModelConfig(**{**SHAPE, **options})).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in decoder.named_parameters():
            drawn = torch.randn(parameter.shape, generator=generator)
            if "embed" in name:
                parameter.copy_(0.4 * drawn)
            elif parameter.ndim > 1:
                parameter.copy_(drawn / parameter.shape[-1] ** 0.5)
            else:
                parameter.copy_(0.3 * drawn + ("norm" in name))
    return decoder
