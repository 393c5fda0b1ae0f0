import torch

from smidgen.model.decoder import Decoder
from smidgen.training.contract import broken_clauses, contract
from smidgen.training.step import Step


def step(recipe, **changes):
    options = {"device": torch.device("cpu"), "dtype": torch.float32, "micro_batch": 4, "compile_mode": None}
    return Step(Decoder(recipe.design), recipe.training, **{**options, **changes})


def test_the_same_way_of_computing_breaks_nothing(tiny_recipe):
    assert broken_clauses(step(tiny_recipe), contract(step(tiny_recipe))) == []


def test_what_changed_is_named(tiny_recipe):
    saved = {**contract(step(tiny_recipe)), "torch": "1.0"}
    (sentence,) = broken_clauses(step(tiny_recipe, micro_batch=2, dtype=torch.bfloat16), saved)
    assert sentence.startswith("continuing with another torch, dtype, micro_batch: ")
    assert sentence.endswith("will not be bit-identical")
