import math
import shutil
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from torch.utils._python_dispatch import TorchDispatchMode

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.errors import BadInput, CheckFailed, OutOfResources
from smidgen.model.decoder import Decoder
from smidgen.native import library
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.training import BatchPoint
from smidgen.records import measurements
from smidgen.training import device, loss_scale
from smidgen.training import trainer as trainer_module
from smidgen.training.kernels import attention, feed_forward, head_loss, norm
from smidgen.training.optimizer import build_optimizer
from smidgen.training.saving import most_bytes
from smidgen.training.trainer import Trainer

from .stop_after import StopAfter


def final_tensors(run):
    checkpoint, _ = newest_checkpoint(run.checkpoints)
    return {part: checkpoint.tensors(part) for part in ("model", "optimizer")}


def assert_same_bits(first, second):
    for part in first:
        assert first[part].keys() == second[part].keys()
        for name in first[part]:
            assert torch.equal(first[part][name], second[part][name]), (part, name)


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


def test_another_data_order_changes_the_samples_and_not_the_first_weights(prepared, training_data, tiny_recipe):
    def started(**changes):
        recipe = replace(tiny_recipe, training=replace(tiny_recipe.training, **changes))
        return Trainer(recipe, prepared, training_data, recipe.design, device=torch.device("cpu"))

    usual, other, reseeded, both = (
        started(**changes) for changes in ({}, {"data_order": 1}, {"seed": 2}, {"seed": 2, "data_order": 1})
    )
    assert len({str(trainer.order.batch(0, 32)) for trainer in (usual, other, reseeded, both)}) == 4
    first = usual.decoder.embed_tokens.weight
    assert torch.equal(first, other.decoder.embed_tokens.weight)
    assert not torch.equal(first, reseeded.decoder.embed_tokens.weight)


def test_a_step_that_is_not_finite_touches_no_weight(train_in, monkeypatch):
    bad_steps = {4, 9}
    original = Trainer.compute_gradients

    def sometimes_nan(self):
        loss, norm = original(self)
        if self.step in bad_steps:
            for parameter in self.decoder.parameters():
                parameter.grad.fill_(float("nan"))
            return torch.tensor(float("nan")), torch.tensor(float("nan"))
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
    bad = (torch.tensor(float("inf")), torch.tensor(1.0))
    monkeypatch.setattr(Trainer, "compute_gradients", lambda self: bad)
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
    assert any("another micro batch" in notice for notice in result.notices)


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


# Like on a GPU: losses stay on the device until somebody wants to know them.
class Deferred(Trainer):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.reads_every_step = False


