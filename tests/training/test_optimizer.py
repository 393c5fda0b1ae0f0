import pytest
import torch

from smidgen.errors import BadInput
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.training import TrainingSettings
from smidgen.training.optimizer import build_optimizer, optimizer_tensors, restore_optimizer

SETTINGS = TrainingSettings(
    tokens=100, batch_tokens=10, micro_batch_size=1, peak_learning_rate=1e-2, warmup_steps=0, weight_decay=0.1
)


def tiny(seed=1):
    decoder = Decoder(
        ModelConfig(
            vocab_size=11,
            hidden_size=6,
            num_layers=2,
            num_heads=1,
            num_kv_heads=1,
            intermediate_size=5,
            context_length=7,
            attention_bias=True,
        )
    )
    initialise(decoder, seed)
    return decoder


def step(decoder, optimizer, seed):
    ids = torch.randint(0, 11, (3, 7), generator=torch.Generator().manual_seed(seed))
    decoder(ids).square().mean().backward()
    optimizer.step()
    optimizer.zero_grad()


def test_updates_equal_plain_adamw_with_decay_on_matrices_only():
    ours, reference = tiny(), tiny()
    groups = [
        {"params": [p for p in reference.parameters() if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in reference.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    plain = torch.optim.AdamW(groups, lr=1e-2, betas=(0.9, 0.95), eps=1e-8, foreach=False, fused=False)
    built = build_optimizer(ours, SETTINGS)
    for seed in range(5):
        step(ours, built, seed)
        step(reference, plain, seed)
    for (name, mine), theirs in zip(ours.named_parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-7, msg=name)


def test_a_restored_optimizer_goes_on_to_the_same_bits():
    straight, interrupted = tiny(), tiny()
    first, second = build_optimizer(straight, SETTINGS), build_optimizer(interrupted, SETTINGS)
    for seed in range(3):
        step(straight, first, seed)
        step(interrupted, second, seed)
    saved = {name: value.clone() for name, value in optimizer_tensors(interrupted, second).items()}
    restored = build_optimizer(interrupted, SETTINGS)
    restore_optimizer(interrupted, restored, saved, step=3)
    for seed in range(3, 6):
        step(straight, first, seed)
        step(interrupted, restored, seed)
    for mine, theirs in zip(straight.parameters(), interrupted.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_moments_of_another_design_are_refused():
    decoder = tiny()
    with pytest.raises(BadInput, match=r"optimiser state of embed_tokens\.weight does not fit"):
        restore_optimizer(decoder, build_optimizer(decoder, SETTINGS), {}, step=1)
