import json

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.errors import OutOfResources
from smidgen.model.decoder import Decoder
from smidgen.training import autotune
from smidgen.training.autotune import Choice, autotuned, fastest, remembered, seconds_per_sequence
from smidgen.training.step import Step

CPU = torch.device("cpu")


class FakeTimer:
    """Seconds a sequence by size and mode; sizes above ``fits`` run out of memory."""

    def __init__(self, seconds, fits=1000):
        self.seconds, self.fits, self.asked = seconds, fits, []

    def __call__(self, choice):
        self.asked.append(choice)
        if choice.micro_batch > self.fits:
            raise OutOfResources("memory ran out with 16 x 512 tokens at a time")
        return self.seconds[choice.micro_batch, choice.compile_mode]


SECONDS = {
    (8, None): 4.0,
    (16, None): 2.0,
    (32, None): 3.0,
    (16, "default"): 1.5,
    (16, "reduce-overhead"): 1.0,
    (8, "default"): 0.9,
    (8, "reduce-overhead"): 3.9,
}


def test_the_size_is_chosen_first_and_then_the_way_to_compile_it():
    timer = FakeTimer(SECONDS)
    assert fastest([8, 16, 32], compiled=True, seconds_of=timer) == Choice(
        micro_batch=16, compile_mode="reduce-overhead"
    )
    assert len(timer.asked) == 5


def test_without_a_compiler_only_sizes_are_tried():
    assert fastest([8, 16], compiled=False, seconds_of=FakeTimer(SECONDS)) == Choice(
        micro_batch=16, compile_mode=None
    )


def test_what_does_not_fit_is_passed_over():
    assert fastest([8, 16, 32], compiled=True, seconds_of=FakeTimer(SECONDS, fits=8)).micro_batch == 8
    assert fastest([8, 16], compiled=True, seconds_of=FakeTimer(SECONDS, fits=1)) is None


def test_other_errors_are_not_hidden():
    def broken(choice):
        raise RuntimeError("illegal instruction")

    with pytest.raises(RuntimeError, match="illegal instruction"):
        fastest([8], compiled=False, seconds_of=broken)


def test_a_choice_is_measured_once_and_then_remembered(tmp_path):
    cache, found = tmp_path / "deep" / "autotune.json", Choice(micro_batch=16, compile_mode="default")
    assert remembered("one", cache, lambda: found) == found
    assert remembered("one", cache, lambda: pytest.fail("measured again")) == found
    assert remembered("two", cache, lambda: None) is None
    assert list(json.loads(cache.read_text())) == ["one"]


@pytest.mark.parametrize("content", ["", "[]", '{"one": 3}', '{"one": {"rows": 3}}', '{"one": '])
def test_a_damaged_cache_only_costs_the_measurement(tmp_path, content):
    cache, found = tmp_path / "autotune.json", Choice(micro_batch=16, compile_mode=None)
    cache.write_text(content)
    assert remembered("one", cache, lambda: found) == found
    assert remembered("one", cache, lambda: pytest.fail("measured again")) == found


def test_other_shapes_devices_and_sizes_are_measured_anew(tmp_path, tiny_recipe, monkeypatch):
    measured = []
    monkeypatch.setattr(autotune, "seconds_per_sequence", lambda step, device: measured.append(step) or 1.0)

    def tune(recipe, **changes):
        options = {"device": CPU, "dtype": torch.float32, "sizes": [1, 2], "compiled": False, **changes}
        autotuned(Decoder(recipe.design), recipe.training, cache=tmp_path / "c.json", **options)
        return len(measured)

    counts = [
        tune(tiny_recipe),
        tune(tiny_recipe),
        tune(tiny_recipe, dtype=torch.bfloat16),
        tune(tiny_recipe, sizes=[1, 2, 4]),
    ]
    assert counts == [2, 2, 4, 7]


def test_a_run_takes_what_was_measured_and_says_so(train_in, tiny_recipe, monkeypatch, tmp_path):
    monkeypatch.setattr(autotune, "is_worth_it", lambda device: True)
    monkeypatch.setattr(autotune, "default_cache", lambda: tmp_path / "autotune.json")
    seconds = {1: 3.0, 2: 2.0, 4: 1.0, 8: 4.0}
    monkeypatch.setattr(autotune, "seconds_per_sequence", lambda step, device: seconds[step.micro_batch])
    run, result = train_in("tuned", max_tokens=512)
    assert "fastest on this GPU, as measured: 4 sequences a pass, not compiled" in result.notices
    assert newest_checkpoint(run.checkpoints)[0].state["contract"]["micro_batch"] == 4
    assert len(json.loads((tmp_path / "autotune.json").read_text())) == 1


def test_the_measurement_leaves_no_gradients_behind(tiny_recipe):
    decoder = Decoder(tiny_recipe.design)
    before = [parameter.clone() for parameter in decoder.parameters()]
    step = Step(decoder, tiny_recipe.training, device=CPU, dtype=torch.float32, micro_batch=2, compile_mode=None)
    assert 0 < seconds_per_sequence(step, CPU) < 10
    assert all(parameter.grad is None for parameter in decoder.parameters())
    assert all(torch.equal(old, new) for old, new in zip(before, decoder.parameters(), strict=True))
