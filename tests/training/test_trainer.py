import math
import shutil
from dataclasses import replace
from functools import partial

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.errors import BadInput, CheckFailed
from smidgen.recipes.loading import load_recipe
from smidgen.records import measurements
from smidgen.training import device
from smidgen.training import trainer as trainer_module
from smidgen.training.trainer import Trainer


def final_tensors(run):
    checkpoint, _ = newest_checkpoint(run.checkpoints)
    return {part: checkpoint.tensors(part) for part in ("model", "optimizer")}


def assert_same_bits(first, second):
    for part in first:
        assert first[part].keys() == second[part].keys()
        for name in first[part]:
            assert torch.equal(first[part][name], second[part][name]), (part, name)


class StopAfter:
    """Asks to stop once it was asked a number of times."""

    def __init__(self, steps):
        self.left = steps

    def __call__(self):
        self.left -= 1
        return self.left < 0


def test_training_lowers_the_loss_and_says_how_far_it_came(train_in):
    run, result = train_in()
    lines = measurements.read(run.measurements, measurements.TRAINING)
    assert (result.step, result.tokens, result.finished) == (20, 10_240, True)
    assert [line["step"] for line in lines] == list(range(1, 21))
    assert lines[0]["loss"] == pytest.approx(math.log(320), abs=0.1)
    assert lines[-1]["loss"] < lines[0]["loss"] - 0.4
    assert [line["step"] for line in measurements.read(run.measurements, measurements.HELD_OUT)] == [10, 20]
    assert result.bits_per_byte < 8


@pytest.mark.parametrize("stops", [(1,), (7,), (5, 5), (3, 8, 4), (19,)])
def test_an_interrupted_run_ends_with_the_same_bits_as_an_uninterrupted_one(train_in, stops):
    straight, _ = train_in("straight")
    for steps in stops:
        run, result = train_in("interrupted", stop_requested=StopAfter(steps))
        assert not result.finished
    run, result = train_in("interrupted")
    assert result.finished
    assert_same_bits(final_tensors(straight), final_tensors(run))
    losses = [
        [line["loss"] for line in measurements.read(folder.measurements, measurements.TRAINING)]
        for folder in (straight, run)
    ]
    assert losses[0] == losses[1]


def test_a_budget_of_tokens_ends_a_sitting_and_the_next_one_goes_on(train_in):
    straight, _ = train_in("straight")
    run, result = train_in("budget", max_tokens=5_000)
    assert (result.tokens, result.finished) == (5_120, False)
    train_in("budget")
    assert_same_bits(final_tensors(straight), final_tensors(run))


def test_a_finished_run_is_left_as_it_is(train_in):
    run, _ = train_in()
    before = final_tensors(run)
    _, result = train_in()
    assert result.finished
    assert result.step == 20
    assert_same_bits(before, final_tensors(run))


def test_a_damaged_newest_checkpoint_costs_only_the_steps_since_the_one_before(train_in):
    straight, _ = train_in("straight")
    run, _ = train_in("damaged", max_tokens=12 * 512)
    newest, _ = newest_checkpoint(run.checkpoints)
    assert newest.step == 12
    weights = newest.path / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 4
    weights.write_bytes(content)
    _, result = train_in("damaged")
    assert any("step-00000012 is damaged" in notice for notice in result.notices)
    assert_same_bits(final_tensors(straight), final_tensors(run))


def test_accumulated_gradients_equal_those_of_one_pass(train_in, tiny_recipe):
    whole, _ = train_in("whole", recipe=with_training(tiny_recipe, micro_batch_size=16), max_tokens=3 * 512)
    parts, _ = train_in("parts", recipe=with_training(tiny_recipe, micro_batch_size=2), max_tokens=3 * 512)
    for name, value in final_tensors(whole)["model"].items():
        torch.testing.assert_close(value, final_tensors(parts)["model"][name], rtol=1e-4, atol=1e-5, msg=name)


def with_training(recipe, **changes):
    return replace(recipe, training=replace(recipe.training, **changes))


def test_another_seed_gives_another_model(train_in, tiny_recipe):
    first, _ = train_in("first", max_tokens=512)
    second, _ = train_in("second", recipe=with_training(tiny_recipe, seed=2), max_tokens=512)
    weights = [final_tensors(run)["model"]["embed_tokens.weight"] for run in (first, second)]
    assert not torch.allclose(*weights)


