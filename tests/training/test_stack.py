"""Members trained together are ordinary runs: their measurements, checkpoints and ends are those of each alone."""

from dataclasses import replace

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.errors import BadInput, CheckFailed
from smidgen.recipes.training import BatchPoint
from smidgen.records import measurements
from smidgen.records.run_folder import RunFolder
from smidgen.training import stack as stack_module
from smidgen.training import trainer as trainer_module
from smidgen.training.stack import Member, can_be_stacked, train_together
from smidgen.training.trainer import Trainer, train

from .stop_after import StopAfter

CPU = torch.device("cpu")
# Losses in float32 of a stack and of each model alone.
CLOSE = 1e-4
# 10 steps of 5 sequences, with everything done on the way at steps of its own.
SHORT = {
    "tokens": 10 * 160,
    "batch_tokens": 160,
    "held_out_steps": 5,
    "checkpoint_steps": 4,
    "statistics_steps": 3,
    "log_steps": 1,
}
CHANGES = (
    {"seed": 1},
    {"seed": 2, "peak_learning_rate": 1e-3, "ema_decay": 0.9, "gradient_clip": 0.3},
    {"seed": 3, "peak_learning_rate": 8e-4, "schedule": "cosine", "keep_checkpoints": 1, "weight_decay": 0.1},
)


@pytest.fixture(autouse=True)
def quick_measurements(monkeypatch):
    """Less text to score, and no half a second for each trainer's peak, which no test here looks at."""
    monkeypatch.setattr(trainer_module, "HELD_OUT_BYTES_IN_TRAINING", 2_000)
    monkeypatch.setattr(trainer_module, "peak_flops_per_second", lambda device, dtype: 1e11)


@pytest.fixture
def member_of(training_data, tiny_recipe, tmp_path):
    def make(folder, options=(), **changes):
        recipe = replace(tiny_recipe, training=replace(tiny_recipe.training, **{**SHORT, **changes}))
        run = RunFolder(tmp_path / folder)
        run.path.mkdir(exist_ok=True, parents=True)
        return Member(recipe=recipe, run=run, data=training_data, config=recipe.design, **dict(options))

    return make


@pytest.fixture
def members(member_of):
    def make(folder, **more):
        return [member_of(f"{folder}/{number}", **{**changes, **more}) for number, changes in enumerate(CHANGES)]

    return make


def alone(member, **options):
    return train(member.recipe, member.run, member.data, member.config, device=CPU, **options)


def losses(member):
    return [line["loss"] for line in measurements.read(member.run.measurements, measurements.TRAINING)]


def weights(member, part="model"):
    checkpoint, _ = newest_checkpoint(member.run.checkpoints)
    return checkpoint.tensors(part)


def assert_same_run(member, expected):
    assert losses(member) == pytest.approx(losses(expected), abs=CLOSE)
    assert len(losses(member)) == 10
    for part in ("model", "optimizer", *(["average"] if member.recipe.training.ema_decay else [])):
        for name, value in weights(expected, part).items():
            torch.testing.assert_close(weights(member, part)[name], value, rtol=1e-2, atol=1e-4, msg=f"{part} {name}")


def steps_saved(member):
    return sorted(path.name for path in member.run.checkpoints.glob("step-*"))


def test_each_member_leaves_the_folder_that_it_leaves_alone(members):
    seen = []
    expected, together = members("alone"), members("together")
    together[1] = replace(together[1], on_progress=seen.append)
    results = [alone(member) for member in expected]
    outcomes = train_together(together, device=CPU)
    for result, outcome, member, one in zip(results, outcomes, together, expected, strict=True):
        assert outcome.error is None
        assert outcome.result.finished
        assert (outcome.result.step, outcome.result.tokens) == (result.step, result.tokens) == (10, 1600)
        assert outcome.result.bits_per_byte == pytest.approx(result.bits_per_byte, abs=1e-3)
        assert_same_run(member, one)
        assert steps_saved(member) == steps_saved(one)
        for kind in (measurements.TRAINING, measurements.HELD_OUT, measurements.STATISTICS):
            lines, wanted = (measurements.read(each.run.measurements, kind) for each in (member, one))
            assert [line["step"] for line in lines] == [line["step"] for line in wanted]
    assert [progress.step for progress in seen] == list(range(1, 11))
    finals = [losses(member)[-1] for member in together]
    assert len({round(loss, 2) for loss in finals}) == 3


def test_a_stopped_stack_goes_on_to_the_same_end(members):
    straight, stopped = members("straight"), members("stopped")
    train_together(straight, device=CPU)
    outcomes = train_together(stopped, device=CPU, stop_requested=StopAfter(6))
    assert [(outcome.result.step, outcome.result.finished) for outcome in outcomes] == [(6, False)] * 3
    outcomes = train_together(stopped, device=CPU)
    assert all(outcome.result.finished for outcome in outcomes)
    assert not any("bit-identical" in notice for outcome in outcomes for notice in outcome.result.notices)
    for member, expected in zip(stopped, straight, strict=True):
        assert losses(member) == losses(expected)
        for name, value in weights(expected).items():
            assert torch.equal(value, weights(member)[name]), name


def test_any_member_can_go_on_alone_and_says_that_its_bits_may_differ(members):
    expected, split = members("alone"), members("split")
    alone(expected[1])
    train_together(split, device=CPU, stop_requested=StopAfter(6))
    result = alone(split[1])
    assert result.finished
    assert any("another stack of models" in notice for notice in result.notices)
    assert_same_run(split[1], expected[1])


