import json
from dataclasses import replace

import pytest
import torch

from smidgen.model.decoder import Decoder
from smidgen.native import library
from smidgen.training.acceleration import accelerate
from smidgen.training.contract import VERSIONS, broken_clauses, contract
from smidgen.training.kernels import attention, feed_forward
from smidgen.training.step import Step

OPTIONS = {"device": torch.device("cpu"), "dtype": torch.float32, "micro_batch": 4, "compile_mode": None}
NOT_THE_SAME = "the run goes on but will not be bit-identical"


def step(recipe, **changes):
    return Step(Decoder(recipe.design), recipe.training, **{**OPTIONS, **changes})


def test_the_same_way_of_computing_breaks_nothing(tiny_recipe):
    assert broken_clauses(step(tiny_recipe), contract(step(tiny_recipe))) == []


def test_what_changed_is_named(tiny_recipe):
    saved = {**contract(step(tiny_recipe)), "torch": "1.0"}
    (sentence,) = broken_clauses(step(tiny_recipe, micro_batch=2, dtype=torch.bfloat16), saved)
    assert sentence.startswith("continuing with another torch, dtype, micro batch: ")
    assert sentence.endswith("will not be bit-identical")


def test_checkpoints_from_before_are_of_the_first_version_of_what_they_use(tiny_recipe):
    plain = step(tiny_recipe)
    older = {key: value for key, value in contract(plain).items() if key not in VERSIONS}
    assert broken_clauses(plain, older) == ["continuing with another order of samples: " + NOT_THE_SAME]
    training = replace(tiny_recipe.training, document_masks=True, scratch_weight=1.0)
    apart = Step(Decoder(tiny_recipe.design), training, **OPTIONS)
    (sentence,) = broken_clauses(apart, {**contract(apart), **dict.fromkeys(VERSIONS, 1)})
    named = "order of samples, set of document masks, kind of values so far"
    assert sentence == f"continuing with another {named}: {NOT_THE_SAME}"
    assert broken_clauses(apart, {key: value for key, value in contract(apart).items() if key not in VERSIONS}) == [
        sentence
    ]


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
