from dataclasses import asdict

import pytest
import torch

from smidgen.generation.decoding import complete
from smidgen.playground.reasons import explained_tokens, likelihoods, reasons
from smidgen.recipes.sampling import SamplingSettings

from ..export.tiny import ARITHMETIC, CONTEXT, DIGITS, logits_of, random_ids, tiny_model
from ..export.web.javascript import ask, needs_node

SETTINGS = {
    "greedy": SamplingSettings(temperature=0, repetition_penalty=1.2, no_repeat_ngram_size=3, max_new_tokens=40),
    "all filters": SamplingSettings(temperature=0.8, top_k=9, top_p=0.9, min_p=0.05, max_new_tokens=40),
    "penalties": SamplingSettings(temperature=1.3, repetition_penalty=1.4, no_repeat_ngram_size=2, max_new_tokens=40),
    "plain": SamplingSettings(max_new_tokens=40),
}


@pytest.fixture(scope="module")
def model():
    return tiny_model(ARITHMETIC, xsa=True, **DIGITS)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_what_is_explained_is_what_generate_writes(model, settings):
    [ids] = random_ids(1, 9).tolist()
    *tokens, end = explained_tokens(model.decoder, ids, settings, seed=5, stop_ids=set())
    completion = complete(model.decoder, ids, settings, seed=5)
    assert [token["id"] for token in tokens] == completion.token_ids
    assert end == {"reason": "length"}
    # Far beyond the context, and at the next stop token not a step further.
    assert len(tokens) + len(ids) > CONTEXT
    *before, stopped = explained_tokens(model.decoder, ids, settings, seed=5, stop_ids={tokens[7]["id"]})
    assert stopped == {"reason": "stop"}
    assert len(before) <= 7


@needs_node
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_page_gives_the_same_reasons(settings, tmp_path):
    generator = torch.Generator().manual_seed(1)
    logits_BV = 2 * torch.randn(20, 37, generator=generator)
    history_BS = torch.randint(37, (20, 25), generator=generator)
    script = """
    const { choose, seeded } = await at("sampling");
    return given.rows.map(([logits, history]) => choose(logits, history, given.settings, seeded(3)));
    """
    rows = list(zip(logits_BV.tolist(), history_BS.tolist(), strict=True))
    answers = ask(script, {"rows": rows, "settings": asdict(settings)}, tmp_path)
    for logits_V, history_S, theirs in zip(logits_BV, history_BS, answers, strict=True):
        ours = reasons(logits_V[None], history_S[None], settings, theirs["id"])
        assert flat(ours) == pytest.approx(flat(theirs), abs=1e-5)
        assert names(ours) == names(theirs)


def flat(said):
    """All numbers of an explanation."""
    keys = ("id", "probability", "scaled", "drawn")
    top = [entry[key] for entry in said["top"] for key in keys]
    filters = [entry[key] for entry in said["filters"] for key in ("count", "share")]
    return [*(said[key] for key in (*keys, "rank", "isGreedy")), *top, *filters]


def names(said):
    return [entry["removed"] for entry in said["top"]], [entry["name"] for entry in said["filters"]]


def test_likelihoods_are_of_the_token_that_came(model):
    [ids] = random_ids(1, CONTEXT).tolist()
    told = likelihoods(model.decoder, ids)
    odds = logits_of(model.decoder, torch.tensor([ids]))[0].softmax(dim=-1)
    assert told[0] is None
    for place, said in enumerate(told[1:], start=1):
        assert said["id"] == ids[place]
        assert said["probability"] == pytest.approx(float(odds[place - 1, ids[place]]), rel=1e-4)
        assert said["rank"] == 1 + int((odds[place - 1] > odds[place - 1, ids[place]]).sum())
        assert ids[place] in [entry["id"] for entry in said["top"]]


def test_tokens_out_of_sight_have_no_likelihood(model):
    [ids] = random_ids(1, CONTEXT + 5).tolist()
    told = likelihoods(model.decoder, ids)
    assert [place for place, said in enumerate(told) if said is None] == list(range(6))
    assert len(told) == len(ids)
    assert likelihoods(model.decoder, []) == []
