"""A frozen model, trained for a few steps: its losses must stay what they were when they were pinned.

Nothing here comes from other tests or from default settings, so that only a change of the model's mathematics,
of its initial weights or of torch can move the numbers.
"""

import pytest
import torch
import torch.nn.functional as F

from smidgen.model.config import DigitTokenIds, ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise

SHAPE = {
    "vocab_size": 37,
    "hidden_size": 30,
    "num_layers": 3,
    "num_heads": 6,
    "num_kv_heads": 2,
    "head_dim": 8,
    "intermediate_size": 44,
    "context_length": 24,
    "rope_theta": 2_500.0,
    "rms_norm_eps": 1e-5,
    "tie_embeddings": True,
    "attention_bias": False,
    "mlp_bias": False,
    "initializer_range": 0.2,
}
DIGIT_TOKEN_IDS = DigitTokenIds(
    digits=tuple(range(10)),
    operators=(10, 11, 12, 13),
    open_parenthesis=14,
    close_parenthesis=15,
    equals=16,
    spaces=(17,),
    line_starts=(18,),
)
FULL = {"xsa": True, "place_vocab_size": 66, "role_vocab_size": 12, "digit_token_ids": DIGIT_TOKEN_IDS}

# Before the first step and after each of four. Pinned with torch 2.13 on a CPU, one thread, float32.
PINNED_LOSSES = {
    "plain": [4.101023, 3.069648, 2.728931, 2.431491, 2.155143],
    "XSA and digit features": [4.359490, 3.246939, 2.546207, 2.066317, 1.690018],
}
OPTIONS = {"plain": {}, "XSA and digit features": FULL}


def token_ids() -> torch.Tensor:
    """Rows of "(a + b) * c =", whose digits come from a formula rather than a generator that torch may change."""
    digits = [(7 * i + i * i // 3) % 10 for i in range(5 * 3 * 3)]
    equations = [
        [18, 14, a, 17, 10, 17, b, 15, 17, 12, 17, c, 17, 16] for a, b, c in zip(*[iter(digits)] * 3, strict=True)
    ]
    return torch.tensor(equations).view(5, 42)[:, :24]


def losses_of_four_steps(options: dict) -> list[float]:
    decoder = Decoder(ModelConfig(**{**SHAPE, **options}))
    initialise(decoder, seed=20)
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=3e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.01)
    ids_BT, losses = token_ids(), []
    for _ in range(5):
        loss = F.cross_entropy(decoder(ids_BT)[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", OPTIONS)
def test_losses_are_those_that_were_pinned(name):
    losses = losses_of_four_steps(OPTIONS[name])
    assert losses == pytest.approx(PINNED_LOSSES[name], abs=1e-4), (
        f"The {name} model now computes something else: {[round(loss, 6) for loss in losses]}.\n"
        "If you did not mean to change the model, you have found a bug: compare with the last commit that passes.\n"
        "If you did, models trained before no longer mean the same: say so in the changelog, and pin the new "
        "losses above.\nIf only torch changed, check tests/model first; with it passing, pin the new losses and "
        "name the version."
    )


def test_a_small_change_of_the_mathematics_moves_the_losses():
    pinned = pytest.approx(PINNED_LOSSES["XSA and digit features"], abs=1e-4)
    assert losses_of_four_steps({**FULL, "rms_norm_eps": 1e-3}) != pinned
    assert losses_of_four_steps({**FULL, "rope_theta": 2_600.0}) != pinned
