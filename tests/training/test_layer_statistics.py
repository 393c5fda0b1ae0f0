import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.model.rope import rotary_angles, rotate
from smidgen.records import measurements
from smidgen.training.layer_statistics import LayerLook

CLIP = 0.05


@pytest.fixture
def decoder(tiny_recipe):
    decoder = Decoder(tiny_recipe.design)
    initialise(decoder, 1)
    return decoder


@pytest.fixture
def ids_BT(tiny_recipe):  # noqa: N802 - a tensor, named as all are
    return torch.randint(tiny_recipe.design.vocab_size, (5, 7), generator=torch.Generator().manual_seed(1))


def stepped(decoder, ids_BT, change=0.01):
    """A look around an update that adds to every weight; returns the norm of all gradients, too."""
    loss = F.cross_entropy(decoder(ids_BT[:, :-1]).flatten(0, 1), ids_BT[:, 1:].flatten())
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(decoder.parameters(), CLIP)
    look = LayerLook(decoder, norm, CLIP)
    with torch.no_grad():
        for weight in decoder.parameters():
            weight += change
    return look, norm


def test_gradients_of_the_parts_make_up_the_norm_before_clipping(decoder, ids_BT):
    look, norm = stepped(decoder, ids_BT)
    assert norm > 2 * CLIP
    parts = look.parts(ids_BT)
    assert [part["name"] for part in parts] == ["embed_tokens", "layers.0", "layers.1", "norm"]
    assert math.hypot(*(part["gradient_norm"] for part in parts)) == pytest.approx(norm.item(), rel=1e-4)


def test_weights_and_updates_are_those_of_the_step(decoder, ids_BT):
    before = {name: weight.clone() for name, weight in decoder.layers[1].named_parameters()}
    look, _ = stepped(decoder, ids_BT)
    part = next(part for part in look.parts(ids_BT) if part["name"] == "layers.1")
    after = torch.cat([weight.flatten() for weight in decoder.layers[1].parameters()])
    size = torch.cat([weight.flatten() for weight in before.values()]).norm()
    assert part["weight_norm"] == pytest.approx(after.norm().item(), rel=1e-5)
    assert part["update_ratio"] == pytest.approx(0.01 * math.sqrt(after.numel()) / size.item(), rel=1e-3)


def test_the_largest_attention_logit_is_that_of_tokens_that_may_be_read(decoder, ids_BT):
    look, _ = stepped(decoder, ids_BT)
    part = next(part for part in look.parts(ids_BT) if part["name"] == "layers.0")
    attention, x_1TC = decoder.layers[0].self_attn, decoder.embed_tokens(ids_BT[:1])
    x_1TC = decoder.layers[0].input_layernorm(x_1TC)
    rotation = rotary_angles(torch.arange(7)[None], attention.head_dim, decoder.config.rope_theta)
    q_1HTD, k_1KTD = (
        rotate(projection(x_1TC).view(1, 7, -1, attention.head_dim).transpose(1, 2), *rotation)
        for projection in (attention.q_proj, attention.k_proj)
    )
    logits = [
        (q_1HTD[0, head, token] @ k_1KTD[0, 0, earlier]).item() / math.sqrt(attention.head_dim)
        for head in range(3)
        for token in range(7)
        for earlier in range(token + 1)
    ]
    assert part["attention_logit_max"] == pytest.approx(max(logits), rel=1e-5)


def test_units_that_give_nothing_are_counted_as_dead(decoder, ids_BT):
    look, _ = stepped(decoder, ids_BT)
    with torch.no_grad():
        decoder.layers[0].mlp.up_proj.weight[:10] = 0
    shares = [part["dead_units"] for part in look.parts(ids_BT) if part["name"].startswith("layers.")]
    assert shares[0] == pytest.approx(10 / 50)
    assert shares[1] == 0


def test_activations_are_those_of_the_residual_stream(decoder, ids_BT):
    look, _ = stepped(decoder, ids_BT)
    seen = []
    hook = decoder.layers[1].register_forward_hook(lambda layer, inputs, output: seen.append(output.detach()))
    part = next(part for part in look.parts(ids_BT) if part["name"] == "layers.1")
    hook.remove()
    assert part["activation_rms"] == pytest.approx(seen[0].square().mean().sqrt().item(), rel=1e-5)
    assert part["activation_max"] == pytest.approx(seen[0].abs().max().item(), rel=1e-5)


def test_a_look_leaves_no_hook_and_the_mode_as_it_was(decoder, ids_BT):
    look, _ = stepped(decoder, ids_BT)
    decoder.train()
    look.parts(ids_BT)
    assert decoder.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in decoder.modules())


def test_what_is_not_finite_is_told_as_none(decoder, ids_BT):
    look = LayerLook(decoder, torch.tensor(math.nan), CLIP)
    assert all(part["gradient_norm"] is None for part in look.parts(ids_BT))


def test_looking_at_every_step_changes_no_bit_of_training(train_in, tiny_recipe):
    runs = {
        steps: train_in(
            str(steps), recipe=replace(tiny_recipe, training=replace(tiny_recipe.training, statistics_steps=steps))
        )[0]
        for steps in (1, 1000)
    }
    often, seldom = (newest_checkpoint(run.checkpoints)[0] for run in runs.values())
    for part in ("model", "optimizer"):
        expected = seldom.tensors(part)
        assert all(torch.equal(value, expected[name]) for name, value in often.tensors(part).items()), part
    looks = [[line["step"] for line in measurements.read(run.measurements, "statistics")] for run in runs.values()]
    assert looks == [list(range(1, 21)), [20]]
