from dataclasses import replace

import pytest
import torch

from smidgen.errors import BadInput
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.training import TrainingSettings
from smidgen.training import muon as muon_module
from smidgen.training.muon import orthogonalised
from smidgen.training.optimizer import build_optimizer, optimizer_tensors, restore_optimizer

SETTINGS = TrainingSettings(
    tokens=100, batch_tokens=10, micro_batch_size=1, peak_learning_rate=1e-2, warmup_steps=0, weight_decay=0.1
)

MUON = replace(SETTINGS, optimizer="muon", muon_learning_rate=3e-2)


def tiny(seed=1):
    decoder = Decoder(
        ModelConfig(
            vocab_size=11,
            hidden_size=6,
            num_layers=2,
            num_heads=1,
            num_kv_heads=1,
            intermediate_size=23,
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


@pytest.mark.parametrize("settings", [SETTINGS, MUON], ids=["adamw", "muon"])
def test_a_restored_optimizer_goes_on_to_the_same_bits(settings):
    straight, interrupted = tiny(), tiny()
    first, second = build_optimizer(straight, settings), build_optimizer(interrupted, settings)
    for seed in range(3):
        step(straight, first, seed)
        step(interrupted, second, seed)
    saved = {name: value.clone() for name, value in optimizer_tensors(interrupted, second).items()}
    restored = build_optimizer(interrupted, settings)
    restore_optimizer(interrupted, restored, saved, step=3)
    for seed in range(3, 6):
        step(straight, first, seed)
        step(interrupted, restored, seed)
    for mine, theirs in zip(straight.parameters(), interrupted.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def assert_same_updates(ours, reference, built, plain):
    for seed in range(5):
        step(ours, built, seed)
        step(reference, plain, seed)
    for (name, mine), theirs in zip(ours.named_parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-7, msg=name)


class Both:
    """Two of PyTorch's optimisers as one."""

    def __init__(self, *parts):
        self.parts = parts

    def step(self):
        for part in self.parts:
            part.step()

    def zero_grad(self):
        for part in self.parts:
            part.zero_grad()


def test_tables_may_be_left_out_of_the_decay():
    ours, reference = tiny(), tiny()
    matrices = [p for name, p in reference.named_parameters() if p.ndim > 1 and "embed" not in name]
    others = [p for name, p in reference.named_parameters() if p.ndim == 1 or "embed" in name]
    plain = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=1e-2,
        betas=(0.9, 0.95),
    )
    assert_same_updates(ours, reference, build_optimizer(ours, replace(SETTINGS, decay_embeddings=False)), plain)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this PyTorch has no Muon to compare with")
@pytest.mark.parametrize(("scale", "reference_scale"), [("jordan", "original"), ("moonlight", "match_rms_adamw")])
def test_muon_equals_that_of_pytorch_with_adamw_on_all_but_the_matrices_of_the_layers(
    scale, reference_scale, monkeypatch
):
    # PyTorch's iterates in bfloat16 everywhere, however slow that is.
    monkeypatch.setattr(muon_module, "has_fast_bfloat16", lambda device: True)
    ours, reference = tiny(), tiny()
    matrices = [p for name, p in reference.named_parameters() if p.ndim > 1 and name.startswith("layers.")]
    tables = [p for name, p in reference.named_parameters() if p.ndim > 1 and not name.startswith("layers.")]
    others = [p for p in reference.parameters() if p.ndim == 1]
    plain = Both(
        torch.optim.Muon(matrices, lr=3e-2, weight_decay=0.1, momentum=0.9, adjust_lr_fn=reference_scale),
        torch.optim.AdamW(
            [{"params": tables, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
            lr=1e-2,
            betas=(0.9, 0.95),
        ),
    )
    built = build_optimizer(ours, replace(MUON, muon_momentum=0.9, muon_scale=scale))
    # The same gradients for both, so that differences do not feed themselves.
    for seed in range(5):
        for decoder, optimizer in ((ours, built), (reference, plain)):
            generator = torch.Generator().manual_seed(seed)
            for parameter in decoder.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            optimizer.step()
    # Sums in bfloat16 differ in the last of eight bits with the shape of a product.
    for (name, mine), theirs in zip(ours.named_parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-3, msg=lambda text, name=name: f"{name}: {text}")
    moved = max((p - q).abs().max() for p, q in zip(ours.parameters(), tiny().parameters(), strict=True))
    assert moved > 0.05


def test_orthogonalised_matrices_have_singular_values_near_one_and_keep_their_directions(monkeypatch):
    monkeypatch.setattr(muon_module, "has_fast_bfloat16", lambda device: False)
    x_NSL = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(1))
    S = torch.linalg.svdvals(orthogonalised(x_NSL))
    assert ((S > 0.5) & (S < 1.3)).all()
    nearest = torch.linalg.svd(x_NSL)
    exact = nearest.U @ nearest.Vh[:, :5]
    assert torch.nn.functional.cosine_similarity(orthogonalised(x_NSL).flatten(1), exact.flatten(1)).min() > 0.95


@pytest.mark.parametrize("settings", [SETTINGS, MUON], ids=["adamw", "muon"])
def test_a_step_to_be_skipped_changes_nothing_even_where_gradients_are_not_numbers(settings):
    decoder = tiny()
    optimizer = build_optimizer(decoder, settings)
    step(decoder, optimizer, 1)
    everything = lambda: [*decoder.parameters(), *optimizer_tensors(decoder, optimizer).values()]  # noqa: E731
    before = [value.clone() for value in everything()]
    for parameter in decoder.parameters():
        parameter.grad = torch.full_like(parameter, float("nan"))
    optimizer.step(skip=torch.ones(()))
    assert all(torch.equal(old, new) for old, new in zip(before, everything(), strict=True))
    assert optimizer.updates == 1
    step(decoder, optimizer, 2)
    assert optimizer.updates == 2


def test_muon_follows_the_schedule_in_its_own_proportion():
    optimizer = build_optimizer(tiny(), MUON)
    optimizer.set_learning_rate(0.5e-2)
    assert [group["lr"] for part in optimizer.parts for group in part.param_groups] == [0.5e-2, 0.5e-2, 1.5e-2]


def test_moments_of_another_design_are_refused():
    decoder = tiny()
    with pytest.raises(BadInput, match=r"optimiser state of embed_tokens\.weight does not fit"):
        restore_optimizer(decoder, build_optimizer(decoder, SETTINGS), {}, step=1)
