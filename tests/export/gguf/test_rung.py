"""The measurement of a file against itself, a worse one, and what is known by hand."""

from dataclasses import replace

import pytest
import torch

from smidgen.evaluation.spelling_task import RealText
from smidgen.export.gguf.rung import matter_of, measured
from smidgen.recipes.sampling import SamplingSettings

from ..tiny import SENTENCES
from .models import block_model


@pytest.fixture(scope="module")
def model():
    return replace(block_model(), sampling=SamplingSettings(temperature=0.7))


@pytest.fixture(scope="module")
def matter(model):
    documents = [model.tokenizer.encode(text) for text in 3 * SENTENCES]
    real = RealText(lexicon=frozenset({"the", "cats"}), held_out={"a": documents, "b": documents})
    return matter_of(model, real, [ids[:20] for ids in documents[:4]], tokens=200, seed=0)


def noisy(model, scale):
    changed = block_model()
    with torch.no_grad():
        for parameter in changed.decoder.parameters():
            parameter.add_(scale * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return replace(changed, sampling=model.sampling)


def test_windows_begin_at_the_end_of_a_text_and_come_from_all_sources(model, matter):
    end, length = model.tokenizer.end_of_text_id, model.config.context_length
    assert 200 <= sum(len(ids_T) - 1 for ids_T in matter.windows) < 200 + 2 * length
    assert any(ids_T[0] == end for ids_T in matter.windows)
    assert max(map(len, matter.windows)) <= length + 1


def test_the_model_is_no_distance_from_itself(model, matter):
    found = measured(model, model.decoder, matter)
    assert (found["kl"]["value"], found["top1"]["value"], found["perplexity_change"]["value"]) == (0, 1, 0)


def test_the_more_noise_the_farther(model, matter):
    slight, strong = (measured(noisy(model, scale), model.decoder, matter) for scale in (0.003, 0.1))
    assert 0 < slight["kl"]["value"] < 0.1 * strong["kl"]["value"]
    assert slight["top1"]["value"] > strong["top1"]["value"]
    assert slight["kl"]["low"] <= slight["kl"]["value"] <= slight["kl"]["high"]


def test_the_change_of_perplexity_is_that_of_the_perplexities(model, matter):
    reference, other = (measured(one, model.decoder, matter) for one in (model, noisy(model, 0.1)))
    ratio = other["perplexity"]["value"] / reference["perplexity"]["value"]
    assert other["perplexity_change"]["value"] == pytest.approx(ratio - 1)


def test_what_is_written_is_counted(model, matter):
    found = measured(model, model.decoder, replace(matter, lexicon=frozenset()))
    assert found["real_words"] is None or found["real_words"]["value"] == 0
    assert found["loops"]["greedy"]["n"] == len(matter.passages)
    assert isinstance(found["sample"], str)
