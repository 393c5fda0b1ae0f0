"""The evaluation harness that most scores of such models come from reads an export."""

import math
import warnings

import pytest
import torch

from smidgen.evaluation.lm_eval.model import SmidgenLM
from smidgen.export.hugging_face import export_hugging_face

from .tiny import ARITHMETIC, DIGITS, logits_of, tiny_model

pytest.importorskip("lm_eval")


def test_the_harness_scores_a_continuation_as_we_do(tmp_path):
    with warnings.catch_warnings():
        # The harness and what it imports have deprecations of their own.
        warnings.simplefilter("ignore")
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        model = tiny_model(ARITHMETIC, xsa=True, **DIGITS)
        export_hugging_face(model, tmp_path / "out", check=False)
        harness = HFLM(
            pretrained=str(tmp_path / "out"),
            trust_remote_code=True,
            dtype="float32",
            max_length=48,
            batch_size=2,
            device="cpu",
        )
        pairs = [("12 + 34 =", " 46"), ("The cats sat", " on the mat"), ("7 *", " 8 = 56")]
        requests = [Instance("loglikelihood", {}, pair, index) for index, pair in enumerate(pairs)]
        scores = harness.loglikelihood(requests, disable_tqdm=True)
    for (context, continuation), (log_likelihood, _) in zip(pairs, scores, strict=True):
        assert log_likelihood == pytest.approx(our_log_likelihood(model, context, continuation), abs=1e-4)


def test_a_window_of_548_tokens_on_a_context_of_512_scores_as_we_do(tmp_path):
    """As Atom-2.7m was scored: contexts between 512 and 548 tokens are read whole, longer ones cut on the left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        model = tiny_model(ARITHMETIC, xsa=True, context_length=512, **DIGITS)
        export_hugging_face(model, tmp_path / "out", max_length=548, check=False)
        window = {"max_length": 548, "batch_size": 2, "device": "cpu"}
        harness = HFLM(pretrained=str(tmp_path / "out"), trust_remote_code=True, dtype="float32", **window)
        ours = SmidgenLM(model, **window)
        sentence, ending = "12 + 34 = 46 and ", " 99"
        each, last = (len(model.tokenizer.encode(text)) for text in (sentence, ending))
        # Of 500 tokens, of just 548 with the ending, and of more than that.
        pairs = [(sentence * (tokens // each), ending) for tokens in (500, 548 - last, 560, 1200)]
        requests = [Instance("loglikelihood", {}, pair, index) for index, pair in enumerate(pairs)]
        theirs = harness.loglikelihood(requests, disable_tqdm=True)
    lengths = [len(model.tokenizer.encode(context + ending)) for context, _ in pairs]
    assert lengths[0] <= 512 < lengths[1] <= 548 < lengths[2]
    for (value, greedy), (expected, is_greedy) in zip(ours.loglikelihood(requests), theirs, strict=True):
        assert value == pytest.approx(expected, abs=1e-4)
        assert greedy == is_greedy
    assert ours.counts["truncated"] == 2


def our_log_likelihood(model, context: str, continuation: str) -> float:
    first = len(model.tokenizer.encode(context))
    ids = model.tokenizer.encode(context + continuation)
    logprobs_TV = logits_of(model.decoder, torch.tensor([ids]))[0].log_softmax(dim=-1)
    return math.fsum(logprobs_TV[place - 1, ids[place]].item() for place in range(first, len(ids)))
