import hashlib
import shutil
from dataclasses import replace

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.checkpoints.open_model import open_model
from smidgen.errors import BadInput
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.recipes.ownership import claim
from smidgen.records.run_folder import RunFolder
from smidgen.training.averages import ExponentialAverage, mean_of
from smidgen.training.trainer import train


def tiny():
    torch.manual_seed(1)
    config = {"vocab_size": 11, "hidden_size": 6, "num_layers": 2, "num_heads": 1, "num_kv_heads": 1}
    return Decoder(ModelConfig(**config, intermediate_size=5, context_length=7))


def change(decoder, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator))


def test_it_is_the_exponential_average_with_a_decay_that_rises():
    decoder = tiny()
    average = ExponentialAverage(decoder, 0.5)
    expected = decoder.norm.weight.detach().double().clone()
    for step in range(12):
        change(decoder, step)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * decoder.norm.weight.detach().double()
    torch.testing.assert_close(average.tensors["norm.weight"].double(), expected, rtol=1e-6, atol=1e-6)


def test_inside_the_block_the_decoder_computes_with_it_and_afterwards_with_its_own_weights():
    decoder = tiny()
    average = ExponentialAverage(decoder, 0.9)
    change(decoder, 1)
    ids = torch.tensor([[1, 2, 3]])
    own, averaged = decoder(ids), tiny()(ids)
    with average.in_place():
        torch.testing.assert_close(decoder(ids), averaged)
    assert torch.equal(decoder(ids), own)
    with pytest.raises(KeyError), average.in_place():
        raise KeyError
    assert torch.equal(decoder(ids), own)


def test_averaged_weights_are_what_is_opened(prepared, training_data, tiny_recipe, tmp_path):
    recipe = replace(tiny_recipe, training=replace(tiny_recipe.training, ema_decay=0.9, keep_checkpoints=1))
    run = RunFolder(tmp_path / "run")
    claim(run, recipe)
    shutil.copytree(prepared.tokenizer, run.tokenizer)
    train(recipe, run, training_data, recipe.design, device=torch.device("cpu"))
    checkpoint, _ = newest_checkpoint(run.checkpoints)
    average = checkpoint.path / "average.safetensors"
    for path in (run.path, checkpoint.path):
        opened = open_model(path)
        assert opened.weights_sha256 == hashlib.sha256(average.read_bytes()).hexdigest()
        assert torch.equal(opened.decoder.norm.weight, checkpoint.tensors("average")["norm.weight"])
        assert not torch.equal(opened.decoder.norm.weight, checkpoint.tensors("model")["norm.weight"])
    (checkpoint.path / "state.json").write_text("{}")
    with pytest.raises(BadInput, match="step-00000020 is damaged; give another checkpoint"):
        open_model(checkpoint.path)


def test_the_mean_of_models_is_that_of_each_weight():
    models = [{"w": torch.tensor([value, -value])} for value in (1.0, 2.0, 6.0)]
    assert torch.equal(mean_of(models)["w"], torch.tensor([3.0, -3.0]))
