"""Models in a stack are what each is alone: losses, gradient norms and weights over many steps."""

from dataclasses import replace

import pytest
import torch

from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE, DigitTokenIds, ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.training import muon
from smidgen.training.acceleration import accelerate, has_own_feed_forward, has_own_norms, own_cross_entropy
from smidgen.training.device import has_bfloat16
from smidgen.training.optimizer import build_optimizer
from smidgen.training.schedule import learning_rate
from smidgen.training.scratch import NO_TARGET
from smidgen.training.stack_step import StackedStep
from smidgen.training.step import Step

CPU = torch.device("cpu")
STEPS = 100
# The bound that the issue sets for the losses of a hundred steps in float32.
CLOSE = 1e-4
# Sizes differ from each other, so that a mix-up shows.
MODELS, SEQUENCES, TOKENS, VOCAB = 3, 4, 11, 41
# Higher ones amplify rounding until models drift apart, and so do two that are alone and cut their steps differently.
RATES = (1e-3, 2e-3, 4e-3)
DIGITS = DigitTokenIds(
    digits=tuple(range(10)), operators=(10, 11, 12, 13), open_parenthesis=14, close_parenthesis=15, equals=16
)
SHAPE = {
    "vocab_size": VOCAB,
    "hidden_size": 24,
    "num_layers": 2,
    "num_heads": 6,
    "num_kv_heads": 2,
    "head_dim": 4,
    "intermediate_size": 17,
    "context_length": TOKENS,
}
DESIGNS = {
    "grouped queries and xsa": {"xsa": True},
    "everything": {
        "xsa": True,
        "qk_norm": True,
        "tie_embeddings": False,
        "attention_bias": True,
        "mlp_bias": True,
        "logit_softcap": 5.0,
        "place_vocab_size": PLACE_VOCAB_SIZE,
        "role_vocab_size": ROLE_VOCAB_SIZE,
        "digit_token_ids": DIGITS,
    },
}
# Sizes that our norms take.
WHOLE_VECTORS = {"hidden_size": 96, "head_dim": 16, "qk_norm": True}
MUON = {"optimizer": "muon", "muon_scale": "moonlight", "muon_learning_rate": 2e-3, "z_loss": 1e-2}
CASES = {
    "grouped queries and xsa": {"design": "grouped queries and xsa", "gradient_clip": 0.4},
    "everything, documents apart": {"design": "everything", "end_of_text_id": 0},
    "our kernels": {"design": "grouped queries and xsa", "own_kernels": True},
    "our kernels, everything, documents apart, muon": {
        "design": "everything", "own_kernels": True, "end_of_text_id": 0, **MUON,
    },
}  # fmt: skip


def settings_of(recipe, model, **changes):
    return replace(recipe.training, peak_learning_rate=RATES[model], **changes)


def steps_of(
    recipe, design, *, own_kernels=False, dtype=torch.float32, end_of_text_id=None, models=MODELS, **changes
):
    """A step for each model, seeds and learning rates being its own."""
    steps = []
    for model in range(MODELS):
        decoder = Decoder(ModelConfig(**{**SHAPE, **design}))
        initialise(decoder, 5 + model)
        if own_kernels and (missing := accelerate(decoder, CPU, dtype)):
            pytest.skip(missing[0])
        steps.append(
            Step(
                decoder,
                settings_of(recipe, model, **changes),
                device=CPU,
                dtype=dtype,
                micro_batch=SEQUENCES,
                compile_mode=None,
                end_of_text_id=end_of_text_id,
            )
        )
    return steps


