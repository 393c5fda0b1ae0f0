from collections import Counter
from dataclasses import replace

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.data.training_data import open_data
from smidgen.life.run import run_life
from smidgen.life.stages import Life, resolved_config
from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE
from smidgen.model.decoder import Decoder
from smidgen.records.run_folder import RunFolder
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.training.place_offsets import place_offsets
from smidgen.training.trainer import Trainer, train

from .stop_after import StopAfter

CPU = torch.device("cpu")


def test_an_offset_belongs_to_a_sample_and_a_seed():
    whole = place_offsets(range(40), largest=20, seed=1)
    assert torch.equal(whole[7:19], place_offsets(range(7, 19), largest=20, seed=1))
    assert not torch.equal(whole, place_offsets(range(40), largest=20, seed=2))
    # Pinned, because a run must go on with the same ones on another machine and version.
    assert whole[:6].tolist() == [10, 14, 3, 17, 8, 11]


def test_all_offsets_come_equally_often():
    counts = Counter(place_offsets(range(6000), largest=5, seed=3).tolist())
    assert sorted(counts) == list(range(6))
    # Five standard deviations of a count of 1,000.
    assert max(abs(count - 1000) for count in counts.values()) < 145


@pytest.fixture(scope="module")
def recipe(tiny_recipe):
    design = replace(tiny_recipe.design, place_vocab_size=PLACE_VOCAB_SIZE, role_vocab_size=ROLE_VOCAB_SIZE)
    tokenizer = replace(tiny_recipe.tokenizer, digits="reversed", isolate_operators=True)
    training = replace(tiny_recipe.training, place_offset=12, answer_weight=2.0, tokens=5 * 512, held_out_steps=5)
    return replace(tiny_recipe, design=design, tokenizer=tokenizer, training=training)


@pytest.fixture(scope="module")
def prepared(recipe, tmp_path_factory):
    """A run with tokenizer and data, not yet trained, and its design with the ids of digits."""
    run = RunFolder(tmp_path_factory.mktemp("prepared") / "run")
    run_life(Life(recipe=recipe, run=run), until="data")
    tokenizer = Tokenizer.open(run.tokenizer)
    return open_data(run.data, tokenizer.fingerprint), resolved_config(recipe, tokenizer)


@pytest.fixture
def train_in(recipe, prepared, tmp_path):
    def call(name, recipe=recipe, **options):
        run = RunFolder(tmp_path / name)
        run.path.mkdir(exist_ok=True)
        train(recipe, run, *prepared, device=CPU, **options)
        return newest_checkpoint(run.checkpoints)[0].tensors("model")

    return call


def is_same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_stopped_run_goes_on_with_the_same_offsets_to_the_same_bits(train_in, recipe):
    straight = train_in("straight")
    train_in("stopped", stop_requested=StopAfter(2))
    assert is_same(straight, train_in("stopped"))
    plain = replace(recipe, training=replace(recipe.training, place_offset=0))
    assert not is_same(straight, train_in("plain", recipe=plain))


def test_offsets_train_places_that_no_number_of_the_data_has(train_in):
    first = train_in("first", max_tokens=512)["digit_features.embed_place.weight"]
    last = train_in("last")["digit_features.embed_place.weight"]
    # Without a gradient a table only decays, by the same factor everywhere.
    moved = (last / first - last[65] / first[65]).abs().amax(dim=1) > 1e-4
    # Sums of the data have four digits at most, and offsets go to 12: each of places 5 to 13 has four offsets or more
    # that reach it, place 1 only one, which so few steps may not draw.
    assert moved[5:14].all()
    assert not moved[17:].any()


def test_only_training_shifts_places(recipe, prepared, tmp_path, monkeypatch):
    seen = []
    original = Decoder.hidden_states

    def watched(self, *args, place_offset_B=None, **options):
        seen.append((self.training, place_offset_B))
        return original(self, *args, place_offset_B=place_offset_B, **options)

    monkeypatch.setattr(Decoder, "hidden_states", watched)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    train(recipe, run, *prepared, device=CPU)
    trained = [offset_B for is_training, offset_B in seen if is_training and offset_B is not None]
    others = [offset_B for is_training, offset_B in seen if not is_training]
    # In the order of the samples, each pass with those of its own.
    assert torch.equal(torch.cat(trained), place_offsets(range(80), largest=12, seed=recipe.training.order_seed))
    assert others
    assert not any(offset_B is not None for offset_B in others)


def test_ranks_shift_their_own_samples(recipe, prepared, tmp_path):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    trainer = Trainer(recipe, run, *prepared, device=CPU)
    trainer.step, trainer.plan = 3, replace(trainer.plan, rank=1, ranks=2)
    expected = place_offsets(range(3 * 16 + 8, 4 * 16), largest=12, seed=recipe.training.order_seed)
    assert torch.equal(trainer.next_place_offsets(), expected)