def test_a_step_that_is_not_finite_touches_no_weight(train_in, monkeypatch):
    bad_steps = {4, 9}
    original = Trainer.compute_gradients

    def sometimes_nan(self):
        loss, norm = original(self)
        if self.step in bad_steps:
            for parameter in self.decoder.parameters():
                parameter.grad.fill_(float("nan"))
            return float("nan"), float("nan")
        return loss, norm

    monkeypatch.setattr(Trainer, "compute_gradients", sometimes_nan)
    run, result = train_in()
    assert result.finished
    tensors = final_tensors(run)
    assert all(torch.isfinite(value).all() for part in tensors.values() for value in part.values())
    events = [line["message"] for line in measurements.read(run.measurements, measurements.EVENT)]
    assert [message for message in events if "samples 64 to 79" in message]
    assert len(events) == 2


def test_three_such_steps_in_a_row_end_the_run_and_name_the_batches(train_in, monkeypatch):
    monkeypatch.setattr(Trainer, "compute_gradients", lambda self: (float("inf"), 1.0))
    with pytest.raises(CheckFailed, match=r"3 steps in a row, the last with samples 32 to 47; a lower"):
        train_in()


def test_other_data_under_a_run_is_refused(train_in, training_data):
    run, _ = train_in(max_tokens=512)
    changed = replace(training_data, index={**training_data.index, "seed": 99})
    with pytest.raises(BadInput, match="is not the data that this run was trained on"):
        train_in(data=changed)
    assert newest_checkpoint(run.checkpoints)[0].step == 1


def test_another_geometry_continues_with_a_notice(train_in, tiny_recipe):
    train_in(max_tokens=512)
    _, result = train_in(recipe=with_training(tiny_recipe, micro_batch_size=4))
    assert result.finished
    assert any("another micro_batch" in notice for notice in result.notices)


def test_a_shortened_warm_up_is_said(train_in, tiny_recipe):
    _, result = train_in(recipe=with_training(tiny_recipe, warmup_steps=1500), max_tokens=512)
    assert any("warm-up is 2 steps instead of the recipe's 1500" in notice for notice in result.notices)


def test_long_waits_are_saved_even_before_the_interval(train_in, tiny_recipe, monkeypatch):
    monkeypatch.setattr(trainer_module, "CHECKPOINT_SECONDS", 0.0)
    run, _ = train_in(recipe=with_training(tiny_recipe, checkpoint_steps=1000), max_tokens=3 * 512)
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["step-00000002", "step-00000003"]


def test_bfloat16_and_the_compiler_train_to_about_the_same(train_in, tiny_recipe, monkeypatch):
    _, plain = train_in("plain")
    monkeypatch.setattr(device, "TOKENS_WORTH_COMPILING", 0)
    # Everything of the compiler but the slow last part, which generates code.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    _, other = train_in("bf16", recipe=with_training(tiny_recipe, precision="bf16", compile=True))
    assert other.loss == pytest.approx(plain.loss, abs=0.05)


@pytest.mark.skipif(not (shutil.which("c++") or shutil.which("g++")), reason="needs a C++ compiler")
# torch's own import of its compiler uses what it deprecates.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_on_two_threads_an_interrupted_run_still_ends_with_the_same_bits(train_in, tiny_recipe, monkeypatch):
    monkeypatch.setattr(device, "TOKENS_WORTH_COMPILING", 0)
    recipe = with_training(tiny_recipe, precision="bf16", compile=True)
    torch.set_num_threads(2)
    straight, _ = train_in("straight", recipe=recipe)
    train_in("interrupted", recipe=recipe, stop_requested=StopAfter(9))
    run, _ = train_in("interrupted", recipe=recipe)
    assert_same_bits(final_tensors(straight), final_tensors(run))


def test_the_users_own_choice_of_algorithms_is_restored(train_in):
    train_in(max_tokens=512)
    assert not torch.are_deterministic_algorithms_enabled()


def test_progress_is_told_after_every_step(train_in):
    seen = []
    train_in(on_progress=seen.append)
    assert [progress.step for progress in seen] == list(range(1, 21))
    assert seen[-1].seconds_left == 0
    assert all(math.isfinite(progress.loss) for progress in seen)


def test_the_published_shape_can_be_planned_and_built_without_training():
    recipe = load_recipe("gpt-s-5m")
    assert recipe.training.tokens // recipe.training.batch_tokens == 95_367
