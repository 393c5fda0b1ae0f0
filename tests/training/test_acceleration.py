"""A decoder with our kernels is the same model: losses, gradients, evaluation, saved weights."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE, ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.model.kv_cache import KVCache
from smidgen.model.norm import RMSNorm
from smidgen.native import library
from smidgen.native.library import Unavailable
from smidgen.training.acceleration import accelerate, has_own_norms, kernels_in_use, own_cross_entropy
from smidgen.training.device import autocast, deterministic, has_bfloat16
from smidgen.training.kernels import attention as kernel
from smidgen.training.kernels import norm as norm_kernel
from smidgen.training.optimizer import build_optimizer
from smidgen.training.step import Step

CPU = torch.device("cpu")
DESIGNS = {
    "plain": {},
    "xsa": {"xsa": True},
    "xsa, norms of heads": {"xsa": True, "qk_norm": True},
    "xsa, norms of heads, digits, biases, own head": {
        "xsa": True,
        "qk_norm": True,
        "attention_bias": True,
        "mlp_bias": True,
        "tie_embeddings": False,
        "place_vocab_size": PLACE_VOCAB_SIZE,
        "role_vocab_size": ROLE_VOCAB_SIZE,
    },
}


@pytest.fixture(autouse=True)
def compiled():
    try:
        kernel.library(16)
    except Unavailable as error:
        pytest.skip(str(error))


def made(vocab_size=97, **changes):
    decoder = Decoder(
        ModelConfig(
            vocab_size=vocab_size,
            **{
                "hidden_size": 64,
                "num_layers": 2,
                "num_heads": 4,
                "num_kv_heads": 2,
                "head_dim": 16,
                "intermediate_size": 96,
                "context_length": 40,
                **changes,
            },
        )
    )
    initialise(decoder, 5)
    return decoder.train()


def drawn_ids(tokens=41):
    return torch.randint(97, (3, tokens), generator=torch.Generator().manual_seed(2))


def loss_and_gradients(decoder, dtype, compile=False):
    def loss_of(ids_BU):
        with autocast(CPU, dtype):
            return F.cross_entropy(decoder(ids_BU[:, :-1]).flatten(0, 1).float(), ids_BU[:, 1:].flatten())

    loss_function = torch.compile(loss_of, fullgraph=True, dynamic=False) if compile else loss_of
    loss = loss_function(drawn_ids())
    loss.backward()
    return loss.item(), {name: parameter.grad for name, parameter in decoder.named_parameters()}


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_float32_has_the_same_loss_and_gradients(design):
    stock, ours = made(**design), made(**design)
    assert accelerate(ours, CPU, torch.float32) == []
    expected_loss, expected = loss_and_gradients(stock, torch.float32)
    loss, gradients = loss_and_gradients(ours, torch.float32)
    assert loss == pytest.approx(expected_loss, abs=1e-5)
    assert gradients.keys() == expected.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-5, rtol=1e-4, msg=name)


# The compiler itself uses what PyTorch has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_bfloat16_is_as_near_to_float32_as_pytorchs(design, compile):
    if not has_bfloat16(CPU):
        pytest.skip("this processor has no bfloat16")
    if compile and design != DESIGNS["xsa"]:
        pytest.skip("compiling takes half a minute")
    ours = made(**design)
    assert accelerate(ours, CPU, torch.bfloat16) == []
    _, exact = loss_and_gradients(made(**design), torch.float32)
    _, stock = loss_and_gradients(made(**design), torch.bfloat16)
    _, found = loss_and_gradients(ours, torch.bfloat16, compile)
    for name, gradient in found.items():
        assert (gradient - exact[name]).norm() <= 1.5 * (stock[name] - exact[name]).norm() + 1e-6, name


@pytest.mark.parametrize("is_tied", [True, False], ids=["tied", "own head"])
def test_a_step_takes_the_head_and_its_loss_from_our_kernel(is_tied, tiny_recipe):
    design = {"vocab_size": 96, "tie_embeddings": is_tied}
    ours = made(**design)
    assert accelerate(ours, CPU, torch.bfloat16) == []
    if own_cross_entropy(ours) is None:
        pytest.skip("this processor has no bfloat16 dot products, or something better")
    exact_loss, exact = step_of(made(**design), tiny_recipe, torch.float32)
    stock_loss, stock = step_of(made(**design), tiny_recipe, torch.bfloat16)
    loss, found = step_of(ours, tiny_recipe, torch.bfloat16)
    assert stock_loss != loss == pytest.approx(exact_loss, abs=1e-3)
    for name, gradient in found.items():
        assert (gradient - exact[name]).norm() <= 1.5 * (stock[name] - exact[name]).norm() + 1e-6, name


def test_other_losses_are_left_to_pytorch(tiny_recipe):
    for design in ({"vocab_size": 97}, {"vocab_size": 96, "logit_softcap": 30.0}):
        ours = made(**design)
        accelerate(ours, CPU, torch.bfloat16)
        assert own_cross_entropy(ours) is None
    with_z_loss = replace(tiny_recipe, training=replace(tiny_recipe.training, z_loss=0.1))
    ours, tokens = made(vocab_size=96), 24
    accelerate(ours, CPU, torch.bfloat16)
    without, _ = step_of(ours, tiny_recipe, torch.bfloat16, tokens)
    # The loss that is reported is the cross entropy alone.
    with_it, gradients = step_of(ours, with_z_loss, torch.bfloat16, tokens)
    assert with_it == pytest.approx(without, abs=1e-2)
    stock = step_of(made(vocab_size=96), with_z_loss, torch.bfloat16, tokens)[1]
    name = "embed_tokens.weight"
    torch.testing.assert_close(gradients[name], stock[name], atol=5e-3, rtol=0.1)
    assert not torch.allclose(gradients[name], step_of(ours, tiny_recipe, torch.bfloat16, tokens)[1][name], atol=5e-3)


def test_a_pass_of_any_number_of_tokens_has_a_loss(tiny_recipe):
    ours = made(vocab_size=96)
    accelerate(ours, CPU, torch.bfloat16)
    # Twenty-one tokens fill no rows of eight.
    loss, _ = step_of(ours, tiny_recipe, torch.bfloat16, tokens=7)
    assert loss == pytest.approx(step_of(made(vocab_size=96), tiny_recipe, torch.float32, tokens=7)[0], abs=1e-2)


def step_of(decoder, recipe, dtype, tokens=40):
    decoder.zero_grad()
    ids_SU = drawn_ids(tokens + 1).clamp_max(95)
    step = Step(decoder, recipe.training, device=CPU, dtype=dtype, micro_batch=len(ids_SU), compile_mode=None)
    loss, _ = step.gradients(ids_SU)
    return loss.item(), {name: parameter.grad.clone() for name, parameter in decoder.named_parameters()}


# The compiler itself uses what PyTorch has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("mode", [None, "default"], ids=["eager", "compiled"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_steps_with_our_norms_are_those_without(dtype, mode, tiny_recipe):
    if dtype == torch.bfloat16 and not has_bfloat16(CPU):
        pytest.skip("this processor has no bfloat16")
    design = {"vocab_size": 96, "xsa": True, "qk_norm": True}
    ours, others = made(**design), made(**design)
    for decoder in (ours, others):
        accelerate(decoder, CPU, dtype)
    if not has_own_norms(ours):
        pytest.skip("this processor has no vectors for norms")
    without_norms(others)
    found, expected = (losses_of_steps(decoder, tiny_recipe, dtype, mode) for decoder in (ours, others))
    assert found != expected
    assert found == pytest.approx(expected, abs=1e-5 if dtype == torch.float32 else 2e-3)
    assert found[-1] < found[0] - 0.1
    for parameter, other in zip(ours.parameters(), others.parameters(), strict=True):
        assert (parameter - other).norm() <= (1e-3 if dtype == torch.float32 else 0.05) * other.norm()


def losses_of_steps(decoder, recipe, dtype, mode, count=5):
    ids_SU = drawn_ids().clamp_max(95)
    step = Step(
        decoder,
        recipe.training,
        device=CPU,
        dtype=dtype,
        micro_batch=len(ids_SU),
        compile_mode=mode,
        end_of_text_id=0,
    )
    optimizer = build_optimizer(decoder, recipe.training)
    optimizer.set_learning_rate(3e-3)
    losses = []
    with deterministic(CPU):
        for _ in range(count):
            loss, gradient_norm = step.gradients(ids_SU)
            step.update(optimizer, loss, gradient_norm)
            losses.append(loss.item())
    return losses


def without_norms(decoder):
    for module in decoder.modules():
        if isinstance(module, RMSNorm):
            vars(module).pop("forward", None)


def test_each_size_of_norms_has_a_kernel_of_its_own():
    ours = made(qk_norm=True)
    accelerate(ours, CPU, torch.float32)
    if not has_own_norms(ours):
        pytest.skip("this processor has no vectors for norms")
    with_norms = kernels_in_use(ours)
    without_norms(ours)
    names = [name for name in with_norms if name not in kernels_in_use(ours)]
    assert [name.split("-")[0] for name in names] == ["norm", "norm"]
    assert len(set(names)) == 2


def test_norms_that_fill_no_vectors_are_left_to_pytorch():
    for sizes in ({"hidden_size": 72}, {"head_dim": 24, "qk_norm": True}):
        ours = made(**sizes)
        accelerate(ours, CPU, torch.float32)
        assert not has_own_norms(ours)
    # Without norms of heads their size does not matter.
    ours = made(head_dim=24)
    accelerate(ours, CPU, torch.float32)
    assert has_own_norms(ours) == bool(norm_kernel.library(64).is_fastest())


def test_evaluation_and_generation_do_not_notice():
    stock, ours = made(xsa=True, qk_norm=True).eval(), made(xsa=True, qk_norm=True)
    accelerate(ours, CPU, torch.float32)
    ours.eval()
    ids_BT = drawn_ids()
    mask_BT = torch.ones_like(ids_BT)
    mask_BT[:, :5] = 0
    for options in ({}, {"attention_mask_BS": mask_BT}):
        assert torch.equal(ours(ids_BT, **options), stock(ids_BT, **options))
    cache, other = KVCache(), KVCache()
    for part in ids_BT.split(11, dim=1):
        assert torch.equal(ours(part, cache=cache), stock(part, cache=other))


def test_padding_while_training_goes_the_usual_way():
    stock, ours = made(xsa=True), made(xsa=True)
    accelerate(ours, CPU, torch.float32)
    ids_BT = drawn_ids()
    mask_BT = torch.ones_like(ids_BT)
    mask_BT[:, :5] = 0
    found_BTV, expected_BTV = (decoder(ids_BT, attention_mask_BS=mask_BT) for decoder in (ours, stock))
    # Norms, which no mask concerns, are ours all the same.
    torch.testing.assert_close(found_BTV, expected_BTV, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(ours(ids_BT), expected_BTV, atol=1e-2)


def test_saved_weights_are_the_same():
    ours = made()
    accelerate(ours, CPU, torch.float32)
    assert list(ours.state_dict()) == list(made().state_dict())
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in made().named_parameters()]


def test_without_a_compiler_pytorch_computes_and_a_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(library, "COMPILERS", ())
    kernel.library.cache_clear()
    ours = made()
    (notice,) = accelerate(ours, CPU, torch.float32)
    assert "no C++ compiler" in notice
    assert "\n" not in notice
    loss, _ = loss_and_gradients(ours, torch.float32)
    assert loss == loss_and_gradients(made(), torch.float32)[0]


def test_a_gpu_is_left_alone():
    ours = made()
    assert accelerate(ours, torch.device("cuda"), torch.bfloat16) == []
    assert "read" not in vars(ours.layers[0].self_attn)
    accelerate(ours, CPU, torch.float32)
    assert "read" in vars(ours.layers[0].self_attn)