def test_members_ahead_wait_for_those_behind(members):
    expected, uneven = members("alone"), members("uneven")
    for member in expected:
        alone(member)
    alone(uneven[0], max_tokens=7 * 160)
    alone(uneven[2], max_tokens=3 * 160)
    order = []
    uneven = [
        replace(member, on_progress=lambda progress, number=number: order.append((progress.step, number)))
        for number, member in enumerate(uneven)
    ]
    train_together(uneven, device=CPU)
    assert order == sorted(order)
    assert [step for step, number in order if number == 0] == [8, 9, 10]
    for member, one in zip(uneven, expected, strict=True):
        assert_same_run(member, one)


def test_a_member_that_diverges_ends_alone_and_changes_nothing_for_the_others(members, monkeypatch):
    expected, together = members("alone"), members("together")
    for member in (expected[0], expected[2]):
        alone(member)
    original = Trainer.take_step

    def diverging(self, loss, gradient_norm):
        if self.recipe.training.seed == 2 and self.step >= 4:
            loss = loss * float("nan")
        original(self, loss, gradient_norm)

    monkeypatch.setattr(Trainer, "take_step", diverging)
    outcomes = train_together(together, device=CPU)
    assert [type(outcome.error) for outcome in outcomes] == [type(None), CheckFailed, type(None)]
    assert "not finite in 3 steps in a row" in str(outcomes[1].error)
    assert outcomes[1].result.step == 7 - 1
    assert not outcomes[1].result.finished
    for number in (0, 2):
        assert outcomes[number].result.finished
        assert_same_run(together[number], expected[number])


def test_when_half_of_the_members_have_ended_the_rest_go_on_in_a_smaller_stack(members, monkeypatch):
    expected, together = members("alone"), members("together")
    alone(expected[1])
    sizes = []
    original = stack_module.StackedStep

    def noted(steps, **way):
        sizes.append(len(steps))
        return original(steps, **way)

    monkeypatch.setattr(stack_module, "StackedStep", noted)
    together[0], together[2] = (replace(together[n], max_tokens=tokens) for n, tokens in ((0, 160), (2, 7 * 160)))
    outcomes = train_together(together, device=CPU)
    assert sizes == [3, 1]
    assert [outcome.result.step for outcome in outcomes] == [1, 10, 7]
    assert [outcome.result.finished for outcome in outcomes] == [False, True, False]
    assert steps_saved(together[2]) == ["step-00000007"]
    assert_same_run(together[1], expected[1])


def test_members_that_are_finished_are_left_as_they_are(members):
    together = members("together")
    alone(together[0])
    before = weights(together[0])
    outcomes = train_together(together, device=CPU)
    assert all(outcome.result.finished for outcome in outcomes)
    assert all(torch.equal(value, weights(together[0])[name]) for name, value in before.items())
    assert all(outcome.result.finished for outcome in train_together(together, device=CPU))


def test_a_checkpoint_of_other_data_ends_its_member_before_the_first_step(members):
    together = members("together")
    alone(together[1], max_tokens=160)
    other = replace(together[1].data, index={**together[1].data.index, "seed": 77})
    together[1] = replace(together[1], data=other)
    outcomes = train_together(together, device=CPU)
    assert "is not the data that this run was trained on" in str(outcomes[1].error)
    assert [outcome.result.step for outcome in outcomes] == [10, 0, 10]


def test_a_growing_batch_keeps_its_shape_in_a_stack(members):
    growing = {"batch_schedule": (BatchPoint(at=0.5, tokens=320),), "tokens": 1600, "held_out_steps": 20}
    expected, together = members("alone", **growing), members("together", **growing)
    alone(expected[1])
    outcomes = train_together(together, device=CPU)
    assert all(outcome.result.finished for outcome in outcomes)
    assert losses(together[1]) == pytest.approx(losses(expected[1]), abs=CLOSE)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"design.hidden_size": 48}, "design.hidden_size=48 differs from 36"),
        ({"design.xsa": True}, "design.xsa=True differs from False"),
        ({"training.batch_tokens": 320}, "training.batch_tokens=320 differs from 160"),
        ({"training.precision": "bf16"}, "training.precision=bf16 differs from fp32"),
        ({"training.z_loss": 1e-4}, "training.z_loss=0.0001 differs from 0.0"),
        ({"training.document_masks": True}, "training.document_masks=True differs from False"),
    ],
)
def test_what_cannot_be_stacked_is_named(member_of, changes, sentence):
    first, other = member_of("first"), member_of("other")
    for key, value in changes.items():
        part, name = key.split(".")
        recipe = other.recipe
        other = replace(other, recipe=replace(recipe, **{part: replace(getattr(recipe, part), **{name: value})}))
    other = replace(other, config=other.recipe.design)
    assert can_be_stacked([first.recipe, other.recipe]).startswith(sentence)
    with pytest.raises(BadInput, match=sentence.replace(".", r"\.")):
        train_together([first, other], device=CPU)
    assert not list(first.run.path.iterdir())


def test_seeds_rates_optimisers_orders_and_first_weights_may_differ(members):
    recipes = [member.recipe for member in members("any")]
    wide = replace(recipes[0], design=replace(recipes[0].design, initializer_range=0.1))
    muon = replace(recipes[0], training=replace(recipes[0].training, optimizer="muon", data_order=5))
    assert can_be_stacked([*recipes, wide, muon]) == ""


def test_a_stack_of_nothing_is_refused():
    with pytest.raises(BadInput, match="no models"):
        train_together([], device=CPU)