def drawn_ids(step, *, tokens=TOKENS, vocab=VOCAB):
    generator = torch.Generator().manual_seed(step)
    # What repeats can be learned, so that the losses go somewhere.
    return torch.randint(vocab // 2, (SEQUENCES, MODELS, tokens + 1), generator=generator).cumsum(dim=2) % vocab


def curves(gradients, steps, count=STEPS):
    """Losses and norms of each model in every step, (steps, 2, models); ``gradients`` is how they are computed."""
    optimizers = [build_optimizer(step.decoder, step.settings) for step in steps]
    rows = []
    for number in range(count):
        losses, norms = gradients(drawn_ids(number))
        rows.append(torch.stack([losses, norms]))
        for step, optimizer, loss, norm in zip(steps, optimizers, losses, norms, strict=True):
            optimizer.set_learning_rate(learning_rate(number, count, step.settings))
            step.update(optimizer, loss, norm)
    return torch.stack(rows)


def one_by_one(steps):
    def gradients(ids_SMU):
        found = [step.gradients(ids_SMU[:, model]) for model, step in enumerate(steps)]
        return tuple(torch.stack(values) for values in zip(*found, strict=True))

    return gradients


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_stack_of_three_equals_each_alone_over_a_hundred_steps(tiny_recipe, case, monkeypatch):
    # In bfloat16 the updates of Muon differ by a hundredth when its input differs by a rounding.
    monkeypatch.setattr(muon, "has_fast_bfloat16", lambda device: False)
    case = {**case, "design": DESIGNS[case["design"]]}
    alone, together = (steps_of(tiny_recipe, **case) for _ in range(2))
    expected = curves(one_by_one(alone), alone)
    # In two passes of two sequences each, where alone it is one of four.
    found = curves(StackedStep(together, micro_batch=2, compile_mode=None).gradients, together)
    assert (found[:, 0] - expected[:, 0]).abs().max() < CLOSE
    torch.testing.assert_close(found[:, 1], expected[:, 1], rtol=1e-2, atol=1e-4)
    # Each model goes its own way, and far enough for it to matter.
    assert (expected[0, 0] - expected[-1, 0]).min() > 10 * CLOSE
    others = expected[:, 0].roll(1, dims=1)
    assert (found[:, 0] - others).abs().amax(dim=0).min() > 100 * CLOSE


def test_weights_offsets_and_scratch_of_each_model_are_its_own(tiny_recipe):
    weights = {"answer_weight": 3.0, "scratch_weight": 2.0}
    alone, together, other = (steps_of(tiny_recipe, DESIGNS["everything"], **weights) for _ in range(3))
    # Half of them symbols of equations, so that there are answers.
    ids_SMU = drawn_ids(1) % 19
    offset_SM = torch.randint(20, (SEQUENCES, MODELS), generator=torch.Generator().manual_seed(3))
    # A third of the tokens predict the token before them.
    scratch_SMT = torch.where(ids_SMU[..., 1:] % 3 == 0, ids_SMU[..., :-1], NO_TARGET)
    each = [
        step.gradients(ids_SMU[:, model], None, offset_SM[:, model], scratch_SMT[:, model])
        for model, step in enumerate(alone)
    ]
    found = StackedStep(together, micro_batch=2, compile_mode=None).gradients(ids_SMU, None, offset_SM, scratch_SMT)
    torch.testing.assert_close(torch.stack(found), torch.tensor(each).T)
    swapped = (offset_SM.flip(1), scratch_SMT.flip(1))
    losses_M, norms_M = StackedStep(other, micro_batch=2, compile_mode=None).gradients(ids_SMU, None, *swapped)
    assert (losses_M - found[0])[::2].abs().min() > 1e-6
    assert (norms_M - found[1])[::2].abs().min() > 1e-3


def test_the_bound_notices_a_learning_rate_that_is_a_hundredth_off(tiny_recipe, monkeypatch):
    steps = steps_of(tiny_recipe, {})
    expected = curves(one_by_one(steps), steps)
    monkeypatch.setattr(f"{__name__}.RATES", (*RATES[:2], RATES[2] * 1.01))
    changed = steps_of(tiny_recipe, {})
    found = curves(StackedStep(changed, micro_batch=2, compile_mode=None).gradients, changed)
    away = (found - expected)[:, 0].abs().amax(dim=0)
    assert away[:2].max() < CLOSE < away[2]


def test_what_is_not_finite_in_one_model_reaches_no_other(tiny_recipe):
    steps, healthy = (steps_of(tiny_recipe, DESIGNS["everything"]) for _ in range(2))
    with torch.no_grad():
        steps[1].decoder.layers[0].mlp.up_proj.weight[3, 2] = float("nan")
    loss_M, norm_M = StackedStep(steps, micro_batch=2, compile_mode=None).gradients(drawn_ids(1))
    assert loss_M.isfinite().tolist() == norm_M.isfinite().tolist() == [True, False, True]
    for model in (0, 2):
        healthy[model].gradients(drawn_ids(1)[:, model])
        for found, expected in zip(
            steps[model].decoder.parameters(), healthy[model].decoder.parameters(), strict=True
        ):
            torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-6)


