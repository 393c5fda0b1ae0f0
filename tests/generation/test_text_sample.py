import pytest
import torch

from smidgen.data.grammar import minimal_pairs
from smidgen.generation import text_sample as module
from smidgen.generation.decoding import Completion
from smidgen.generation.text_sample import text_sample
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.sampling import SamplingSettings
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.training import train_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    texts = [pair.good for pair in minimal_pairs(seed=1, per_phenomenon=5)]
    return train_tokenizer(iter(texts), TokenizerSettings(), 320)


@pytest.fixture(scope="module")
def decoder(tiny_recipe):
    torch.set_num_threads(1)
    decoder = Decoder(tiny_recipe.design).eval()
    initialise(decoder, 1)
    return decoder


def test_a_seed_gives_the_same_text_again_and_another_one_another(decoder, tokenizer):
    settings = SamplingSettings(max_new_tokens=9)
    first, again, other = (text_sample(decoder, tokenizer, "Tom", settings, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first["text"] != other["text"]
    assert (first["prompt"], first["tokens"], first["finish_reason"]) == ("Tom", 9, "length")


def test_an_empty_prompt_begins_a_text(decoder, tokenizer):
    assert text_sample(decoder, tokenizer, "", SamplingSettings(max_new_tokens=3), seed=1)["tokens"] == 3


@pytest.mark.parametrize(("ids", "loop"), [([5, 6] * 4, True), ([5, 6, 7, 8, 9], False)])
def test_loops_are_found(decoder, tokenizer, monkeypatch, ids, loop):
    monkeypatch.setattr(module, "complete", lambda *_, **__: Completion(ids, "length", None))
    assert text_sample(decoder, tokenizer, "Tom", SamplingSettings(), seed=1)["loop"] is loop