class NoReading(TorchDispatchMode):
    """Fails where a tensor's value is asked for, which on a GPU would wait for all work so far."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default, "a value was read from the device"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("options", [{}, {"optimizer": "muon", "ema_decay": 0.9, "z_loss": 1e-4}])
def test_a_step_reads_nothing_from_the_device(prepared, training_data, tiny_recipe, options):
    recipe = with_training(tiny_recipe, **options)
    trainer = Deferred(recipe, prepared, training_data, recipe.design, device=torch.device("cpu"))
    with NoReading():
        for _ in range(3):
            trainer.update_weights(*trainer.compute_gradients())
        assert math.isnan(trainer.progress().loss)
        with pytest.raises(AssertionError, match="a value was read"):
            float(torch.ones(()))
    trainer.watch.read()
    assert len(trainer.watch.since_log) == 3


def test_losses_read_late_give_the_same_run(train_in, tiny_recipe, monkeypatch):
    recipe = with_training(tiny_recipe, log_steps=4)
    straight, _ = train_in("straight", recipe=recipe)
    monkeypatch.setattr(trainer_module, "Trainer", Deferred)
    late, _ = train_in("late", recipe=recipe, stop_requested=StopAfter(7))
    late, _ = train_in("late", recipe=recipe)
    assert_same_bits(final_tensors(straight), final_tensors(late))
    lines = [measurements.read(run.measurements, measurements.TRAINING) for run in (straight, late)]
    assert [line["loss"] for line in lines[0]] == [line["loss"] for line in lines[1]]


def nan_in(steps, monkeypatch):
    original = Trainer.compute_gradients

    def sometimes_nan(self):
        loss, norm = original(self)
        if self.step in steps:
            for parameter in self.decoder.parameters():
                parameter.grad.fill_(float("nan"))
            norm = torch.tensor(float("nan"))
        return loss, norm

    monkeypatch.setattr(Trainer, "compute_gradients", sometimes_nan)


@pytest.mark.parametrize("options", [{}, {"optimizer": "muon"}, {"ema_decay": 0.9}])
def test_bad_steps_that_are_noticed_late_touch_no_weight_either(train_in, tiny_recipe, monkeypatch, options):
    monkeypatch.setattr(trainer_module, "Trainer", Deferred)
    nan_in({4, 9}, monkeypatch)
    run, result = train_in(recipe=with_training(tiny_recipe, log_steps=5, **options))
    assert result.finished
    tensors = final_tensors(run)
    assert all(torch.isfinite(value).all() for part in tensors.values() for value in part.values())
    assert newest_checkpoint(run.checkpoints)[0].state["updates"] == 18
    events = measurements.read(run.measurements, measurements.EVENT)
    assert [event for event in events if event["step"] == 9 and "samples 144 to 159" in event["message"]]


def test_three_bad_steps_in_a_row_end_the_run_at_the_next_log_and_leave_the_weights(
    train_in, tiny_recipe, monkeypatch
):
    monkeypatch.setattr(trainer_module, "Trainer", Deferred)
    nan_in({6, 7, 8}, monkeypatch)
    with pytest.raises(CheckFailed, match="3 steps in a row, the last with samples 128 to 143"):
        train_in("bad", recipe=with_training(tiny_recipe, log_steps=10))


def test_muon_trains_and_an_interrupted_run_ends_with_the_same_bits(train_in, tiny_recipe):
    recipe = with_training(tiny_recipe, optimizer="muon", muon_learning_rate=0.02)
    straight, _ = train_in("straight", recipe=recipe)
    lines = measurements.read(straight.measurements, measurements.TRAINING)
    assert lines[-1]["loss"] < lines[0]["loss"] - 0.4
    train_in("interrupted", recipe=recipe, stop_requested=StopAfter(7))
    run, _ = train_in("interrupted", recipe=recipe)
    assert_same_bits(final_tensors(straight), final_tensors(run))
    assert "momentum_buffer.layers.0.mlp.up_proj.weight" in final_tensors(run)["optimizer"]


def test_another_optimiser_cannot_go_on_with_the_state_of_the_first(train_in, tiny_recipe):
    train_in(max_tokens=512)
    with pytest.raises(BadInput, match=r"layers\.0.* does not fit the design; it belongs to another run"):
        train_in(recipe=with_training(tiny_recipe, optimizer="muon"))


def test_a_growing_batch_resumes_to_the_same_bits_and_spends_all_tokens(train_in, tiny_recipe):
    growing = with_training(tiny_recipe, batch_schedule=(BatchPoint(at=0.3, tokens=1024),))
    straight, result = train_in("straight", recipe=growing)
    assert (result.step, result.tokens) == (13, 10_240)
    for steps in (3, 6):
        train_in("interrupted", recipe=growing, stop_requested=StopAfter(steps))
    run, _ = train_in("interrupted", recipe=growing)
    assert_same_bits(final_tensors(straight), final_tensors(run))


def test_running_out_of_memory_leads_to_smaller_passes_of_the_same_steps(train_in, tiny_recipe, monkeypatch):
    original = Decoder.hidden_states
    errors = {
        8: torch.OutOfMemoryError("CUDA out of memory"),
        4: RuntimeError("[...] can't allocate memory: 9 bytes"),
    }

    def limited(self, ids_BT, **options):
        if self.training and len(ids_BT) in errors:
            raise errors[len(ids_BT)]
        return original(self, ids_BT, **options)

    small, _ = train_in("small", recipe=with_training(tiny_recipe, micro_batch_size=2))
    monkeypatch.setattr(Decoder, "hidden_states", limited)
    told = []
    run, result = train_in("limited", on_notice=told.append)
    assert_same_bits(final_tensors(small), final_tensors(run))
    assert [notice for notice in told if "memory ran out with 8 sequences a pass: going on with 4" in notice]
    assert [notice for notice in result.notices if "training.micro_batch_size=2 avoids" in notice]
    assert [
        line for line in measurements.read(run.measurements, measurements.EVENT) if "out with 4" in line["message"]
    ]


def test_where_one_sequence_does_not_fit_the_run_ends_in_words(train_in, monkeypatch):
    def never(self, ids_BT, **options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Decoder, "hidden_states", never)
    with pytest.raises(OutOfResources, match="with 1 x 32 tokens at a time; a smaller"):
        train_in()


def test_other_errors_of_a_step_are_not_taken_for_a_lack_of_memory(train_in, monkeypatch):
    def broken(self, ids_BT, **options):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(Decoder, "hidden_states", broken)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train_in()


def test_the_moving_average_is_what_is_measured_and_opened_but_not_what_is_trained(train_in, tiny_recipe):
    plain, _ = train_in("plain")
    recipe = with_training(tiny_recipe, ema_decay=0.9)
    run, _ = train_in("averaged", recipe=recipe)
    assert_same_bits(final_tensors(plain), final_tensors(run))
    checkpoint, _ = newest_checkpoint(run.checkpoints)
    average = checkpoint.tensors("average")
    assert checkpoint.weights_path.name == "average.safetensors"
    assert not torch.equal(average["norm.weight"], checkpoint.tensors("model")["norm.weight"])
    measured = [measurements.read(folder.measurements, measurements.HELD_OUT)[-1] for folder in (plain, run)]
    assert measured[0]["bits_per_byte"] != measured[1]["bits_per_byte"]
    train_in("interrupted", recipe=recipe, stop_requested=StopAfter(7))
    again, _ = train_in("interrupted", recipe=recipe)
    resumed = newest_checkpoint(again.checkpoints)[0].tensors("average")
    assert all(torch.equal(average[name], resumed[name]) for name in average)


def test_the_mean_of_the_last_checkpoints_does_not_depend_on_interruptions(train_in, tiny_recipe):
    recipe = with_training(
        tiny_recipe, average_checkpoints=3, checkpoint_steps=4, keep_checkpoints=1, keep_best=False
    )
    models = {}

    def remember(progress):
        folders = (tiny.parent / "straight" / "checkpoints").glob("step-*/model.safetensors")
        models.update({path.parent.name: load_file(path) for path in folders if path.parent.name not in models})

    tiny = train_in("straight", recipe=recipe, max_tokens=512)[0].path
    straight, _ = train_in("straight", recipe=recipe, on_progress=remember)
    mean = newest_checkpoint(straight.checkpoints)[0].tensors("average")
    name = "layers.1.mlp.up_proj.weight"
    expected = sum(models[f"step-{step:08d}"][name].double() for step in (12, 16)) / 3
    expected += final_tensors(straight)["model"][name].double() / 3
    torch.testing.assert_close(mean[name].double(), expected, rtol=1e-6, atol=1e-7)
    assert sorted(path.name for path in straight.checkpoints.iterdir()) == ["step-00000016", "step-00000020"]
    for steps in (5, 6):
        train_in("interrupted", recipe=recipe, stop_requested=StopAfter(steps))
    run, _ = train_in("interrupted", recipe=recipe)
    again = newest_checkpoint(run.checkpoints)[0].tensors("average")
    assert all(torch.equal(mean[name], again[name]) for name in mean)


def test_the_z_loss_changes_the_weights_and_not_what_the_loss_means(train_in, tiny_recipe):
    plain, _ = train_in("plain", max_tokens=512)
    penalised, _ = train_in("penalised", recipe=with_training(tiny_recipe, z_loss=0.1), max_tokens=512)
    first = [measurements.read(run.measurements, measurements.TRAINING)[0]["loss"] for run in (plain, penalised)]
    assert first[0] == first[1]
    weights = [final_tensors(run)["optimizer"]["exp_avg.norm.weight"] for run in (plain, penalised)]
    assert not torch.equal(*weights)


def test_float16_with_a_scaled_loss_finds_its_scale_and_resumes_to_the_same_bits(train_in, monkeypatch):
    monkeypatch.setattr(trainer_module, "compute_dtype", lambda device, precision: torch.float16)
    # So that gradients overflow at first.
    monkeypatch.setattr(loss_scale, "FIRST_SCALE", 2.0**28)
    straight, result = train_in("straight")
    state = newest_checkpoint(straight.checkpoints)[0].state
    overflows = 20 - state["updates"]
    assert 3 < overflows < 15
    assert state["loss_scale"]["scale"] == 2.0 ** (28 - overflows)
    assert not [
        line for line in measurements.read(straight.measurements, measurements.EVENT) if "finite" in str(line)
    ]
    assert result.loss < math.log(320) - 0.3
    train_in("interrupted", stop_requested=StopAfter(17))
    run, _ = train_in("interrupted")
    assert_same_bits(final_tensors(straight), final_tensors(run))


def test_the_best_checkpoint_on_held_out_text_stays(train_in, tiny_recipe, monkeypatch):
    # Each measurement scores two sources.
    measured = iter([3.0, 3.0, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0])
    monkeypatch.setattr(
        trainer_module, "score_held_out", lambda decoder, documents: SimpleNamespace(value=next(measured))
    )
    recipe = with_training(tiny_recipe, held_out_steps=5, keep_checkpoints=1)
    run, _ = train_in(recipe=recipe)
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["step-00000010", "step-00000020"]


def test_the_disk_use_of_checkpoints_is_said_before_the_run_and_is_not_exceeded(train_in, tiny_recipe):
    most = []
    said = []

    def look(progress):
        assert said, "the notice comes before the first step"
        most.append(sum(path.stat().st_size for path in run_path.rglob("*.safetensors")))

    options = {"ema_decay": 0.9, "checkpoint_steps": 1, "keep_checkpoints": 3}
    recipe = with_training(tiny_recipe, **options)
    run_path = train_in(recipe=recipe, max_tokens=512)[0].checkpoints
    train_in(recipe=recipe, on_progress=look, on_notice=said.append)
    promised = most_bytes_of(recipe)
    # 3 kept, perhaps the best, and one in the making, which is not there any more when we look.
    assert 0.7 * promised < max(most) < promised
    assert any(f"checkpoints of this run take at most {promised / 1e6:,.0f} MB" in notice for notice in said)


def most_bytes_of(recipe):
    decoder = Decoder(recipe.design)
    return most_bytes(decoder, build_optimizer(decoder, recipe.training), recipe.training)


def test_masked_documents_train_and_a_sentence_says_where_that_is_slower(train_in, tiny_recipe, monkeypatch):
    masked = with_training(tiny_recipe, document_masks=True)
    runs = {"plain": train_in("plain", max_tokens=2_560), "fast": train_in("fast", recipe=masked, max_tokens=2_560)}
    monkeypatch.setattr(library, "COMPILERS", ())
    for kernel in (attention, feed_forward, head_loss, norm):
        kernel.library.cache_clear()
    runs["slow"] = train_in("slow", recipe=masked, max_tokens=2_560)
    norms = {
        name: [line["gradient_norm"] for line in measurements.read(run.measurements, measurements.TRAINING)]
        for name, (run, _) in runs.items()
    }
    assert norms["fast"] == pytest.approx(norms["slow"], rel=1e-5)
    assert norms["plain"] != pytest.approx(norms["slow"], rel=1e-4)
    told = {
        name: [notice for notice in result.notices if "document_masks" in notice]
        for name, (_, result) in runs.items()
    }
    assert not told["plain"]
    (notice,) = told["slow"]
    assert "slower" in notice