def test_weights_and_gradients_are_there_once(tiny_recipe):
    steps = steps_of(tiny_recipe, DESIGNS["everything"])
    before = [[weight.clone() for weight in step.decoder.parameters()] for step in steps]
    stack = StackedStep(steps, micro_batch=2, compile_mode=None)
    stack.gradients(drawn_ids(1))
    stored = {weight.untyped_storage().data_ptr() for weight in stack.decoder.parameters()}
    given = {weight.grad.untyped_storage().data_ptr() for weight in stack.decoder.parameters()}
    for step, weights in zip(steps, before, strict=True):
        parameters = list(step.decoder.parameters())
        assert all(torch.equal(old, new) for old, new in zip(weights, parameters, strict=True))
        assert {weight.untyped_storage().data_ptr() for weight in parameters} == stored
        assert {weight.grad.untyped_storage().data_ptr() for weight in parameters} == given
    assert len(stored) == len(given) == len(before[0])


def test_float16_losses_are_scaled_by_each_models_own_factor(tiny_recipe):
    alone, together = (steps_of(tiny_recipe, {"xsa": True}, dtype=torch.float16) for _ in range(2))
    # As far apart as the factors of a long run may come: the last overflows.
    for steps in (alone, together):
        for step, scale in zip(steps, (1.0, 2.0**7, 2.0**40), strict=True):
            step.loss_scale.scale.fill_(scale)
    expected = one_by_one(alone)(drawn_ids(1))
    found = StackedStep(together, micro_batch=SEQUENCES, compile_mode=None).gradients(drawn_ids(1))
    assert found[1].isfinite().tolist() == expected[1].isfinite().tolist() == [True, True, False]
    for values, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(values[:2], wanted[:2], rtol=1e-2, atol=1e-3)


def test_our_kernels_of_bfloat16_give_a_stack_the_same_steps(tiny_recipe):
    if not has_bfloat16(CPU):
        pytest.skip("this processor has no bfloat16")
    design = {**WHOLE_VECTORS, "vocab_size": 64, "intermediate_size": 32, "context_length": 10}
    alone, together = (steps_of(tiny_recipe, design, own_kernels=True, dtype=torch.bfloat16) for _ in range(2))
    decoder = alone[0].decoder
    if not (has_own_feed_forward(decoder) and own_cross_entropy(decoder)):
        pytest.skip("this processor has no bfloat16 dot products, or something better")
    ids_SMU = drawn_ids(1, tokens=10, vocab=64)
    expected = one_by_one(alone)(ids_SMU)
    found = StackedStep(together, micro_batch=SEQUENCES, compile_mode=None).gradients(ids_SMU)
    for values, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(values, wanted, rtol=1e-3, atol=1e-3)
    for one, other in zip(alone, together, strict=True):
        for weight, same in zip(one.decoder.parameters(), other.decoder.parameters(), strict=True):
            assert (same.grad - weight.grad).norm() <= 0.02 * weight.grad.norm()


def test_our_norms_give_each_model_of_a_stack_its_own_steps(tiny_recipe):
    alone, together = (steps_of(tiny_recipe, WHOLE_VECTORS, own_kernels=True) for _ in range(2))
    if not has_own_norms(alone[0].decoder):
        pytest.skip("this processor has no vectors for norms")
    stack = StackedStep(together, micro_batch=SEQUENCES, compile_mode=None)
    assert has_own_norms(stack.decoder)
    expected, found = curves(one_by_one(alone), alone, count=5), curves(stack.gradients, together, count=5)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for one, other in zip(alone, together, strict=True):
        for (name, weight), same in zip(one.decoder.named_parameters(), other.decoder.parameters(), strict=True):
            torch.testing.assert_close(same, weight, rtol=1e-3, atol=1e-5, msg=name)
            # Weights of norms begin at 1, the same for all models.
            assert "norm" not in name or not torch.allclose(weight, torch.ones(()), atol=1e-4)


# The compiler itself uses what PyTorch has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_stack_equals_each_alone(tiny_recipe):
    alone, together = (steps_of(tiny_recipe, {"xsa": True}, own_kernels=True) for _ in range(2))
    expected = curves(one_by_one(alone), alone, count=3)
    found = curves(StackedStep(together, micro_batch=2, compile_mode="default").gradients, together, count=3)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
