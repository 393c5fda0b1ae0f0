import json

import pytest
import torch

from smidgen.model.decoder import Decoder
from smidgen.native import library
from smidgen.training.acceleration import accelerate
from smidgen.training.contract import broken_clauses, contract
from smidgen.training.kernels import attention, feed_forward
from smidgen.training.step import Step


def step(recipe, **changes):
    options = {"device": torch.device("cpu"), "dtype": torch.float32, "micro_batch": 4, "compile_mode": None}
    return Step(Decoder(recipe.design), recipe.training, **{**options, **changes})


def test_the_same_way_of_computing_breaks_nothing(tiny_recipe):
    assert broken_clauses(step(tiny_recipe), contract(step(tiny_recipe))) == []


def test_what_changed_is_named(tiny_recipe):
    saved = {**contract(step(tiny_recipe)), "torch": "1.0"}
    (sentence,) = broken_clauses(step(tiny_recipe, micro_batch=2, dtype=torch.bfloat16), saved)
    assert sentence.startswith("continuing with another torch, dtype, micro batch: ")
    assert sentence.endswith("will not be bit-identical")


def test_a_run_goes_on_without_the_compiler_it_began_with(tiny_recipe, monkeypatch):
    with_kernels = step(tiny_recipe)
    if accelerate(with_kernels.decoder, torch.device("cpu"), torch.float32):
        pytest.skip("no compiler here either")
    # As a checkpoint keeps it.
    saved = json.loads(json.dumps(contract(with_kernels)))
    (name,) = saved["set_of_kernels"]
    assert name.startswith("attention-")
    assert broken_clauses(with_kernels, saved) == []
    monkeypatch.setattr(library, "COMPILERS", ())
    for kernel in (attention, feed_forward):
        kernel.library.cache_clear()
    without = step(tiny_recipe)
    assert accelerate(without.decoder, torch.device("cpu"), torch.float32)
    (sentence,) = broken_clauses(without, saved)
    assert sentence.startswith("continuing with another set of kernels: ")
